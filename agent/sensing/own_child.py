"""A child of our own that does nothing: whether the system tells of its start and end shows whether it tells of any."""

import subprocess
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

PROGRAMS = (("/bin/true",), ("/usr/bin/true",), ("/bin/sh", "-c", ":"))
"""What is tried on Linux and macOS; the last is there by POSIX."""

HELD = ("/bin/sh", "-c", "read line; exec /usr/bin/true")
"""A shell that becomes another program, and ends, once it has read a line."""


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


class HeldChild:
    """Owns at most one child, and lets it do nothing before it is watched: for a system that tells of those alone whom it was asked about.

    Args:
        watch: asks to be told of a process, by its pid.
        command: a program that executes another and ends once it has read a line.
    """

    def __init__(self, watch: Callable[[int], None], command: Sequence[str] = HELD) -> None:
        self._watch, self._command = watch, tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start it, have it watched, let it go, and return its pid; raise OSError."""
        self.collect()
        self._process = process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._watch(process.pid)
        if process.stdin is not None:
            with suppress(BrokenPipeError), process.stdin as let_go:
                let_go.write(b"\n")
        return process.pid

    def collect(self) -> None:
        """End it if it still runs, and leave nothing of it behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
