"""Notices processes that start, change their executable and end, by comparing lists of pids.

Only a pid that was not there before is asked about. A young process is looked at again at 1, 3 and 10 seconds of age, since a
program is started by a fork whose executable changes a moment later. A pid that was used again between two looks has another
start time: what is tracked is checked each time, everything else in turns.
"""

from collections import deque
from collections.abc import Collection

import msgspec

from agent.sensing.process_source import GoneError, ProcessKey, ProcessSource, Reading

YOUNG_SECONDS = (1.0, 3.0, 10.0)
"""Ages at which a process is looked at again."""
CHECKED_EACH_TIME = 1
"""How many pids that are not tracked are checked for reuse at each look; each costs a tenth of a millisecond."""


class Changes(msgspec.Struct, frozen=True):
    """What changed since the last look."""

    appeared: tuple[Reading, ...]
    """New processes, and processes whose executable changed."""
    gone: tuple[ProcessKey, ...]


class _Known(msgspec.Struct):
    key: ProcessKey
    exe: str | None


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

    def look(self, monotonic: float, wall: float, tracked: Collection[int] = ()) -> Changes:
        """Return what changed.

        Args:
            monotonic: seconds now, on a clock that never jumps.
            wall: seconds since the epoch now; tells how young a process is that was there before.
            tracked: pids that somebody relies on.
        """
        appeared: list[Reading] = []
        present = set(self._source.pids())
        gone = [self._known.pop(pid).key for pid in self._known.keys() - present]
        for pid in self._suspects(tracked):
            self._check_reuse(pid, monotonic, wall, appeared, gone)
        for pid in present - self._known.keys():
            self._meet(pid, monotonic, wall, appeared)
        self._look_again(monotonic, appeared)
        return Changes(tuple(appeared), tuple(gone))

    def _meet(self, pid: int, monotonic: float, wall: float, appeared: list[Reading]) -> None:
        try:
            reading = self._source.read(self._source.key(pid))
        except GoneError:
            return
        self._known[pid] = _Known(reading.key, reading.exe)
        self._turn.append(pid)
        age = max(0.0, wall - reading.key.started)
        self._young.extend((monotonic + at - age, reading.key) for at in YOUNG_SECONDS if at > age)
        appeared.append(reading)

    def _suspects(self, tracked: Collection[int]) -> set[int]:
        suspects = {pid for pid in tracked if pid in self._known}
        for _ in range(min(CHECKED_EACH_TIME, len(self._turn))):
            pid = self._turn.popleft()
            if pid in self._known:
                self._turn.append(pid)
                suspects.add(pid)
        return suspects

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
                exe = self._source.exe(key.pid)
                if exe != known.exe:
                    known.exe = exe
                    appeared.append(self._source.read(key))
            except GoneError:
                continue
        self._young = waiting
