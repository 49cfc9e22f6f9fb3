"""Notices processes that start, change their executable and end, by comparing lists of pids.

Only a pid that was not there before is asked about, and while the system says that nothing has started, not even the list is
read: only whether what somebody relies on is still there. A young process is looked at again at 1, 3 and 10 seconds of age, since a
program is started by a fork whose executable changes a moment later. A pid that was used again between two looks has another
start time, so that one pid is checked at each look, in turns: a pid is used again only after thousands of others.
"""

from collections import deque
from collections.abc import Collection, Sequence

import msgspec

from agent.sensing.process_source import GoneError, Image, ProcessKey, ProcessSource, Reading

YOUNG_SECONDS = (1.0, 3.0, 10.0)
"""Ages at which a process is looked at again."""
LISTED_AT_LEAST_EVERY_SECONDS = 10.0
"""How often all pids are listed although the system says that none is new: ends are noticed by it, too."""


class Changes(msgspec.Struct, frozen=True):
    """What changed since the last look."""

    appeared: tuple[Reading, ...]
    """New processes, and young ones that run something else now."""
    gone: tuple[ProcessKey, ...]


class _Known(msgspec.Struct):
    key: ProcessKey
    image: Image


class ProcessWatch:
    """Owns the list of processes that were there at the last look.

    Args:
        source: where processes are read from.
    """

    def __init__(self, source: ProcessSource) -> None:
        self._source = source
        self._known: dict[int, _Known] = {}
        self._young: deque[tuple[float, ProcessKey]] = deque()
        self._turn: deque[int] = deque()
        self._relied_turn = 0
        self._newest: int | None = None
        self._list_again = 0.0
        self._looked_at: float | None = None

    def look(self, monotonic: float, wall: float, tracked: Collection[int] = ()) -> Changes:
        """Return what changed.

        Args:
            monotonic: seconds now, on a clock that never jumps.
            wall: seconds since the epoch now; tells how young a process is that was there before.
            tracked: pids that somebody relies on.
        """
        appeared: list[Reading] = []
        gone: list[ProcessKey] = []
        newest = self._source.newest()
        suspects: set[int] = set()
        if newest is None or newest != self._newest or monotonic >= self._list_again:
            self._newest, self._list_again = newest, monotonic + LISTED_AT_LEAST_EVERY_SECONDS
            self._list(monotonic, wall, appeared, gone)
            suspects = self._next_in_turn()
        relied = [pid for pid in tracked if pid in self._known]
        gone.extend(self._known.pop(pid).key for pid in relied if not self._source.is_there(pid))
        suspects |= self._next_relied([pid for pid in relied if pid in self._known])
        for pid in suspects:
            self._check_reuse(pid, monotonic, wall, appeared, gone)
        self._look_again(monotonic, appeared)
        self._looked_at = monotonic
        return Changes(tuple(appeared), tuple(gone))

    def _list(self, monotonic: float, wall: float, appeared: list[Reading], gone: list[ProcessKey]) -> None:
        present = set(self._source.pids())
        gone.extend(self._known.pop(pid).key for pid in self._known.keys() - present)
        for pid in present - self._known.keys():
            self._meet(pid, monotonic, wall, appeared)

    def _meet(self, pid: int, monotonic: float, wall: float, appeared: list[Reading]) -> None:
        try:
            reading = self._source.read(self._source.key(pid))
        except GoneError:
            return
        self._known[pid] = _Known(reading.key, reading.image)
        self._turn.append(pid)
        age = max(0.0, wall - reading.key.started)
        if self._looked_at is not None:
            # It was not there at the last look, whatever the wall clock says since it was set.
            age = min(age, monotonic - self._looked_at)
        self._young.extend((monotonic + at - age, reading.key) for at in YOUNG_SECONDS if at > age)
        appeared.append(reading)

    def _next_relied(self, relied: Sequence[int]) -> set[int]:
        """Return whose turn it is of those that somebody relies on: a zombie among them is found by it, too."""
        if not relied:
            return set()
        self._relied_turn = (self._relied_turn + 1) % len(relied)
        return {relied[self._relied_turn]}

    def _next_in_turn(self) -> set[int]:
        """Return whose turn it is of all."""
        while self._turn:
            pid = self._turn.popleft()
            if pid in self._known:
                self._turn.append(pid)
                return {pid}
        return set()

    def _check_reuse(
        self, pid: int, monotonic: float, wall: float, appeared: list[Reading], gone: list[ProcessKey]
    ) -> None:
        known = self._known[pid]
        try:
            if self._source.key(pid) == known.key:
                return
        except GoneError:
            gone.append(self._known.pop(pid).key)
            return
        gone.append(self._known.pop(pid).key)
        self._meet(pid, monotonic, wall, appeared)

    def _look_again(self, monotonic: float, appeared: list[Reading]) -> None:
        waiting: deque[tuple[float, ProcessKey]] = deque()
        while self._young:
            due, key = self._young.popleft()
            if due > monotonic:
                waiting.append((due, key))
                continue
            known = self._known.get(key.pid)
            if known is None or known.key != key:
                continue
            try:
                image = self._source.image(key.pid)
                if image != known.image:
                    known.image = image
                    appeared.append(self._source.read(key))
            except GoneError:
                continue
        self._young = waiting
