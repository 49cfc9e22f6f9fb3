"""What the agent holds more after 24 hours of a busy day than after four; lived in seconds, in a process of its own."""

import json
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

from bench.figures import Line, at_most
from bench.processes import pss_megabytes
from tests.fakes.busy_day import BusyDay

EARLY_HOURS, LATE_HOURS = 4, 20


def lines() -> list[Line]:
    """Measure."""
    done = subprocess.run([sys.executable, "-m", __name__], capture_output=True, text=True, check=True)
    objects, traced_bytes, _ = json.loads(done.stdout)
    untraced = subprocess.run(
        [sys.executable, "-m", __name__, "untraced"], capture_output=True, text=True, check=True
    )
    megabytes = json.loads(untraced.stdout)[2]
    return [
        Line(
            what="growth of the agent, 4th to 24th hour of a busy day",
            budget="0 (+-2 MB)",
            stretch="0",
            measured=f"PSS {megabytes:+.2f} MB; objects {objects:+,}; Python's memory {traced_bytes / 1024:+.0f} KB (n=1)",
            compared="its processes, server and clock are made up; the tray was not measured",
            met=at_most(abs(megabytes), 2.0),
        )
    ]


def main() -> None:
    """Live the day and print what was left behind: objects, bytes, megabytes of PSS."""
    if "untraced" not in sys.argv:
        tracemalloc.start()
    with tempfile.TemporaryDirectory() as folder, BusyDay(Path(folder)) as day:
        day.live(EARLY_HOURS)
        early, before = day.level(), pss_megabytes("self")
        day.live(LATE_HOURS)
        late, after = day.level(), pss_megabytes("self")
    print(json.dumps([late.objects - early.objects, late.traced_bytes - early.traced_bytes, after - before]))


if __name__ == "__main__":
    main()
