"""A stage on which the frozen `decorum` plays instead of the checkout's."""

import subprocess
from pathlib import Path

from tests.e2e.stage import Stage, wait_for

DIST = Path(__file__).resolve().parents[2] / "dist"


class FrozenStage(Stage):
    """A stage on which `decorum` is a frozen program, without anything of the checkout in its way."""

    def __init__(self, folder: Path, program: Path) -> None:
        super().__init__(folder)
        self.program = program

    def decorum(self, *arguments: str, feed: str = "") -> "subprocess.CompletedProcess[str]":
        """Run the frozen `decorum`."""
        return subprocess.run(
            [str(self.program), *arguments],
            input=feed,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd="/",
            timeout=60,
            check=False,
        )

    def start_agent(self, *more: str) -> None:
        """Start the frozen agent."""
        places = (*self.places(), *more)
        self.start("agent", str(self.program), "run", *places, "--socket", str(self.socket))
        wait_for(lambda: self.decorum("status").returncode != 31, "the agent's first answer", 60)
