"""A child of our own that does nothing: whether the system tells of its start and end shows whether it tells of any."""

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

PROGRAMS = (("/bin/true",), ("/usr/bin/true",), ("/bin/sh", "-c", ":"))
"""What is tried on Linux and macOS; the last is there by POSIX."""


def idle_program(programs: Iterable[Sequence[str]] = PROGRAMS) -> tuple[str, ...]:
    """Return the command line of the first that is there, or the last."""
    command: Sequence[str] = ()
    for command in programs:
        if Path(command[0]).exists():
            break
    return tuple(command)


class OwnChild:
    """Owns at most one child.

    Args:
        command: a program that ends at once.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start it and return its pid; raise OSError."""
        self.collect()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        return self._process.pid

    def collect(self) -> None:
        """End it if it still runs, and leave nothing of it behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
