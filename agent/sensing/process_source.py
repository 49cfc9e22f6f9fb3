"""Where processes are read from: the few questions that sensing asks of a system, and what it gets for an answer."""

from collections.abc import Collection, Iterable
from typing import Protocol

import msgspec

from contract.facts import ProcessFacts


class GoneError(Exception):
    """The process ended while it was being read: normal, and of no interest."""


class ProcessKey(msgspec.Struct, frozen=True, order=True):
    """What tells one process from every other of this boot: a pid is used again, with another start time."""

    pid: int
    started: float
    """Seconds since the epoch, as the system told it when the source was made: setting the clock changes no key."""


class Image(msgspec.Struct, frozen=True):
    """What a process runs: exec changes the one, the other or both."""

    exe: str | None
    """Path of the executable."""
    cmdline: tuple[str, ...] | None


class Reading(msgspec.Struct, frozen=True):
    """What was learnt of one process."""

    key: ProcessKey
    image: Image
    facts: ProcessFacts


class ProcessSource(Protocol):
    """The few questions that sensing asks of the system."""

    def newest(self) -> int | None:
        """Return a number that is another once any process has started; None where the system has none."""

    def pids(self) -> Iterable[int]:
        """Return the pids that exist now."""

    def is_there(self, pid: int) -> bool:
        """Tell whether a pid exists; it may be a zombie's or another process's by now."""

    def key(self, pid: int) -> ProcessKey:
        """Return a process's identity; raise GoneError if it ended, or is a zombie that nobody has collected."""

    def image(self, pid: int) -> Image:
        """Return what a process runs, None where it may not be read; raise GoneError if it ended."""

    def read(self, key: ProcessKey) -> Reading:
        """Return the facts of a process; raise GoneError if it ended or its pid is another's now."""

    def uid(self, pid: int) -> int:
        """Return the user of a process; raise GoneError if it ended."""

    def parent(self, pid: int) -> int | None:
        """Return the pid of the process that a process belongs to, None where there is none; raise GoneError if it ended."""

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        """Return those variables of a process that are so named, none where they may not be read; raise GoneError if it ended."""

    def folder(self, pid: int) -> str | None:
        """Return the folder that a process works in, None where it may not be read; raise GoneError if it ended."""
