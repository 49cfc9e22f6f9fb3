"""Looks into the download folders of work profiles when something there has come to rest; once a minute where nobody tells."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from agent.clock import Clock
from agent.errors import StateError
from agent.install_watch import EVERY_SECONDS, Settling
from agent.problems import CANNOT_WRITE, Problems
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
        self._work, self._watch, self._unretained, self._oldest = work, watch, unretained, oldest
        self._clock, self._problems, self._report, self._changed = clock, problems, report, changed
        self._settling = Settling()
        self._woken = asyncio.Event()
        self._watched: tuple[Path, ...] = ()
        self._is_told = False

    async def run(self) -> None:
        """Look until cancelled."""
        self._settling.change(self._clock.monotonic())
        try:
            while True:
                await self._wait()
                self.step()
        finally:
            self._watch.end()

    def step(self) -> None:
        """Look if changes have come to rest, and report what is over."""
        now = self._clock.monotonic()
        if self._work is not None and (not self._is_told or folders(self._work) != self._watched):
            self._begin(folders(self._work))
            self._settling.change(now)
        if self._settling.due is not None and self._settling.due <= now:
            self._settling.rest()
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
            self._settling.change(self._clock.monotonic() + EVERY_SECONDS)
            if self._problems.report(CANNOT_WRITE, error):
                self._changed()
        if self._unretained.waiting() != before:
            self._changed()

    def _begin(self, there: tuple[Path, ...]) -> None:
        self._watched, self._is_told = there, False
        if not there:
            self._watch.end()
            return
        loop = asyncio.get_running_loop()

        def told() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has closed; nobody asks any more
                loop.call_soon_threadsafe(self._told)

        with contextlib.suppress(NoWatchError):
            self._watch.begin(there, told)
            self._is_told = True

    def _told(self) -> None:
        if self._settling.due is None:
            self._woken.set()
        self._settling.change(self._clock.monotonic())

    async def _wait(self) -> None:
        due = self._settling.due
        seconds = EVERY_SECONDS if due is None else min(EVERY_SECONDS, due - self._clock.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._woken.wait()
        self._woken.clear()
