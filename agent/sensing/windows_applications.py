r"""Installed applications of Windows: which links a program opens, and the name that Windows lists it by.

A class with the value `URL Protocol` opens links by its `shell\open\command` (Microsoft, "Registering an Application to a URI Scheme"); a key
below `Uninstall` names an installed program with its folder or its icon (Microsoft, "Uninstall Registry Key"). Only classes of schemes that
weigh something are looked at. A service sees what is registered for the whole machine, and nobody's own.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

import msgspec

from contract.weights import URL_SCHEMES

UNINSTALL = (
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall",
    r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall",
)
KEYS_AT_MOST = 2_000
TEXT_LIMIT = 1_000
_NOT_THE_APPLICATION = ("unins", "update", "setup")
"""How programs begin that lie in an application's folder and install, renew or remove it."""


class WinReg(Protocol):
    """What is used of Python's `winreg` (its documentation, 3.11)."""

    HKEY_LOCAL_MACHINE: Any
    HKEY_CURRENT_USER: Any
    HKEY_CLASSES_ROOT: Any

    def OpenKey(self, key: Any, sub_key: str) -> Any:  # noqa: N802 - its own name
        """Open a key."""

    def EnumKey(self, key: Any, index: int) -> str:  # noqa: N802 - alike
        """Return the name of a key below; OSError behind the last."""

    def QueryInfoKey(self, key: Any) -> tuple[int, int, int]:  # noqa: N802 - alike
        """Return how many keys and values there are, and when the key was changed."""

    def QueryValueEx(self, key: Any, name: str) -> tuple[Any, int]:  # noqa: N802 - alike
        """Return a value's data and type."""


class Installed(msgspec.Struct, frozen=True):
    """What Windows says of the application that a program belongs to."""

    url_schemes: tuple[str, ...] = ()
    uninstall_name: str | None = None


class Listed(msgspec.Struct, frozen=True):
    """A program that Windows lists as installed."""

    name: str
    exe: str | None
    """Its icon's executable, in lower case."""
    folder: str | None
    """Where it was installed to, alike."""
    is_own: bool
    """Whether it is this user's alone."""


class WindowsApplications:
    """Owns what was read of the registry, and reads it again when a program was installed or taken away.

    Args:
        winreg: Python's module; another one in tests.
    """

    def __init__(self, winreg: WinReg) -> None:
        self._winreg = winreg
        self._roots = (winreg.HKEY_LOCAL_MACHINE, winreg.HKEY_CURRENT_USER)
        self._stamp: tuple[object, ...] | None = None
        self._schemes: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}
        self._listed: list[Listed] = []

    def stamp(self) -> tuple[object, ...]:
        """Return what is another once a program was installed or taken away."""
        return tuple(self._changed_at(root, path) for root in self._roots for path in UNINSTALL)

    def listed(self) -> tuple[Listed, ...]:
        """Return the programs that Windows lists as installed."""
        self._refresh()
        return tuple(self._listed)

    def _refresh(self) -> None:
        stamp = self.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._read()

    def of_program(self, exe: str) -> Installed:
        """Return what is said of the application that an executable belongs to."""
        self._refresh()
        path = exe.lower()
        folder, _, base = path.rpartition("\\")
        if is_installer(base):
            return Installed()
        return Installed(tuple(self._schemes.get(path, ())), self._names.get(path) or self._names.get(folder))

    def _read(self) -> None:
        self._schemes, self._names, self._listed = {}, {}, []
        for scheme in URL_SCHEMES:
            if self._value(self._winreg.HKEY_CLASSES_ROOT, scheme, "URL Protocol") is None:
                continue
            command = self._value(self._winreg.HKEY_CLASSES_ROOT, rf"{scheme}\shell\open\command", "")
            program = program_of(command or "")
            if program:
                self._schemes.setdefault(program, []).append(scheme)
        for root in self._roots:
            for path in UNINSTALL:
                for name in islice(self._below(root, path), KEYS_AT_MOST):
                    self._take_installed(root, rf"{path}\{name}")

    def _take_installed(self, root: object, path: str) -> None:
        name = self._value(root, path, "DisplayName")
        if not name:
            return
        icon = (self._value(root, path, "DisplayIcon") or "").partition(",")[0].strip('" ').lower()
        folder = (self._value(root, path, "InstallLocation") or "").strip('" ').rstrip("\\").lower()
        # A program that is named as the icon is the application; only where none is, the whole folder is.
        exe = icon if icon.endswith(".exe") and icon.count("\\") > 1 else None
        inside = folder if folder.count("\\") > 1 else None
        self._listed.append(Listed(name, exe, inside, root is self._winreg.HKEY_CURRENT_USER))
        place = icon if icon.endswith(".exe") else folder
        if place.count("\\") > 1:
            self._names.setdefault(place, name)

    def _below(self, root: object, path: str) -> Iterator[str]:
        try:
            key = self._winreg.OpenKey(root, path)
            for index in range(KEYS_AT_MOST):
                yield self._winreg.EnumKey(key, index)
        except OSError:
            return

    def _value(self, root: object, path: str, name: str) -> str | None:
        try:
            value, _ = self._winreg.QueryValueEx(self._winreg.OpenKey(root, path), name)
        except OSError:
            return None
        return value[:TEXT_LIMIT] if isinstance(value, str) else None

    def _changed_at(self, root: object, path: str) -> int:
        try:
            return self._winreg.QueryInfoKey(self._winreg.OpenKey(root, path))[2]
        except OSError:
            return 0


def is_installer(base: str) -> bool:
    """Tell whether a program, by its lower-case name, installs, renews or removes the application that it lies beside."""
    return base.startswith(_NOT_THE_APPLICATION)


def program_of(command: str) -> str | None:
    r"""Return the program that a command of the registry starts, in lower case; None where it is another kind of command.

    >>> program_of(r'"C:\Program Files\Alert\Alert.exe" "%1"')
    'c:\\program files\\alert\\alert.exe'
    >>> program_of(r"C:\Tools\chat.exe --url %1")
    'c:\\tools\\chat.exe'
    """
    text = command.strip().lower()
    if text.startswith('"'):
        program = text[1:].partition('"')[0]
    else:
        before, found, _ = text.partition(".exe")
        program = before + found
    return program if program.endswith(".exe") and "\\" in program else None
