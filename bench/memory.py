"""Memory (proportional set size) of the agent in steady work, and of the tray with its window never opened and opened."""

import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.stage import policy_text, staged, wait_for


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text())
        stage.start_server()
        stage.enrol()
        stage.start_agent()
        wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy")
        stage.start_screen()
        stage.start("panel", "trayer")
        time.sleep(1)
        tray = [sys.executable, "-m", "ui.app", "--socket", str(stage.socket)]
        never = stage.start("tray", *tray)
        time.sleep(8)
        print(f"tray, window never opened: {_pss_megabytes(never.pid):.1f} MB")
        stage.end("tray")
        opened = stage.start("tray", *tray, "--show", "status")
        time.sleep(8)
        print(f"tray, window opened:       {_pss_megabytes(opened.pid):.1f} MB")
        time.sleep(10)
        print(f"agent in steady work:      {_pss_megabytes(stage.pid_of('agent')):.1f} MB")


def _pss_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has no Pss")


if __name__ == "__main__":
    main()
