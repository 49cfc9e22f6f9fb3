"""How long from the start of a messenger's process until a subscriber of the agent is told the verdict.

The agent polls, so the median is about half its interval.
"""

import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from bench.figures import Line, at_most, spread
from tests.e2e.stage import Stage, policy_text, staged

STARTS = 20


def lines() -> list[Line]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text("pidgin", "banned"))
        stage.start_server()
        stage.settings.write_text(stage.settings.read_text().replace("poll_milliseconds = 500\n", ""))
        stage.enrol()
        stage.start_agent()
        program = stage.folder / "pidgin"
        shutil.copy("/bin/sleep", program)
        milliseconds = [_once(stage, program, number) for number in range(STARTS)]
    return [
        Line(
            what="start of a messenger -> verdict, polling",
            budget="<= 1500 ms",
            stretch="5 ms",
            measured=spread(milliseconds, "ms"),
            compared="half of the 750 ms between two looks is 375 ms",
            met=at_most(statistics.median(milliseconds), 1500, 5),
        )
    ]


def _once(stage: Stage, program: Path, number: int) -> float:
    """Return the milliseconds for one start; each start waits a little longer first, so that no phase is preferred."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stage.socket))
        connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{}}\n')
        lines = connection.makefile("rb")
        while json.loads(lines.readline())["result"]["messengers"]:
            time.sleep(0.1)
        time.sleep(0.3 + number * 0.037)
        began = time.monotonic()
        process = subprocess.Popen([str(program), "600"])
        while True:
            told = json.loads(lines.readline())
            if any(row["verdict"] == "violation" for row in told.get("params", {}).get("messengers", ())):
                break
        took = (time.monotonic() - began) * 1000
        process.kill()
        process.wait()
        while json.loads(lines.readline()).get("params", {"messengers": True}).get("messengers", True):
            pass
        return took
