"""Looks at what is installed when something there has changed and come to rest, and hands on what it recognises as a messenger.

A package that is installed or renewed touches many files within moments; one look follows when it has been quiet for a while. Where the
system does not tell, or a folder is not there yet, a minute passes at most: then the times of the folders are compared, which costs nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from agent.clock import Clock
from agent.errors import StateError, UnreadableApplicationsError
from agent.installations import FoundInstalled, Installations
from agent.problems import CANNOT_WRITE, Problems
from agent.resting import EVERY_SECONDS, Resting
from agent.sensing.applications import Applications, CannotLookError
from agent.sensing.folder_watch import FolderWatch, NoWatchError
from contract.local import Noticing
from contract.matching import Matcher

AT_ONCE = 20
"""After how many applications others have their turn."""
PROBLEM = "installed"
_Watched = tuple[tuple[Path, int], ...]


class InstallWatch:
    """Owns the rhythm of looking at what is installed.

    Args:
        applications: what is installed.
        watch: tells of changes.
        matcher: gives what messengers are known by now.
        installations: takes what is found.
        own_uid: the user whose agent this is.
        report: called when something waits to leave.
        changed: called when the picture that people see is another.
    """

    def __init__(
        self,
        applications: Applications,
        watch: FolderWatch,
        matcher: Callable[[], Matcher],
        installations: Installations,
        own_uid: int,
        clock: Clock,
        problems: Problems,
        report: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._applications, self._matcher = applications, matcher
        self._resting = Resting(watch, clock)
        self._installations, self._own_uid, self._clock = installations, own_uid, clock
        self._problems, self._report, self._changed = problems, report, changed
        self._watched: _Watched | None = None
        self._failed_at: float | None = None
        self.means = Noticing("polling", "Whether the system tells of it is being tried.")
        """How changes are noticed."""

    async def run(self) -> None:
        """Look until cancelled."""
        self.look_again()
        try:
            while True:
                await self._resting.wait()
                await self.step()
        finally:
            self._resting.end()

    def look_again(self) -> None:
        """Look soon: messengers are known by something else now."""
        self._resting.change()
        self._resting.wake()

    def settle_soon(self) -> None:
        """See soon whether something may be reported now that could not be before."""
        self._resting.wake()

    async def step(self) -> None:
        """See what changed, look if it has come to rest, and report what may be."""
        self._watch_what_is_there()
        now = self._clock.monotonic()
        is_time_again = self._failed_at is not None and now - self._failed_at >= EVERY_SECONDS
        if not self._resting.is_changing and (is_time_again or self._has_changed()):
            self._resting.change()
        if self._resting.is_due:
            await self._look()
        else:
            self._keep(self._installations.settle)

    def _has_changed(self) -> bool:
        return self._failed_at is None and self._applications.has_changed()

    async def _look(self) -> None:
        self._resting.rest()
        try:
            found = [one async for one in self._recognised()]
        except CannotLookError as error:
            self._failed_at = self._clock.monotonic()
            if self._problems.report(PROBLEM, UnreadableApplicationsError(str(error))):
                self._changed()
            return
        self._failed_at = None
        if self._problems.clear(PROBLEM):
            self._changed()
        self._keep(lambda now: self._installations.take(found, now))

    async def _recognised(self) -> AsyncIterator[FoundInstalled]:
        matcher = self._matcher()
        for number, application in enumerate(self._applications.read(), start=1):
            match = matcher.match(application.facts)
            if match is not None:
                yield FoundInstalled(match, self._own_uid if application.is_own else None)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _keep(self, write: Callable[[datetime], bool]) -> None:
        """Write what follows; a full disk puts it off, and nothing is lost: the whole picture is taken again."""
        try:
            if write(self._clock.now()):
                self._report()
        except StateError as error:
            self._resting.change(EVERY_SECONDS)
            if self._problems.report(CANNOT_WRITE, error):
                self._changed()

    def _watch_what_is_there(self) -> None:
        """Watch other folders once others are there: one that was made anew is another one, too."""
        there = tuple(_there(self._applications.folders()))
        if there == self._watched:
            return
        self._watched = there
        before, self.means = self.means, self._begin([folder for folder, _ in there])
        if self.means != before:
            self._changed()

    def _begin(self, folders: list[Path]) -> Noticing:
        try:
            self._resting.watch(folders)
        except NoWatchError as error:
            return Noticing("polling", error.why, error.remedy)
        if not folders:
            return Noticing("polling", "There is no folder yet that applications are installed in.")
        return Noticing("events")


def _there(folders: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    for folder in folders:
        with contextlib.suppress(OSError):
            yield folder, folder.stat().st_ino
