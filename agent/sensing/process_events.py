"""Being told by the system which processes started and ended, instead of asking it again and again.

What came is noted by process, so that a burst costs what its processes cost and no more: a shell that becomes a wrapper that becomes
a messenger is one process that started, and one that has ended meanwhile is only one that ended.

>>> notes = Notes()
>>> for pid, kind in ((7, "started"), (7, "started"), (8, "started"), (8, "ended")):
...     notes.add(pid, kind)
>>> notes.take()
Told(happened={7: 'started', 8: 'passed'}, lost=False)
>>> notes.take()
Told(happened={}, lost=False)
"""

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import msgspec

from contract.local import AtOnce

Event = Literal["started", "ended"]
"""`started`: it executes another program now; `ended`: its first thread has, and with it mostly the process."""
Kind = Literal["started", "ended", "passed"]
"""What became of a process since it was last asked about; `passed`: it started, and ended."""
NOTED_AT_MOST = 256
"""How many processes are noted before they are handed on; the rest waits in the system, or is lost."""

OUTSIDE = "Run the agent in the machine's own network and process namespaces."


class NoEventsError(Exception):
    """The system does not tell."""

    def __init__(self, why: str, remedy: str | None = None) -> None:
        super().__init__(why)
        self.why, self.remedy = why, remedy


class Told(msgspec.Struct, frozen=True):
    """What the system told since it was last asked."""

    happened: Mapping[int, Kind]
    """What became of each pid."""
    lost: bool = False
    """Whether something was told that could not be taken in time."""


NOTHING = Told({})


class Gap(msgspec.Struct, frozen=True):
    """What a system does not tell of although it tells."""

    at_once: tuple[AtOnce, ...]
    """What it does tell of."""
    why: str
    remedy: str | None = None


class ProcessEvents(Protocol):
    """One way of being told."""

    @property
    def gap(self) -> Gap | None:
        """What it does not tell of while it is open, so that looking goes on; None where it tells of everything."""

    def open(self, wake: Callable[[], None]) -> None:
        """Begin to listen; `wake` is called, in the event loop, once something waits; raise NoEventsError."""

    def take(self) -> Told:
        """Return what waits; from then on it wakes again."""

    def follow(self, pids: frozenset[int] | None) -> None:
        """Tell of the ends of these alone, as soon as they end; None: of all, as after `open`."""

    def close(self) -> None:
        """Listen no more."""


class Notes:
    """Owns what was told and not yet handed on."""

    def __init__(self) -> None:
        self._happened: dict[int, Kind] = {}
        self._lost = False

    def add(self, pid: int, event: Event) -> None:
        """Note one event."""
        has_started = self._happened.get(pid) in {"started", "passed"}
        self._happened[pid] = "passed" if has_started and event == "ended" else event

    def add_loss(self) -> None:
        """Note that events were lost."""
        self._lost = True

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._happened and not self._lost

    @property
    def is_full(self) -> bool:
        """Whether no more should be added before these were taken."""
        return len(self._happened) >= NOTED_AT_MOST

    def take(self) -> Told:
        """Return everything, and forget it."""
        told = Told(self._happened, self._lost)
        self._happened, self._lost = {}, False
        return told
