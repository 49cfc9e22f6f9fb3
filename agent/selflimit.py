"""The agent's own limits: what it may cost, when it slows down, and what it says of that.

The outer bar is osquery's for its worker (its documentation of the watchdog, 2026-11): a tenth of a processor over 12 seconds, and
200 MB. osquery's is killed and started anew; this one looks at the processes less often, and says so.

>>> pace, second = Pace(), 0.0
>>> for busy_seconds in (0.0, 0.1, 0.2, 1.7):  # every 4 s; the last 4 s were busy
...     pace = paced(pace, Usage(second, busy_seconds, 30_000_000))
...     second += 4.0
>>> pace.slower, pace.reason
(2, 'processor')
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Literal

import msgspec
import psutil

from agent.clock import Clock
from agent.errors import OverLimitError, StateError
from agent.journal import Journal
from agent.privacy import Door
from agent.problems import Problems
from agent.reporting.outbox import Outbox
from agent.rhythm import within_reason
from agent.store import Store
from contract.observations import Trouble

Reason = Literal["processor", "memory"]
EVERY_SECONDS = 4.0
SLOWEST = 16
"""How many times longer than usual the pause between two looks becomes at most."""
QUIET_SECONDS = 60.0
"""How long it keeps well below its limits before it looks faster again, one step at a time."""
WELL_BELOW = 0.8
PROBLEM = "over_limit"
_DETAILS: dict[Reason, str] = {
    "processor": "It used more than a tenth of a processor for 12 seconds, so it looks at what runs less often for a while.",
    "memory": "It held more than 200 MB of memory for 12 seconds, so it looks at what runs less often for a while.",
}


class Usage(msgspec.Struct, frozen=True):
    """What this process has used, at a moment of a clock that never jumps."""

    at_seconds: float
    processor_seconds: float
    memory_bytes: int


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is too much, and for how long."""

    processor_share: float = 0.10
    memory_bytes: int = 200 * 1024 * 1024
    over_seconds: float = 12.0


USUAL = Limits()


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast the agent goes, and what it remembers to decide that."""

    recent: tuple[Usage, ...] = ()
    """As far back as the limits ask for, the oldest first."""
    slower: int = 1
    """How many times longer than usual it pauses."""
    reason: Reason | None = None
    """Why it goes slower; None at its usual pace."""
    changed_at_seconds: float = 0.0
    """When it last changed its pace, or was not well below its limits."""


def paced(pace: Pace, usage: Usage, limits: Limits = USUAL) -> Pace:
    """Return the pace after one more measurement. Pure.

    An episode, from the first step down until the usual pace has been kept quietly, has one reason: the latest.
    """
    recent = (*pace.recent, usage)
    while len(recent) > 1 and recent[1].at_seconds <= usage.at_seconds - limits.over_seconds:
        recent = recent[1:]
    pace, now = msgspec.structs.replace(pace, recent=recent), usage.at_seconds
    exceeded = _exceeded(recent, limits)
    if exceeded is not None:
        slower = min(SLOWEST, pace.slower * 2)
        return Pace(recent=(usage,), slower=slower, reason=exceeded, changed_at_seconds=now)
    if pace.reason is None:
        return pace
    if not _is_well_below(recent, limits):
        return msgspec.structs.replace(pace, changed_at_seconds=now)
    if now - pace.changed_at_seconds < QUIET_SECONDS:
        return pace
    if pace.slower == 1:
        return Pace(recent=recent, changed_at_seconds=now)
    return msgspec.structs.replace(pace, slower=pace.slower // 2, changed_at_seconds=now)


def _exceeded(recent: tuple[Usage, ...], limits: Limits) -> Reason | None:
    if recent[-1].at_seconds - recent[0].at_seconds < limits.over_seconds:
        return None
    if _share(recent) > limits.processor_share:
        return "processor"
    if min(one.memory_bytes for one in recent) > limits.memory_bytes:
        return "memory"
    return None


def _is_well_below(recent: tuple[Usage, ...], limits: Limits) -> bool:
    return (
        _share(recent) < WELL_BELOW * limits.processor_share
        and recent[-1].memory_bytes < WELL_BELOW * limits.memory_bytes
    )


def _share(recent: tuple[Usage, ...]) -> float:
    """Return the share of one processor that was used between the first and the last measurement."""
    seconds = recent[-1].at_seconds - recent[0].at_seconds
    return (recent[-1].processor_seconds - recent[0].processor_seconds) / seconds if seconds > 0 else 0.0


class Meter:
    """Measures this process; one measurement costs about 20 microseconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._process = clock, psutil.Process()

    def __call__(self) -> Usage:
        """Return what this process has used so far; memory is what is resident, shared libraries among it."""
        memory_bytes = int(self._process.memory_info().rss)
        return Usage(self._clock.monotonic(), time.process_time(), memory_bytes)


class SelfLimit:
    """Owns the pace of looking.

    Args:
        measure: tells what this process has used.
        changed: called when people should see another picture.
    """

    def __init__(
        self,
        measure: Callable[[], Usage],
        store: Store,
        journal: Journal,
        outbox: Outbox,
        door: Door,
        clock: Clock,
        problems: Problems,
        changed: Callable[[], None],
    ) -> None:
        self._measure = measure
        self._store, self._journal, self._outbox, self._door = store, journal, outbox, door
        self._clock, self._problems, self._changed = clock, problems, changed
        self._pace = Pace()
        self._untold: Trouble | None = None

    def slowed(self, usual_seconds: float) -> float:
        """Return how long a pause that is usually so long is to be now."""
        return within_reason(usual_seconds, usual_seconds * self._pace.slower)

    async def run(self) -> None:
        """Watch over this process until cancelled."""
        while True:
            self.check()
            await asyncio.sleep(EVERY_SECONDS)

    def check(self) -> None:
        """Measure once, and act on it."""
        before = self._pace
        self._pace = paced(before, self._measure())
        if self._pace.reason is not None and before.reason is None:
            self._begin(self._pace.reason)
        elif self._pace.reason is None and self._problems.clear(PROBLEM):
            self._changed()
        if self._untold is not None:
            self._tell(self._untold)

    def _begin(self, reason: Reason) -> None:
        error = OverLimitError(_DETAILS[reason])
        if self._problems.report(PROBLEM, error):
            self._changed()
        self._untold = Trouble(code=PROBLEM, detail=error.detail, at=self._clock.now())

    def _tell(self, trouble: Trouble) -> None:
        """Write it down and report it, once; a disk that is full puts it off."""
        with contextlib.suppress(StateError), self._store.transaction():
            self._journal.append("trouble", trouble, trouble.at)
            cleared = self._door.clear_device(trouble, trouble.at)
            if cleared is not None:
                self._outbox.add(cleared)
            self._untold = None
