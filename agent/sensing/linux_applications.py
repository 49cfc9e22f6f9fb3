"""Installed applications of Linux: desktop entries, of the system and the user, of Flatpak and of snap."""

import os
from collections.abc import Iterator
from pathlib import Path

from agent.sensing.applications import Application, CannotLookError, changed_at
from agent.sensing.desktop_entries import DesktopIndex, locate_program
from agent.sensing.desktop_files import DesktopEntry, Locate
from agent.sensing.installed import facts_of_application


class LinuxApplications:
    """An `Applications` for Linux.

    Args:
        index: the desktop entries, which processes are recognised by, too.
        home: the folder below which everything is this user's alone.
        locate: finds programs.
    """

    def __init__(self, index: DesktopIndex, home: Path, locate: Locate = locate_program) -> None:
        self._index, self._home, self._locate = index, home, locate
        self._as_read: tuple[tuple[Path, int], ...] | None = None

    def folders(self) -> tuple[Path, ...]:
        """Return the folders of desktop entries."""
        return self._index.folders

    def has_changed(self) -> bool:
        """Tell whether a folder, or one within that was met, changed since; the index may have been read again meanwhile."""
        return self._as_read is None or any(changed_at(folder) != at for folder, at in self._as_read)

    def read(self) -> Iterator[Application]:
        """Give the applications whose program is there."""
        for folder in self._index.folders:
            _make_sure_of(folder)
        entries = self._index.all()
        self._as_read = self._index.looked_into
        for entry in entries:
            facts = facts_of_application(entry, self._locate)
            if facts.exe is not None or not _names_a_file(entry):
                yield Application(facts, is_own=Path(entry.file).is_relative_to(self._home))


def _names_a_file(entry: DesktopEntry) -> bool:
    """Tell whether an entry says by itself which file it starts; it may outlive that file. A mere name may be found by others."""
    is_contained = entry.flatpak_id is not None or entry.snap is not None
    return entry.command[0].startswith("/") and not is_contained


def _make_sure_of(folder: Path) -> None:
    """Raise CannotLookError for a folder that is there and cannot be read: what lies in it has not gone."""
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise CannotLookError(f"{folder} cannot be read ({error.strerror}).") from error
