"""Desktop entries: which installed application a process belongs to.

The files may be anybody's, so how much is read of them is bounded, and a file that is not of the agreed form is passed over.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from agent.sensing.app_images import AppImages, root_of
from agent.sensing.applications import changed_at
from agent.sensing.bus_services import bus_command, bus_name
from agent.sensing.copies import build_id_of_file, by_build_id, may_be_copy
from agent.sensing.desktop_files import DesktopEntry, Locate, parse
from agent.sensing.desktop_keys import keys_of_entry, keys_of_name, keys_of_process
from contract import programs

FILE_LIMIT_BYTES = 256 * 1024
FOLDER_LIMIT_FILES = 5_000
DEPTH_LIMIT = 4
Describe = Callable[[DesktopEntry], DesktopEntry]


def standard_folders(environ: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """Return the folders for desktop entries, most important first (XDG Base Directory Specification 0.8, Flatpak, snapd).

    Args:
        environ: environment variables.
        home: the user's folder.
    """
    own = environ.get("XDG_DATA_HOME") or str(home / ".local/share")
    shared = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    roots = (
        own,
        *shared.split(":"),
        str(home / ".local/share/flatpak/exports/share"),
        "/var/lib/flatpak/exports/share",
        "/var/lib/snapd/desktop",
    )
    return tuple(dict.fromkeys(Path(root) / "applications" for root in roots if root.startswith("/")))


def locate_program(name: str) -> str | None:
    """Return the file behind a program's name or path on this machine."""
    found = shutil.which(name)
    return os.path.realpath(found) if found else None


def _as_it_is(entry: DesktopEntry) -> DesktopEntry:
    return entry


class DesktopIndex:
    """Owns what was read of the folders, and reads a folder again when it has changed.

    Args:
        folders: where entries lie; of two with the same id the one in the earlier folder counts.
        locate: finds programs.
        describe: adds what else is said of an application; it is asked once for each that starts.
    """

    def __init__(
        self, folders: Iterable[Path], locate: Locate = locate_program, describe: Describe = _as_it_is
    ) -> None:
        self.folders = tuple(folders)
        self._locate, self._describe = locate, describe
        self._described: dict[str, DesktopEntry] = {}
        self._images = AppImages()
        self._originals: dict[bytes, str] | None = None
        self._seen: tuple[tuple[Path, int], ...] | None = None
        self._by_key: dict[str, list[DesktopEntry]] = {}

    def for_process(
        self,
        exe: str | None,
        cmdline: Sequence[str] | None,
        flatpak_id: str | None = None,
        name: str | None = None,
    ) -> DesktopEntry | None:
        """Return the entry that a process was started by, None where there is none or several fit alike.

        Args:
            exe: path of the executable.
            cmdline: the command line; what an interpreter runs is found there.
            flatpak_id: the Flatpak application that it runs in, where that is known.
            name: what the system calls it; it counts only where nothing else is known.
        """
        words = tuple(cmdline or ())
        path = (exe or (words[0] if words else "")).removesuffix(" (deleted)")
        if not path and not name:
            return None
        self._refresh()
        image = root_of(path)
        if image is not None:
            entry = self._images.entry_of(image)
            return entry and self._with_all(entry)
        for key in keys_of_process(path, words, flatpak_id) if path else keys_of_name(name or ""):
            entry = _best(self._by_key.get(key, ()), words)
            if entry is not None:
                return self._with_all(entry)
        entry = _best(self._by_key.get(self._copied_from(path), ()), words) if may_be_copy(path) else None
        return entry and self._with_all(entry)

    def _copied_from(self, path: str) -> str:
        """Return the installed program that an executable is a copy of, empty for none; they are read when first asked for."""
        identifier = build_id_of_file(path)
        if identifier is None:
            return ""
        if self._originals is None:
            self._originals = by_build_id(key for key in self._by_key if key.startswith("/"))
        return self._originals.get(identifier, "")

    def named(self, name: str) -> tuple[DesktopEntry, ...]:
        """Return the applications that are called so: by name, program, desktop file id, or the last part of that id; any case."""
        self._refresh()
        wanted = name.casefold().removesuffix(".desktop")
        return tuple(self._with_all(entry) for entry in self._entries() if wanted in _names_of(entry))

    def all(self) -> Iterator[DesktopEntry]:
        """Return every application, each with all that is said of it once it is its turn; nothing more is kept of it than before."""
        self._refresh()
        entries = self._entries()
        return (self._described.get(entry.desktop_id) or self._describe(entry) for entry in entries)

    @property
    def looked_into(self) -> tuple[tuple[Path, int], ...]:
        """The folders that were looked into, those within them included, each with the time it had changed by then."""
        return self._seen or ()

    def _entries(self) -> list[DesktopEntry]:
        """Return what was read, by id, each once."""
        entries = {entry.desktop_id: entry for kept in self._by_key.values() for entry in kept}
        return [entry for _, entry in sorted(entries.items())]

    def _with_all(self, entry: DesktopEntry) -> DesktopEntry:
        described = self._described.get(entry.desktop_id)
        if described is None:
            self._described[entry.desktop_id] = described = self._describe(entry)
        return described

    def _refresh(self) -> None:
        if self._seen is not None and all(changed_at(folder) == at for folder, at in self._seen):
            return
        seen: list[tuple[Path, int]] = []
        entries: dict[str, DesktopEntry | None] = {}
        for root in self.folders:
            for desktop_id, file in _files(root, seen):
                if desktop_id not in entries:
                    entries[desktop_id] = self._read(file, desktop_id, root.parent)
        self._seen = tuple(seen)
        self._by_key, self._described, self._originals = {}, {}, None
        for entry in entries.values():
            for key in dict.fromkeys(keys_of_entry(entry, self._locate)) if entry else ():
                self._by_key.setdefault(key, []).append(entry)  # type: ignore[arg-type]  # entry is not None here

    def _read(self, file: Path, desktop_id: str, share: Path) -> DesktopEntry | None:
        try:
            with file.open("rb") as opened:
                content = opened.read(FILE_LIMIT_BYTES + 1)
            if len(content) > FILE_LIMIT_BYTES:
                return None
            entry = parse(content.decode(), desktop_id, self._locate)
            if entry is None:
                return None
            name = bus_name(entry.command, desktop_id, is_started_by_bus=entry.is_started_by_bus)
            command = bus_command(share, name) if name else ()
            return msgspec.structs.replace(entry, file=str(file), bus_command=command)
        except (OSError, ValueError):
            return None


def _best(entries: Sequence[DesktopEntry], words: tuple[str, ...]) -> DesktopEntry | None:
    """Return the entry whose own arguments are all there; of several the one with most, None when two have as many.

    Where none fits, the only entry of a program is taken, unless it opens something of its own, as a page in a browser.
    """
    given = set(words)
    fitting = [entry for entry in entries if _fits(entry, given)]
    if not fitting and len(entries) == 1 and all(word.startswith("-") for word in entries[0].command[1:]):
        return entries[0]
    most = max((len(entry.command) for entry in fitting), default=0)
    best = [entry for entry in fitting if len(entry.command) == most]
    return best[0] if len(best) == 1 else None


def _names_of(entry: DesktopEntry) -> set[str]:
    names = (
        entry.name,
        entry.desktop_id,
        entry.desktop_id.rpartition(".")[2],
        programs.base_name(entry.command[0]),
    )
    return {name.casefold() for name in names}


def _fits(entry: DesktopEntry, given: set[str]) -> bool:
    is_contained = entry.flatpak_id is not None or entry.snap is not None
    is_asked_for = given.issuperset(entry.command[1:])
    return (
        is_contained or is_asked_for or (bool(entry.bus_command) and given.issuperset(entry.bus_command[1:]))
    )


def _files(root: Path, seen: list[tuple[Path, int]]) -> Iterator[tuple[str, Path]]:
    """Give id and path of each file in a folder and below, and note each folder with the time it changed."""
    left = FOLDER_LIMIT_FILES
    waiting: list[tuple[Path, str, int]] = [(root, "", 0)]
    while waiting:
        folder, prefix, depth = waiting.pop()
        seen.append((folder, changed_at(folder)))
        try:
            with os.scandir(folder) as found:
                files = sorted(found, key=lambda file: file.name)
        except OSError:
            continue
        for file in files[:left]:
            left -= 1
            if file.name.endswith(".desktop") and file.is_file():
                yield f"{prefix}{file.name.removesuffix('.desktop')}", Path(file.path)
            elif depth < DEPTH_LIMIT and file.is_dir(follow_symlinks=False):
                waiting.append((Path(file.path), f"{prefix}{file.name}-", depth + 1))
