"""Looks at processes, when the system tells of some or in turns, and hands to the desk what it recognises as a messenger."""

import asyncio
from collections.abc import Callable, Iterable

from agent.clock import Clock
from agent.compliance import Found
from agent.desk import Desk
from agent.identify import complete
from agent.rhythm import pause_seconds, rest_seconds
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.noticing import Noticing
from agent.sensing.process_source import GoneError, ProcessSource, Reading
from agent.sensing.processes import ProcessWatch
from agent.sides import Sides
from contract.matching import Matcher


class Lookout:
    """Owns the rhythm of looking.

    Args:
        matcher: gives what messengers are known by now.
        sides: says whose side each is on.
        set_seconds: the pause between two looks where nobody tells of starts, as the settings have it.
        someone_there: tells whether a person uses this device, as far as is known.
        busy: tells how many seconds of a processor this thread has used so far.
        only_uid: the one user whose processes count; None for everybody's. A user's own agent looks at nobody else.
    """

    def __init__(
        self,
        watch: ProcessWatch,
        noticing: Noticing,
        source: ProcessSource,
        entries: DesktopIndex,
        matcher: Callable[[], Matcher],
        desk: Desk,
        clock: Clock,
        sides: Sides,
        set_seconds: float,
        someone_there: Callable[[], bool],
        busy: Callable[[], float],
        only_uid: int | None,
    ) -> None:
        self._watch, self._noticing = watch, noticing
        self._source, self._entries, self._matcher = source, entries, matcher
        self._desk, self._clock, self._only_uid = desk, clock, only_uid
        self._set_seconds, self._someone_there, self._busy = set_seconds, someone_there, busy
        self._sides = sides
        self._woken = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None
        self._new_at = clock.monotonic()
        self._followed: frozenset[int] = frozenset()

    async def run(self, slowed: Callable[[float], float]) -> None:
        """Look until cancelled; how much slower than usual is asked each time."""
        try:
            while True:
                busy = self._busy()
                self.look()
                rested_at = self._clock.monotonic() + slowed(rest_seconds(self._busy() - busy))
                self._wake_at(self._next_at(slowed))
                await self._woken.wait()
                rest = rested_at - self._clock.monotonic()
                if rest > 0:
                    await asyncio.sleep(rest)
                self._woken.clear()
        finally:
            self._wake_at(None)
            self._noticing.close()

    def look(self) -> None:
        """Look once."""
        now = self._clock.monotonic()
        told = self._noticing.take(now, self._woken.set)
        tracked = self._desk.tracked_pids()
        changes = self._watch.look(
            now, self._clock.now().timestamp(), tracked, told, trusts=self._noticing.by_events
        )
        self._noticing.compare(changes, now)
        self._sides.forget(changes.gone)
        if changes.appeared:
            self._new_at = now
        found = list(self._recognise(changes.appeared))
        recognised = {one.key for one in found}
        other = (one.key for one in changes.appeared if one.key not in recognised)
        became_other = [key for key in other if key.pid in tracked]
        ended = [key for key in changes.gone if key.pid in tracked]
        if found or ended or became_other:
            self._desk.take(found, ended, became_other)
            tracked = self._desk.tracked_pids()
        self._watch.expect_ends(tracked - self._followed, now)
        self._noticing.follow(tracked)
        self._followed = tracked

    def wake(self) -> None:
        """Look soon: the end of another process matters now."""
        self._woken.set()

    def look_again(self) -> None:
        """Look again at everything that runs, and soon: messengers are known by something else now."""
        self._watch.read_all_again()
        self._woken.set()

    def _next_at(self, slowed: Callable[[float], float]) -> float:
        """Return when to look again although nothing was told."""
        if self._noticing.by_events:
            return self._watch.due
        now = self._clock.monotonic()
        return now + slowed(
            pause_seconds(
                self._set_seconds,
                now - self._new_at,
                someone_there=self._someone_there(),
                tells_applications=self._noticing.tells_applications,
            )
        )

    def _wake_at(self, monotonic: float | None) -> None:
        """Set the alarm; one that is set already costs nothing."""
        if monotonic == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._alarm_at = None, monotonic
        if monotonic is not None:
            after = max(0.0, monotonic - self._clock.monotonic())
            self._alarm = asyncio.get_running_loop().call_later(after, self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_at = None
        self._woken.set()

    def _recognise(self, readings: Iterable[Reading]) -> Iterable[Found]:
        matcher = self._matcher()
        for reading in readings:
            match = matcher.match(complete(reading.facts, self._entries))
            if match is None:
                continue
            try:
                uid = self._source.uid(reading.key.pid)
                if self._only_uid in {None, uid}:
                    side = self._sides.of_process(reading, uid, match.messenger)
                    yield Found(reading.key, uid, match, side)
            except GoneError:
                continue
