"""How long from the start of a messenger's process until a subscriber of the agent is told the verdict, on an otherwise idle agent.

Where the system does not tell of starts the agent looks for them, and the median is about half the pause.
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
BUDGETS = {"events": 50, "polling": 1500}


def lines() -> list[Line]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text("finch", "banned"))
        stage.start_server()
        stage.settings.write_text(stage.settings.read_text().replace("poll_milliseconds = 500\n", ""))
        stage.enrol()
        stage.start_agent()
        program = stage.folder / "finch"
        shutil.copy("/bin/sleep", program)
        milliseconds = [_once(stage, program, number) for number in range(STARTS)]
        by = stage.status()["noticing"]["by"]
    budget = BUDGETS[by]
    return [
        Line(
            what=f"start of a messenger -> verdict, {by}",
            budget=f"<= {budget} ms",
            stretch="5 ms",
            measured=spread(milliseconds, "ms", 1),
            compared="half of the 750 ms between two looks would be 375 ms",
            met=at_most(statistics.median(milliseconds), budget, 5),
        )
    ]


def _once(stage: Stage, program: Path, number: int) -> float:
    """Return the milliseconds for one start; each start waits a little longer first, so that no phase is preferred."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(stage.socket))
        connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{}}\n')
        lines = connection.makefile("rb")
        time.sleep(0.3 + number * 0.037)
        began = time.monotonic()
        process = subprocess.Popen([str(program), "600"])
        while process.pid not in _judged(lines.readline()):
            continue
        took = (time.monotonic() - began) * 1000
        process.kill()
        process.wait()
        while process.pid in _judged(lines.readline()):
            continue
        return took


def _judged(line: bytes) -> set[int]:
    """Return the pids that a line tells a violation of; others may run messengers on this machine, too."""
    rows = json.loads(line).get("params", {}).get("messengers", ())
    return {row["pid"] for row in rows if row["messenger"] == "finch" and row["verdict"] == "violation"}
