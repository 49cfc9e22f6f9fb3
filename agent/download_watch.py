"""Looks into the download folders of work profiles when something there has come to rest; once a minute where nobody tells."""

import contextlib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from agent.clock import Clock
from agent.errors import StateError
from agent.problems import CANNOT_WRITE, Problems
from agent.resting import EVERY_SECONDS, Resting
from agent.sensing.downloads import downloads, folders
from agent.sensing.folder_watch import FolderWatch, NoWatchError
from agent.unretained import Unretained


class DownloadWatch:
    """Owns when it is looked; what was found is `Unretained`'s.

    Args:
        work: the folder of all work profiles; None for an agent that serves no one person.
        watch: tells of changes.
        unretained: takes what is found.
        oldest: gives the first day that is kept.
        clock: the device's.
        problems: where a full disk is told.
        report: called when something waits to leave.
        changed: called when the picture that people see is another.
    """

    def __init__(
        self,
        work: Path | None,
        watch: FolderWatch,
        unretained: Unretained,
        oldest: Callable[[], date],
        clock: Clock,
        problems: Problems,
        report: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._work, self._unretained, self._oldest = work, unretained, oldest
        self._clock, self._problems, self._report, self._changed = clock, problems, report, changed
        self._resting = Resting(watch, clock)
        self._watched: tuple[Path, ...] = ()
        self._is_told = False
        """Whether the system tells of changes in what is watched."""

    async def run(self) -> None:
        """Look until cancelled."""
        self._resting.change()
        try:
            while True:
                await self._resting.wait()
                self.step()
        finally:
            self._resting.end()

    def step(self) -> None:
        """See what changed, look if it has come to rest, and report what is over."""
        there = () if self._work is None else folders(self._work)
        if there != self._watched:
            self._begin(there)
            self._resting.change()
        elif there and not self._is_told and not self._resting.is_changing:
            self._resting.change()
        if self._resting.is_due:
            self._resting.rest()
            self._keep(self._take)
        else:
            self._keep(self._unretained.settle)

    def _take(self, now: datetime) -> bool:
        found = () if self._work is None else downloads(self._work)
        return self._unretained.take(found, now, self._oldest())

    def _keep(self, write: Callable[[datetime], bool]) -> None:
        """Write what follows; a full disk puts it off, and nothing is lost: the whole picture is taken again."""
        before = self._unretained.waiting()
        try:
            if write(self._clock.now()):
                self._report()
        except StateError as error:
            self._resting.change(EVERY_SECONDS)
            if self._problems.report(CANNOT_WRITE, error):
                self._changed()
        if self._unretained.waiting() != before:
            self._changed()

    def _begin(self, there: tuple[Path, ...]) -> None:
        self._watched, self._is_told = there, False
        with contextlib.suppress(NoWatchError):
            self._resting.watch(there)
            self._is_told = True
