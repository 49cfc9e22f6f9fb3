"""The desktop's own entry of a work profile, `Telegram (work)`, with an icon that carries a badge (Desktop Entry Specification 1.5).

The icon is one SVG: the messenger's own inside, or its first letter, and the badge over it. Nothing of it is copied elsewhere.
"""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec

from agent.errors import StateError
from agent.sensing.desktop_entries import standard_folders

PREFIX = "decorum-work-"
ICON_LIMIT_BYTES = 256 * 1024
_SIZES = ("256x256", "128x128", "512x512", "96x96", "64x64", "48x48", "scalable")
_RESERVED = " \t\n\"'\\><~|&;$*?#()`"
_BADGE = (
    '<circle cx="100" cy="100" r="26" fill="#ffffff"/><circle cx="100" cy="100" r="22" fill="#1f5fbf"/>'
    '<path d="M89 93h22a3 3 0 0 1 3 3v13a3 3 0 0 1-3 3H89a3 3 0 0 1-3-3V96a3 3 0 0 1 3-3zm6 0v-4a2 2 0 0 1 2-2h6a2 2 0 0 1 2 2v4" '
    'fill="none" stroke="#ffffff" stroke-width="4" stroke-linejoin="round"/>'
)


class Menu(msgspec.Struct, frozen=True):
    """Where a person's own entries and icons lie."""

    data: Path
    """XDG_DATA_HOME."""

    @property
    def entries(self) -> Path:
        """The folder of desktop entries."""
        return self.data / "applications"

    @property
    def icons(self) -> Path:
        """The folder of icons that have no size."""
        return self.data / "icons/hicolor/scalable/apps"


def own_menu(environ: Mapping[str, str], home: Path) -> Menu:
    """Return this person's."""
    named = environ.get("XDG_DATA_HOME", "")
    return Menu(Path(named) if named.startswith("/") else home / ".local/share")


def place(
    menu: Menu, messenger: str, name: str, command: tuple[str, ...], picture: tuple[str, bytes] | None
) -> None:
    """Write the entry and its icon, if they are not there as they should be.

    Args:
        menu: where.
        messenger: a catalogue id.
        name: what the messenger is called.
        command: what opens its work profile.
        picture: the media type and content of its own icon.

    Raises:
        StateError: they cannot be written.
    """
    icon = f"{PREFIX}{messenger}"
    files = {
        menu.icons / f"{icon}.svg": badged(name, picture),
        menu.entries / f"{icon}.desktop": entry_of(name, command, icon),
    }
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.is_file() or file.read_text(errors="replace") != text:
                file.write_text(text)
    except OSError as error:
        raise StateError(
            f"{menu.data} cannot be written to ({error.strerror}).", "Make room there."
        ) from error


def remove_all(menu: Menu) -> None:
    """Take every such entry and icon away."""
    for folder in (menu.entries, menu.icons):
        for file in folder.glob(f"{PREFIX}*"):
            file.unlink(missing_ok=True)


def entry_of(name: str, command: tuple[str, ...], icon: str) -> str:
    """Return the text of a desktop entry."""
    return "\n".join(
        (
            "[Desktop Entry]",
            "Type=Application",
            f"Name={_line(name)} (work)",
            f"Comment=Opens {_line(name)} for work, apart from your private one",
            f"Exec={' '.join(map(_quoted, command))}",
            f"Icon={icon}",
            "Categories=Network;InstantMessaging;",
            "StartupNotify=true",
            "",
        )
    )


def badged(name: str, picture: tuple[str, bytes] | None) -> str:
    """Return an SVG of 128 by 128: the messenger's own icon, or its first letter, with the badge over it."""
    if picture is None:
        letter = escape(next((one for one in name if one.isalnum()), "?").upper())
        inside = (
            '<rect x="8" y="8" width="112" height="112" rx="24" fill="#5b6472"/>'
            f'<text x="64" y="88" font-family="sans-serif" font-size="72" font-weight="600" fill="#ffffff" text-anchor="middle">{letter}</text>'
        )
    else:
        kind, content = picture
        data = base64.b64encode(content).decode()
        inside = f'<image x="0" y="0" width="128" height="128" xlink:href="data:{kind};base64,{data}"/>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="128" height="128" viewBox="0 0 128 128">{inside}{_BADGE}</svg>\n'
    )


def picture_of(icon: str, environ: Mapping[str, str], home: Path) -> tuple[str, bytes] | None:
    """Return the media type and content of an icon by its name or file; None where there is none, or it is too large."""
    if not icon:
        return None
    places = [Path(icon)] if icon.startswith("/") else list(_places(icon, environ, home))
    for file in places:
        kind = {".png": "image/png", ".svg": "image/svg+xml"}.get(file.suffix)
        try:
            if kind is not None and file.is_file() and file.stat().st_size <= ICON_LIMIT_BYTES:
                return kind, file.read_bytes()
        except OSError:
            continue
    return None


def _places(icon: str, environ: Mapping[str, str], home: Path) -> list[Path]:
    if os.sep in icon:
        return []
    shares = [folder.parent for folder in standard_folders(environ, home)]
    sized = [
        share / "icons/hicolor" / size / "apps" / f"{icon}{ending}"
        for size in _SIZES
        for share in shares
        for ending in (".png", ".svg")
    ]
    return [
        *sized,
        *(share / "pixmaps" / f"{icon}{ending}" for share in shares for ending in (".png", ".svg")),
    ]


def _quoted(word: str) -> str:
    """Return a word as an Exec value has it: quoted where it must be, and with no field code in it."""
    word = word.replace("%", "%%")
    if word and not any(letter in _RESERVED for letter in word):
        return word
    inner = "".join(f"\\{letter}" if letter in '"`$\\' else letter for letter in word)
    return f'"{inner}"'.replace("\\", "\\\\")


def _line(name: str) -> str:
    return " ".join(name.split()).replace("\\", "\\\\")
