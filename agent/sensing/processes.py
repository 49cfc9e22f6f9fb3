"""Notices processes that start, change their executable and end: by what the system tells, or by comparing lists of pids.

Told of a process, it asks about that one alone, and lists all only now and then, to be safe. Where nobody tells, only a pid that was
not there before is asked about, and while the system says that nothing has started, not even the list is read: only whether what
somebody relies on is still there. There a young process is looked at again at 1, 3 and 10 seconds of age, since a program is started
by a fork whose executable changes a moment later. A pid that was used again between two looks has another start time, so that one
pid is checked at each list, in turns: a pid is used again only after thousands of others.
"""

from collections import deque
from collections.abc import Collection, Iterator, Sequence

import msgspec

from agent.sensing.process_events import NOTHING, Told
from agent.sensing.process_source import GoneError, Image, ProcessKey, ProcessSource, Reading

YOUNG_SECONDS = (1.0, 3.0, 10.0)
"""Ages at which a process is looked at again."""
ENDING_SECONDS = (0.02, 0.1, 0.5, 2.0)
"""When a process is looked at again whose first thread has ended, and others not yet."""
LISTED_AT_LEAST_EVERY_SECONDS = 10.0
"""How often all pids are listed although the system says that none is new: ends are noticed by it, too."""
TRUSTING_LISTED_EVERY_SECONDS = 30.0
"""The same where the system tells of every start: what it did not tell is a fork that executed nothing."""
LISTED_AT_MOST_EVERY_SECONDS = 1.0
"""How often all pids are listed because something was lost: no more often than looking would."""


class Changes(msgspec.Struct, frozen=True):
    """What changed since the last look."""

    appeared: tuple[Reading, ...]
    """New processes, and those that run something else now."""
    gone: tuple[ProcessKey, ...]
    untold: int | None = None
    """How many were found by listing all that nobody had told of; None if they were not listed."""


class _Known(msgspec.Struct):
    key: ProcessKey
    image: Image
    met: float


class _Look(msgspec.Struct):
    """One look, and what it has found so far."""

    monotonic: float
    wall: float
    tracked: Collection[int]
    trusts: bool
    appeared: list[Reading]
    gone: list[ProcessKey]


class ProcessWatch:
    """Owns the list of processes that were there at the last look.

    Args:
        source: where processes are read from.
    """

    def __init__(self, source: ProcessSource) -> None:
        self._source = source
        self._known: dict[int, _Known] = {}
        self._young: deque[tuple[float, ProcessKey]] = deque()
        self._ending: deque[tuple[float, ProcessKey]] = deque()
        self._turn: Iterator[int] = iter(())
        self._relied_turn = 0
        self._newest: int | None = None
        self._listed_at = float("-inf")
        self._list_again = 0.0
        self._has_lost = False
        self._looked_at: float | None = None
        self._reads_again = False

    @property
    def due(self) -> float:
        """When, on the clock that never jumps, it has to look again although nothing is told."""
        return min([self._list_again, *(at for at, _ in self._young), *(at for at, _ in self._ending)])

    def look(
        self,
        monotonic: float,
        wall: float,
        tracked: Collection[int] = (),
        told: Told = NOTHING,
        *,
        trusts: bool = False,
    ) -> Changes:
        """Return what changed.

        Args:
            monotonic: seconds now, on a clock that never jumps.
            wall: seconds since the epoch now; tells how young a process is that was there before.
            tracked: pids that somebody relies on.
            told: what the system told since the last look.
            trusts: whether it tells of every start and end.
        """
        look = _Look(monotonic, wall, tracked, trusts, [], [])
        if self._reads_again:
            self._reads_again = False
            self._read_again(look)
        if told.lost:
            self._has_lost = True
            self._list_soon(look)
        self._follow(told, look)
        untold = self._list(look) if self._is_list_due(look) else None
        if untold is not None or not trusts:
            self._check_relied(look)
        if untold is not None:
            self._check_in_turn(look)
        self._look_again(look)
        self._look_for_ends(look)
        self._looked_at = monotonic
        return Changes(tuple(look.appeared), tuple(look.gone), untold)

    def expect_ends(self, pids: Collection[int], monotonic: float) -> None:
        """Look soon whether these are still there: they may have ended before it was asked to be told of that."""
        known = (self._known[pid].key for pid in pids if pid in self._known)
        self._ending.extend((monotonic + ENDING_SECONDS[0], key) for key in known)

    def read_all_again(self) -> None:
        """Take everything that is there for new at the next look."""
        self._reads_again = True

    def _read_again(self, look: _Look) -> None:
        for known in self._known.values():
            try:
                look.appeared.append(self._source.read(known.key))
            except GoneError:
                continue  # that it has ended is noticed in its own time

    def _follow(self, told: Told, look: _Look) -> None:
        """Take what was told as a hint where to look."""
        for pid, kind in told.happened.items():
            known = self._known.get(pid)
            if kind == "started":
                if known is None:
                    self._meet(pid, look)
                elif self._is_same(known, look):
                    self._glance(known, look)
            elif known is not None:
                if pid in look.tracked:
                    # A program that goes on in the background forks and ends: of its other half nobody tells.
                    self._list_soon(look)
                if self._is_same(known, look):
                    self._ending.extend((look.monotonic + after, known.key) for after in ENDING_SECONDS)

    def _list_soon(self, look: _Look) -> None:
        at = max(look.monotonic, self._listed_at + LISTED_AT_MOST_EVERY_SECONDS)
        self._list_again = min(self._list_again, at)

    def _is_list_due(self, look: _Look) -> bool:
        if look.monotonic >= self._list_again:
            return True
        if look.trusts:
            return False
        newest = self._source.newest()
        return newest is None or newest != self._newest

    def _list(self, look: _Look) -> int:
        """Compare with the list of all; return how many were not known."""
        seldom = TRUSTING_LISTED_EVERY_SECONDS if look.trusts else LISTED_AT_LEAST_EVERY_SECONDS
        self._newest, self._listed_at = self._source.newest(), look.monotonic
        self._list_again = look.monotonic + seldom
        if self._has_lost:
            self._has_lost = False
            self._glance_at_young(look)
        present = set(self._source.pids())
        look.gone.extend(self._known.pop(pid).key for pid in self._known.keys() - present)
        met = len(look.appeared)
        for pid in present - self._known.keys():
            self._meet(pid, look)
        return len(look.appeared) - met

    def _glance_at_young(self, look: _Look) -> None:
        """Look again at what was new a moment ago: that it has become another program may be what was lost."""
        for known in tuple(self._known.values()):
            if look.monotonic - known.met <= YOUNG_SECONDS[-1]:
                self._glance(known, look)

    def _meet(self, pid: int, look: _Look) -> None:
        try:
            reading = self._source.read(self._source.key(pid))
        except GoneError:
            return
        self._known[pid] = _Known(reading.key, reading.image, look.monotonic)
        look.appeared.append(reading)
        if look.trusts:
            return
        age = max(0.0, look.wall - reading.key.started)
        if self._looked_at is not None:
            # It was not there at the last look, whatever the wall clock says since it was set.
            age = min(age, look.monotonic - self._looked_at)
        self._young.extend((look.monotonic + at - age, reading.key) for at in YOUNG_SECONDS if at > age)

    def _check_relied(self, look: _Look) -> None:
        """Look whether what somebody relies on is still there; a zombie among them is found in turn."""
        relied = [pid for pid in look.tracked if pid in self._known]
        look.gone.extend(self._known.pop(pid).key for pid in relied if not self._source.is_there(pid))
        left = [pid for pid in relied if pid in self._known]
        if left:
            self._relied_turn = (self._relied_turn + 1) % len(left)
            self._is_same(self._known[left[self._relied_turn]], look)

    def _check_in_turn(self, look: _Look) -> None:
        for pid in self._turn:
            if pid in self._known:
                self._is_same(self._known[pid], look)
                return
        self._turn = iter(tuple(self._known))

    def _is_same(self, known: _Known, look: _Look) -> bool:
        """Tell whether the pid is still the same process's; if not, take note of what became of it."""
        try:
            if self._source.key(known.key.pid) == known.key:
                return True
        except GoneError:
            look.gone.append(self._known.pop(known.key.pid).key)
            return False
        look.gone.append(self._known.pop(known.key.pid).key)
        self._meet(known.key.pid, look)
        return False

    def _glance(self, known: _Known, look: _Look) -> None:
        """Take note if it runs something else now."""
        try:
            image = self._source.image(known.key.pid)
            if image != known.image:
                known.image = image
                look.appeared.append(self._source.read(known.key))
        except GoneError:
            return

    def _look_again(self, look: _Look) -> None:
        for known in self._those_due(self._young, look):
            self._glance(known, look)

    def _look_for_ends(self, look: _Look) -> None:
        for known in self._those_due(self._ending, look):
            if not self._is_same(known, look):
                self._ending = deque(one for one in self._ending if one[1] != known.key)

    def _those_due(self, waiting: deque[tuple[float, ProcessKey]], look: _Look) -> Sequence[_Known]:
        """Take out those whose time has come, each once, and leave out who is no more."""
        due: dict[int, _Known] = {}
        for _ in range(len(waiting)):
            at, key = waiting.popleft()
            known = self._known.get(key.pid)
            if known is None or known.key != key:
                continue
            if at > look.monotonic:
                waiting.append((at, key))
            else:
                due[key.pid] = known
        return tuple(due.values())
