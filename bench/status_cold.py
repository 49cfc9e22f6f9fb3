"""How long `decorum status` takes, from its start to its end, and the agent until it answers; against a bare interpreter."""

import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Line, at_most, spread
from tests.e2e.stage import policy_text, staged

TIMES, STARTS = 15, 5


def lines() -> list[Line]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text())
        stage.start_server()
        stage.enrol()
        starts = []
        for number in range(STARTS):
            if number:
                stage.end("agent")
            command = ["-m", "agent.cli", "run", *stage.places(), "--socket", str(stage.socket)]
            began = time.monotonic()
            stage.start("agent", sys.executable, *command)
            starts.append(_until_answered(stage.socket, began))
        program = str(Path(sys.executable).parent / "decorum")
        bare = _times([sys.executable, "-c", "pass"], stage.environment)
        status = _times([program, "status"], stage.environment)
    compared = f"bare interpreter {statistics.median(bare):.0f} ms"
    return [
        Line(
            what="`decorum status`, cold",
            budget="<= 250 ms",
            stretch="120 ms",
            measured=spread(status, "ms"),
            compared=compared,
            met=at_most(statistics.median(status), 250, 120),
        ),
        Line(
            what="agent start -> its socket answers",
            budget="none",
            measured=spread(starts, "ms"),
            compared=compared,
            met="",
        ),
    ]


def _until_answered(place: Path, began: float) -> float:
    """Return the milliseconds until somebody listens."""
    while time.monotonic() - began < 30:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(place))
            return (time.monotonic() - began) * 1000
        time.sleep(0.002)
    raise TimeoutError("The agent did not start.")


def _times(command: list[str], environment: dict[str, str]) -> list[float]:
    took = []
    for _ in range(TIMES):
        began = time.monotonic()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        took.append((time.monotonic() - began) * 1000)
    return took
