"""Folders that an application or a script fills with what it retains: when each was last written to, and nothing else.

Only the time at which the newest file lying directly in a folder was changed is read. No name is kept, no file is opened, no link is followed.
"""

import asyncio
import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from agent.errors import ExportFolderError
from agent.problems import Problems
from agent.reporting.background import in_background
from agent.sensing.folder_watch import FolderWatch, NoWatchError, watch_here
from contract.capture import Word

ENTRIES_AT_MOST = 10_000
"""How many entries of a folder are looked at; an export with more needs a folder for what is new."""
EVERY_SECONDS = 60.0
QUIET_SECONDS = 2.0
"""What is written within this time is looked at once."""
_PROBLEM = "export_folder: "
_LAST_YEAR = 9998


class Look(msgspec.Struct, frozen=True):
    """What one look into a folder found."""

    newest: datetime | None
    """When its newest file was changed, by this device's clock; None without a file."""
    trouble: str | None = None
    """Why it says nothing."""


def look(folder: str) -> Look:
    """Look into a folder."""
    place = Path(folder)  # without a slash at its end, which would follow a link
    try:
        if not stat.S_ISDIR(os.lstat(place).st_mode):
            return Look(None, "is no folder, or a link to one")
        with os.scandir(place) as entries:
            return _newest(entries)
    except OSError as error:
        return Look(None, f"cannot be read ({error.strerror or error})")


def _newest(entries: Iterable["os.DirEntry[str]"]) -> Look:
    newest: float | None = None
    for number, entry in enumerate(entries):
        if number == ENTRIES_AT_MOST:
            return Look(None, f"holds more than {ENTRIES_AT_MOST:,} entries")
        with contextlib.suppress(OSError):  # it has gone since
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and (newest is None or status.st_mtime > newest):
                newest = status.st_mtime
    return Look(None if newest is None else _moment(newest))


def _moment(seconds: float) -> datetime | None:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment if 2 <= moment.year <= _LAST_YEAR else None


class ExportFolders:
    """A way in which connectors report: owns the rhythm of looking, and what the last look found.

    Args:
        folders: by connector, as the settings name them.
        watch: tells of changes.
        is_clock_believed: whether files' times can be compared with anything; while they cannot, what was known stays.
        problems: told of folders that say nothing.
        changed: called when another thing is known than before.
    """

    def __init__(
        self,
        folders: Mapping[str, str],
        watch: FolderWatch,
        is_clock_believed: Callable[[], bool],
        problems: Problems,
        changed: Callable[[], None],
    ) -> None:
        self._folders, self._watch, self._is_clock_believed = dict(folders), watch, is_clock_believed
        self._problems, self._changed = problems, changed
        self._woken = asyncio.Event()
        self._watched: frozenset[str] | None = None
        self._found: dict[str, Look] = {}

    def words(self) -> Iterable[Word]:
        """Return what the last look found."""
        for connector, found in self._found.items():
            is_read = found.trouble is None
            yield Word(connector=connector, heard_at=found.newest, trouble=None if is_read else "unreadable")

    async def run(self) -> None:
        """Look until cancelled; without folders, never."""
        if not self._folders:
            await asyncio.Event().wait()
        try:
            while True:
                await self.step()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_SECONDS):
                        await self._woken.wait()
                        await asyncio.sleep(QUIET_SECONDS)
        finally:
            self._watch.end()

    async def step(self) -> None:
        """Look once, in a thread: a folder may lie on another machine, and that may not answer."""
        self._woken.clear()
        folders = tuple(self._folders.values())
        looks = await in_background(lambda: [look(folder) for folder in folders], "export folders")
        readable = [folder for folder, one in zip(folders, looks, strict=True) if one.trouble is None]
        self._watch_what_is_there(readable)
        self._take(dict(zip(self._folders, looks, strict=True)))

    def _take(self, looks: Mapping[str, Look]) -> None:
        is_other = False
        for connector, one in looks.items():
            is_other = self._tell(connector, one.trouble) or is_other
            if one.trouble is None and not self._is_clock_believed():
                continue
            is_other = self._found.get(connector) != one or is_other
            self._found[connector] = one
        if is_other:
            self._changed()

    def _tell(self, connector: str, trouble: str | None) -> bool:
        code = _PROBLEM + connector
        if trouble is None:
            return self._problems.clear(code)
        return self._problems.report(code, ExportFolderError(connector, self._folders[connector], trouble))

    def _watch_what_is_there(self, folders: Iterable[str]) -> None:
        there = frozenset(folders)
        if there == self._watched:
            return
        self._watched = there
        # Where the system does not tell, the next look is a minute away at most, and no limit is shorter than an hour.
        with contextlib.suppress(NoWatchError):
            watch_here(self._watch, [Path(folder) for folder in there], self._woken.set)
