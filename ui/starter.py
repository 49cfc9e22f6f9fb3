"""Starts a messenger that the policy offers instead, if this desktop has an entry for it (Desktop Entry Specification 1.5)."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from PySide6.QtCore import QProcess

ENTRY_LIMIT_BYTES = 64 * 1024
_GROUP = "[Desktop Entry]"


class Starter:
    """Owns what is known of this desktop's entries.

    Args:
        environ: says where entries lie (XDG Base Directory Specification).
        home: the user's home.
    """

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        own = environ.get("XDG_DATA_HOME") or str(home / ".local/share")
        shared = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        self._folders = [Path(one) / "applications" for one in (own, *shared.split(":")) if one]
        self._commands: dict[str, list[str]] | None = None

    def forget(self) -> None:
        """Look anew the next time: something may have been installed."""
        self._commands = None

    def can_start(self, name: str) -> bool:
        """Tell whether a messenger of this name can be started."""
        return name.casefold() in self._known()

    def start(self, name: str) -> bool:
        """Start it; tell whether that went well."""
        command = self._known().get(name.casefold())
        if command is None:
            return False
        is_started, _pid = QProcess.startDetached(command[0], command[1:])
        return is_started

    def _known(self) -> dict[str, list[str]]:
        if self._commands is None:
            self._commands = {}
            for file in self._files():
                found = command_of(_read(file))
                if found is not None:
                    name, command = found
                    self._commands.setdefault(name.casefold(), command)
        return self._commands

    def _files(self) -> Iterator[Path]:
        for folder in self._folders:
            yield from sorted(folder.glob("*.desktop"))


def command_of(entry: str) -> tuple[str, list[str]] | None:
    r"""Return an application's name and command from its desktop entry; None if it is not one to be started by a person.

    >>> command_of("[Desktop Entry]\nType=Application\nName=Slack\nExec=slack --quiet %U")
    ('Slack', ['slack', '--quiet'])
    """
    group = entry.partition(_GROUP)[2].partition("\n[")[0]
    fields = dict(line.split("=", 1) for line in group.splitlines() if "=" in line and line[0] != "#")
    hidden = {fields.get("Hidden"), fields.get("NoDisplay"), fields.get("Terminal")} & {"true"}
    if fields.get("Type") != "Application" or hidden or not fields.get("Name"):
        return None
    try:
        words = shlex.split(fields.get("Exec", ""))
    except ValueError:
        return None
    command = [word.replace("%%", "%") for word in words if not (len(word) == 2 and word[0] == "%")]
    return (fields["Name"], command) if command else None


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(ENTRY_LIMIT_BYTES).decode(errors="replace")
    except OSError:
        return ""
