"""What agent and tray hold more after 24 hours of a busy day than after four; lived in minutes, each in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

from PySide6.QtWidgets import QApplication

from bench.figures import Line, at_most
from bench.processes import pss_megabytes
from tests.fakes.busy_day import BusyDay
from tests.fakes.busy_screen import BusyScreen

EARLY_HOURS, LATE_HOURS = 4, 20


def lines() -> list[Line]:
    """Measure."""
    objects, traced_bytes, _ = _lived()
    megabytes = _lived("untraced")[2]
    tray = _lived("tray", "untraced")
    hours = "4th to 24th hour of a busy day"
    return [
        Line(
            what=f"growth of the agent, {hours}",
            budget="0 (+-2 MB)",
            stretch="0",
            measured=f"PSS {megabytes:+.2f} MB; objects {objects:+,.0f}; Python's memory {traced_bytes / 1024:+.0f} KB (n=1)",
            compared="its processes, server and clock are made up",
            met=at_most(abs(megabytes), 2.0),
        ),
        Line(
            what=f"growth of the tray, {hours}",
            budget="0 (+-2 MB)",
            stretch="0",
            measured=f"PSS {tray[2]:+.2f} MB; objects {tray[0]:+,.0f}; widgets {tray[3]:+,.0f}; Qt objects {tray[4]:+,.0f} (n=1)",
            compared="without a screen; its agent is made up and lives in the same process; the day takes minutes",
            met=at_most(abs(tray[2]), 2.0),
        ),
    ]


def _lived(*words: str) -> list[float]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", __name__, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # Qt's platform without a screen says of every window that it cannot be raised
        text=True,
        check=True,
        env=environment,
    )
    found: list[float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Live the day and print what was left behind: objects, bytes, megabytes of PSS, and for the tray widgets."""
    if "untraced" not in sys.argv:
        tracemalloc.start()
    print(json.dumps(_of_the_tray() if "tray" in sys.argv else _of_the_agent()))


def _of_the_agent() -> list[float]:
    with tempfile.TemporaryDirectory() as folder, BusyDay(Path(folder)) as day:
        day.live(EARLY_HOURS)
        early, before = day.level(), pss_megabytes("self")
        day.live(LATE_HOURS)
        late, after = day.level(), pss_megabytes("self")
    return [late.objects - early.objects, late.traced_bytes - early.traced_bytes, after - before]


def _of_the_tray() -> list[float]:
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory() as folder, BusyScreen(application, Path(folder)) as day:
        day.live(EARLY_HOURS)
        day.held()  # counting for the first time loads what it needs
        early, before = day.held(), pss_megabytes("self")
        day.live(LATE_HOURS)
        late, after = day.held(), pss_megabytes("self")
    found = [getattr(late, name) - getattr(early, name) for name in ("objects", "traced_bytes")]
    return [*found, after - before, late.widgets - early.widgets, late.qt_objects - early.qt_objects]


if __name__ == "__main__":
    main()
