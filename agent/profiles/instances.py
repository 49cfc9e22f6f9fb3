"""Which copy of an application a command line starts, and whether a folder lies within another. Pure.

>>> instance_of(("telegram-desktop", "-workdir", "/home/x/Work"))
Instance(folder='/home/x/Work', name=None)
>>> instance_of(("/usr/lib/chromium/chromium", "--user-data-dir=/home/x/w", "--profile-directory=Profile 2"))
Instance(folder='/home/x/w', name='Profile 2')
>>> instance_of(("firefox", "-P", "work", "https://example.com"))
Instance(folder=None, name='work')
>>> instance_of(("chrome_crashpad_handler", "--database=/home/x/w/Crashpad"))
Instance(folder='/home/x/w', name=None)
"""

import ntpath
import posixpath
from collections.abc import Iterator, Sequence

from agent.profiles.signals import Instance
from contract.facts import Platform
from contract.programs import base_name

_FOLDERS = frozenset({"user-data-dir", "workdir", "cfgdir", "config-path", "profile-dir", "dataDir"})
_NAMES = frozenset({"profile-directory", "P"})
_EITHER = frozenset({"profile"})
"""A folder to some (Firefox), a name to others (Element); a folder has a separator."""
_SHORT_FOLDERS = {"pidgin": "c", "finch": "c", "gajim": "c", "hexchat": "d", "weechat": "d"}
"""By program, as their manuals have it."""
_CRASH_FOLDERS = frozenset({"Crashpad", "Crash Reports"})
"""What Chromium and Electron call the folder, within the application's own, in which a crash handler works."""
_SEPARATORS = ("/", "\\")


def instance_of(cmdline: Sequence[str]) -> Instance:
    """Return what a command line says of the copy that it starts; a folder may be relative."""
    folder = name = None
    short = _SHORT_FOLDERS.get(base_name(cmdline[0]).lower() if cmdline else "")
    for option, value in _options(cmdline):
        if option in _FOLDERS or option == short or (option in _EITHER and _is_path(value)):
            folder = value
        elif option in _NAMES or option in _EITHER:
            name = value
        elif option == "database":
            above, _, last = value.replace("\\", "/").rpartition("/")
            folder = above if last in _CRASH_FOLDERS and above else folder
    return Instance(folder, name)


def is_helper(cmdline: Sequence[str]) -> bool:
    """Tell whether a process is a part of another copy: a renderer or the like of Chromium's, a content process of Firefox's."""
    return any(word.startswith("--type=") or word == "-contentproc" for word in cmdline[1:])


def opened_for_work(folder: str) -> str | None:
    r"""Return the messenger whose work profile a folder is, as `decorum open` lays them out; None for any other folder.

    >>> opened_for_work("/home/x/.local/share/decorum/work/whatsapp/data"), opened_for_work("/home/x/work/whatsapp/data")
    ('whatsapp', None)
    >>> opened_for_work(r"C:\Users\x\AppData\Local\Decorum\Work\signal\data")
    'signal'
    """
    parts = folder.replace("\\", "/").rstrip("/").split("/")
    if len(parts) < 4 or [one.lower() for one in (*parts[-4:-2], parts[-1])] != ["decorum", "work", "data"]:
        return None
    return parts[-2]


def _options(cmdline: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place, word in enumerate(cmdline[1:], start=1):
        if not word.startswith("-"):
            continue
        option, has_value, value = word.lstrip("-").partition("=")
        if not has_value:
            value = cmdline[place + 1] if place + 1 < len(cmdline) else ""
        if value and (has_value or not value.startswith("-")):
            yield option, value


def _is_path(value: str) -> bool:
    return any(separator in value for separator in _SEPARATORS)


def absolute(path: str, base: str | None, platform: Platform) -> str | None:
    """Return a path without `..`, a relative one seen from a folder; None where that is not known.

    >>> absolute("Work/../Play", "/home/x", "linux"), absolute("Work", None, "linux")
    ('/home/x/Play', None)
    """
    isabs, join, normpath = (
        (ntpath.isabs, ntpath.join, ntpath.normpath)
        if platform == "windows"
        else (posixpath.isabs, posixpath.join, posixpath.normpath)
    )
    if isabs(path):
        return normpath(path)
    return None if base is None else normpath(join(base, path))


def lies_within(path: str, place: str, home: str | None, platform: Platform) -> bool:
    r"""Tell whether an absolute path is a place, or below it.

    >>> lies_within("/home/x/Work/tg", "~/Work", "/home/x", "linux"), lies_within("/home/x/Workshop", "~/Work", "/home/x", "linux")
    (True, False)
    >>> lies_within(r"C:\Users\x\WORK\tg", "~/Work", r"C:\Users\x", "windows")
    True
    """
    if place == "~" or place.startswith(("~/", "~\\")):
        if home is None:
            return False
        place = home + place[1:]
    if platform == "windows":
        path, place = ntpath.normcase(ntpath.normpath(path)), ntpath.normcase(ntpath.normpath(place))
        return path == place or path.startswith(place.rstrip("\\") + "\\")
    path, place = posixpath.normpath(path), posixpath.normpath(place)
    if platform == "macos":
        path, place = path.casefold(), place.casefold()
    return path == place or path.startswith(place.rstrip("/") + "/")
