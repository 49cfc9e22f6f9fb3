"""How long `decorum status` takes, from its start to its end, against a bare interpreter in the same run."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.stage import policy_text, staged

TIMES = 15


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text())
        stage.start_server()
        stage.enrol()
        stage.start_agent()
        program = str(Path(sys.executable).parent / "decorum")
        bare = _median([sys.executable, "-c", "pass"], stage.environment)
        status = _median([program, "status"], stage.environment)
        print(f"bare interpreter {bare:.0f} ms, decorum status {status:.0f} ms (ratio {status / bare:.1f})")


def _median(command: list[str], environment: dict[str, str]) -> float:
    took = []
    for _ in range(TIMES):
        began = time.monotonic()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        took.append((time.monotonic() - began) * 1000)
    return statistics.median(took)


if __name__ == "__main__":
    main()
