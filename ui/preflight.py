"""What must hold before Qt is started: Qt itself ends a process without a screen by an abort, which tells nobody anything."""

from collections.abc import Mapping, MutableMapping

UNAVAILABLE = 69
"""EX_UNAVAILABLE of sysexits.h."""
NO_SCREEN = (
    "decorum-tray: there is no screen (neither WAYLAND_DISPLAY nor DISPLAY is set). "
    "Start it in a desktop session; `decorum status` tells the same without one."
)
SCREEN_REFUSED = (
    "decorum-tray: Qt cannot use the screen {screen}. Is it running, and may this user use it? "
    "If it is, Qt's system libraries may be missing: {command}"
)
LIBRARIES_MISSING = "decorum-tray: Qt's system libraries are missing ({detail}). Install them: {command}"
QT_MISSING = "decorum-tray: PySide6 is missing. Install Decorum again with its tray (the extra ui)."

PACKAGES = (
    *("libegl1", "libgl1", "libxkbcommon0", "libfontconfig1", "libdbus-1-3", "libglib2.0-0", "libx11-6"),
    *("libgssapi-krb5-2", "libx11-xcb1", "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0"),
    *("libxcb-keysyms1", "libxcb-randr0", "libxcb-render-util0", "libxcb-shape0", "libxcb-util1"),
    *("libxcb-xkb1", "libxkbcommon-x11-0", "libwayland-cursor0"),
)
"""Debian's and Ubuntu's names of what Qt's widgets, X11 and Wayland need (found by installing into bare systems, 2026-11)."""
INSTALL_COMMAND = f"sudo apt-get install -y {' '.join(PACKAGES)}"

_SCREENLESS = ("offscreen", "minimal", "vnc")


def missing_screen(environ: Mapping[str, str], platform: str) -> str | None:
    """Return what to tell a user who has no screen; None if there may be one.

    Args:
        environ: the environment.
        platform: as `sys.platform`.
    """
    if platform in {"win32", "darwin"} or environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY"):
        return None
    return None if environ.get("QT_QPA_PLATFORM", "").startswith(_SCREENLESS) else NO_SCREEN


def missing_qt(error: ImportError) -> str | None:
    """Return what to tell a user whose Qt cannot be loaded; None if the error is about something else."""
    detail = str(error)
    if "cannot open shared object file" in detail:
        return LIBRARIES_MISSING.format(detail=detail.partition(":")[0], command=INSTALL_COMMAND)
    return QT_MISSING if (error.name or "").partition(".")[0] == "PySide6" else None


def refused_screen(environ: Mapping[str, str]) -> str:
    """Return what to tell when Qt is about to abort because it cannot use the screen."""
    screen = environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY") or "of this session"
    return SCREEN_REFUSED.format(screen=screen, command=INSTALL_COMMAND)


def settle_locale(environ: MutableMapping[str, str]) -> None:
    """Name a UTF-8 locale where none is named: Qt warns about every other, and nothing here depends on it."""
    named = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if named in {"C", "POSIX"}:
        environ.pop("LC_ALL", None)
        environ["LC_CTYPE"] = "C.UTF-8"
