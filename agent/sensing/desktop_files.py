"""Reads one desktop entry: what an installed application is, how it is started and what it is for.

As the Desktop Entry Specification 1.5 has it; localized keys and everything but the first group are passed over.
"""

import shlex
from collections.abc import Callable

import msgspec

from contract import programs

Locate = Callable[[str], str | None]
"""Gives the path of the file behind a program's name or path, links followed; None where there is none."""

_ESCAPES = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_FIELD_CODES = "fFuUdDnNickvm"
_SCHEME = "x-scheme-handler/"
DESCRIPTION_LIMIT = 200
_WRAPPERS = frozenset({"env", "firejail", "pkexec", "prime-run", "nohup", "setsid"})
_OPTIONS_WITH_VALUE = frozenset({"-u", "--unset", "-C", "--chdir", "--user"})
_TERMINALS = frozenset({
    "alacritty", "foot", "gnome-terminal", "kitty", "konsole", "lxterminal", "mate-terminal", "qterminal", "rxvt", "st",
    "terminator", "tilix", "urxvt", "uxterm", "wezterm", "x-terminal-emulator", "xfce4-terminal", "xterm", "zutty",
})  # fmt: skip


class DesktopEntry(msgspec.Struct, frozen=True):
    """What an installed application says of itself."""

    desktop_id: str
    categories: tuple[str, ...]
    command: tuple[str, ...]
    """Program and arguments; field codes and wrappers left out."""
    flatpak_id: str | None = None
    snap: str | None = None
    name: str = ""
    url_schemes: tuple[str, ...] = ()
    """What links it says it opens: its MIME types `x-scheme-handler/…` (Shared MIME-info Specification)."""
    descriptions: tuple[str, ...] = ()
    """Its generic name and its comment."""
    section: str | None = None
    """Section of the distribution's package that it came with, where somebody asked for it."""
    file: str = ""
    is_started_by_bus: bool = False
    """DBusActivatable."""
    bus_command: tuple[str, ...] = ()
    """What D-Bus starts it by, where it does."""
    icon: str = ""
    """Its icon's name or file."""


def parse(text: str, desktop_id: str, locate: Locate) -> DesktopEntry | None:
    """Return the entry of a file's text; None where it is hidden, not installed, starts no program, or opens another for work.

    Raises:
        ValueError: the text is not of the form that the specification demands.
    """
    keys = _keys(text)
    if keys.get("Type") != "Application" or keys.get("Hidden") == "true":
        return None
    try_exec = _unescape(keys.get("TryExec", ""))
    if try_exec and locate(try_exec) is None:
        return None
    command = _unwrap(_words(keys.get("Exec", "")))
    if not command or _is_work_launcher(command):
        return None
    snap = keys.get("X-SnapInstanceName")
    if not snap and command[0].startswith(("/snap/bin/", "/var/lib/snapd/snap/bin/")):
        snap = programs.base_name(command[0]).partition(".")[0]
    return DesktopEntry(
        desktop_id=desktop_id,
        categories=_list(keys, "Categories"),
        command=command,
        flatpak_id=_flatpak_id(command) or keys.get("X-Flatpak"),
        snap=snap,
        name=_unescape(keys.get("Name", ""))[:DESCRIPTION_LIMIT],
        url_schemes=tuple(
            word.removeprefix(_SCHEME) for word in _list(keys, "MimeType") if word.startswith(_SCHEME)
        ),
        descriptions=tuple(
            _unescape(keys[key])[:DESCRIPTION_LIMIT] for key in ("GenericName", "Comment") if keys.get(key)
        ),
        is_started_by_bus=keys.get("DBusActivatable") == "true",
        icon=_unescape(keys.get("Icon", ""))[:DESCRIPTION_LIMIT],
    )


def _is_work_launcher(command: tuple[str, ...]) -> bool:
    """Tell whether an entry is one that `decorum open` has made: it is no application of its own."""
    return programs.base_name(command[0]) == "decorum" and command[1:3] == ("open", "--work")


def _list(keys: dict[str, str], key: str) -> tuple[str, ...]:
    return tuple(word for word in _unescape(keys.get(key, "")).split(";") if word)


def _keys(text: str) -> dict[str, str]:
    keys: dict[str, str] = {}
    group = None
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            if group is not None:
                break
            group = line
            if group != "[Desktop Entry]":
                raise ValueError(group)
            continue
        key, equals, value = line.partition("=")
        if group is None or not equals:
            raise ValueError(line)
        keys.setdefault(key.rstrip(), value.lstrip())
    return keys


def _unescape(value: str) -> str:
    letters = iter(value)
    return "".join(
        _ESCAPES.get(after := next(letters, ""), f"\\{after}") if letter == "\\" else letter
        for letter in letters
    )


def _words(exec_value: str) -> list[str]:
    """Return the words of an Exec value without its field codes; raise ValueError where a quote is left open."""
    words = []
    for word in shlex.split(_unescape(exec_value)):
        kept = _without_codes(word)
        if kept:
            words.append(kept)
    return words


def _without_codes(word: str) -> str:
    parts = word.split("%%")
    for code in _FIELD_CODES:
        parts = [part.replace(f"%{code}", "") for part in parts]
    return "%".join(parts)


def _unwrap(words: list[str]) -> tuple[str, ...]:
    """Return the command without what only sets the stage: `env A=B`, wrappers, and a terminal that runs it."""
    while words:
        base = programs.base_name(words[0])
        if base in _WRAPPERS:
            words = words[1:]
            while words and (words[0].startswith("-") or "=" in words[0].partition("/")[0]):
                words = words[2 if words[0] in _OPTIONS_WITH_VALUE else 1 :]
        elif base in _TERMINALS and len(words) > 1:
            starts = [words.index(flag) for flag in ("-e", "-x", "--") if flag in words]
            if not starts:
                break
            words = words[min(starts) + 1 :]
        else:
            break
    return tuple(word for word in words if word != "--")


def _flatpak_id(command: tuple[str, ...]) -> str | None:
    if programs.launched_by(programs.base_name(command[0]), command) is None:
        return None
    if programs.base_name(command[0]) != "flatpak":
        return None
    return next((word for word in command[2:] if not word.startswith("-")), None)
