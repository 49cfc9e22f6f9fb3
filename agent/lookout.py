"""Looks at the list of processes in turns and hands to the desk what it recognises as a messenger."""

import asyncio
from collections.abc import Callable, Iterable

from agent.clock import Clock
from agent.compliance import Found
from agent.desk import Desk
from agent.identify import complete
from agent.profiles import Signals, classify
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.process_source import GoneError, ProcessSource, Reading
from agent.sensing.processes import ProcessWatch
from contract.matching import Matcher
from contract.policy import Ownership


class Lookout:
    """Owns the rhythm of looking.

    Args:
        only_uid: the one user whose processes count; None for everybody's. A user's own agent looks at nobody else.
    """

    def __init__(
        self,
        watch: ProcessWatch,
        source: ProcessSource,
        entries: DesktopIndex,
        matcher: Matcher,
        desk: Desk,
        clock: Clock,
        ownership: Ownership,
        only_uid: int | None,
    ) -> None:
        self._watch, self._source, self._entries, self._matcher = watch, source, entries, matcher
        self._desk, self._clock, self._only_uid = desk, clock, only_uid
        self._signals = Signals(ownership=ownership)

    async def run(self, pause_seconds: Callable[[], float]) -> None:
        """Look until cancelled; how long to pause is asked each time."""
        while True:
            self.look()
            await asyncio.sleep(pause_seconds())

    def look(self) -> None:
        """Look once."""
        changes = self._watch.look(
            self._clock.monotonic(), self._clock.now().timestamp(), self._desk.tracked_pids()
        )
        if changes.appeared or changes.gone:
            found = list(self._recognise(changes.appeared))
            changed = [
                reading.key for reading in changes.appeared if reading.key not in {f.key for f in found}
            ]
            self._desk.take(found, changes.gone, changed)

    def _recognise(self, readings: Iterable[Reading]) -> Iterable[Found]:
        for reading in readings:
            match = self._matcher.match(complete(reading.facts, self._entries))
            if match is None:
                continue
            try:
                uid = self._source.uid(reading.key.pid)
            except GoneError:
                continue
            if self._only_uid in {None, uid}:
                yield Found(reading.key, uid, match, classify(self._signals))
