r"""Installed applications of Windows: what it lists as installed, and the programs in the folders where applications lie.

Many installers list neither their folder nor an icon of their own, and some applications are only copied there; so the executables that lie
directly in `Program Files\X`, in `%LOCALAPPDATA%\Programs\X` or in the folder that is listed are looked at by their names, never opened.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from agent.sensing.applications import Application, CannotLookError, changed_at
from agent.sensing.windows_applications import WindowsApplications, is_installer
from contract.facts import ProcessFacts

FOLDERS_AT_MOST, PROGRAMS_AT_MOST = 1_000, 50
"""How many folders are looked into, and how many executables of one."""
_SHARED = ("ProgramFiles", "ProgramFiles(x86)", "ProgramW6432")
Names = Callable[[str], Iterable[str]]
"""Gives the names in a folder, raises OSError."""


class WindowsPrograms:
    """An `Applications` for Windows.

    Args:
        listed: what Windows lists.
        environ: says where applications lie.
        names: looks into a folder.
    """

    def __init__(self, listed: WindowsApplications, environ: Mapping[str, str], names: Names) -> None:
        self._listed, self._names = listed, names
        shared = (environ[name] for name in _SHARED if environ.get(name))
        self._shared = tuple(dict.fromkeys(shared))
        local = environ.get("LOCALAPPDATA")
        self._own = f"{local}\\Programs" if local else None
        self._as_read: tuple[object, ...] | None = None

    def folders(self) -> tuple[Path, ...]:
        """Return the folders in which applications have theirs."""
        return tuple(map(Path, (*self._shared, self._own) if self._own else self._shared))

    def has_changed(self) -> bool:
        """Tell whether the lists or the folders changed since."""
        return self._as_read != self._changed_at()

    def read(self) -> Iterator[Application]:
        """Give what is listed, then what lies in the folders."""
        self._as_read = self._changed_at()
        for one in self._listed.listed():
            schemes = self._listed.of_program(one.exe).url_schemes if one.exe else ()
            facts = ProcessFacts(
                platform="windows", exe=one.exe, uninstall_name=one.name, url_schemes=schemes or None
            )
            yield Application(facts, one.is_own)
            if one.folder:
                yield from self._in_folder(one.folder, is_own=one.is_own)
        for root in self._shared:
            yield from self._below(root, is_own=False)
        if self._own:
            yield from self._below(self._own, is_own=True)

    def _changed_at(self) -> tuple[object, ...]:
        return (*self._listed.stamp(), *(changed_at(folder) for folder in self.folders()))

    def _below(self, root: str, *, is_own: bool) -> Iterator[Application]:
        try:
            names = sorted(self._names(root))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise CannotLookError(f"{root} cannot be read ({error.strerror}).") from error
        for name in islice(names, FOLDERS_AT_MOST):
            yield from self._in_folder(f"{root}\\{name}", is_own=is_own)

    def _in_folder(self, folder: str, *, is_own: bool) -> Iterator[Application]:
        try:
            names = sorted(name for name in self._names(folder) if name.lower().endswith(".exe"))
        except OSError:  # a file, or a folder of somebody else's
            return
        for name in islice(names, PROGRAMS_AT_MOST):
            if not is_installer(name.lower()):
                exe = f"{folder}\\{name}"
                about = self._listed.of_program(exe)
                facts = ProcessFacts(
                    platform="windows",
                    exe=exe,
                    url_schemes=about.url_schemes or None,
                    uninstall_name=about.uninstall_name,
                )
                yield Application(facts, is_own)
