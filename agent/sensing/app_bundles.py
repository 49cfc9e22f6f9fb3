"""Application bundles of macOS: which application a process belongs to, and what its Info.plist says of it.

The files may be anybody's, so how much is read of them is bounded, and one that is not of the agreed form is passed over
(Apple, "Bundle Programming Guide": X.app/Contents/MacOS/PROGRAM and X.app/Contents/Info.plist).
"""

import os
import plistlib
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from xml.parsers.expat import ExpatError

import msgspec

FILE_LIMIT_BYTES = 256 * 1024
KEPT_AT_MOST = 500
ID_LIMIT = 255
SCHEMES_AT_MOST = 50


class Bundle(msgspec.Struct, frozen=True):
    """The application that a process belongs to."""

    app_bundle: str
    """The outermost bundle's folder, as in `Slack.app`: a helper lies in a bundle of its own within it."""
    bundle_id: str | None
    """CFBundleIdentifier of the innermost bundle, which is what the system itself calls the process by."""
    app_category: str | None = None
    """LSApplicationCategoryType of the outermost bundle."""
    url_schemes: tuple[str, ...] = ()
    """What links the outermost bundle says it opens (CFBundleURLSchemes within CFBundleURLTypes)."""


class Info(msgspec.Struct, frozen=True):
    """What is taken of one Info.plist."""

    identifier: str | None = None
    category: str | None = None
    url_schemes: tuple[str, ...] = ()
    executable: str | None = None
    """CFBundleExecutable."""


_UNREADABLE = Info()


class BundleIndex:
    """Owns what was read of Info.plist files; one that has changed is read again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Info]] = {}

    def for_process(self, exe: str) -> Bundle | None:
        """Return the application that an executable belongs to, None where it lies in none."""
        bundles = tuple(bundles_of(exe))
        if not bundles:
            return None
        own = self._info(bundles[-1])
        whole = own if len(bundles) == 1 else self._info(bundles[0])
        return Bundle(bundles[0].rpartition("/")[2], own.identifier, whole.category, whole.url_schemes)

    def program_of(self, bundle: str) -> str | None:
        """Return the executable that a bundle starts, None where its Info.plist cannot be read or names none."""
        name = self._info(bundle).executable
        return f"{bundle}/Contents/MacOS/{name}" if name and "/" not in name else None

    def _info(self, bundle: str) -> Info:
        file = f"{bundle}/Contents/Info.plist"
        try:
            changed = Path(file).stat().st_mtime_ns
        except OSError:
            return _UNREADABLE
        kept = self._kept.get(file)
        if kept is None or kept[0] != changed:
            if len(self._kept) >= KEPT_AT_MOST:
                self._kept.clear()
            self._kept[file] = kept = (changed, _read(file))
        return kept[1]


def bundles_of(exe: str) -> Iterator[str]:
    """Give the bundles that an executable lies in, outermost first; a folder that is only called so is none.

    >>> list(bundles_of("/Applications/Slack.app/Contents/Frameworks/Slack Helper.app/Contents/MacOS/Slack Helper"))
    ['/Applications/Slack.app', '/Applications/Slack.app/Contents/Frameworks/Slack Helper.app']
    >>> list(bundles_of("/opt/tools.app/bin/run"))
    []
    """
    parts = exe.split("/")
    for index, part in enumerate(parts[:-2]):
        if part.lower().endswith(".app") and parts[index + 1] == "Contents":
            yield "/".join(parts[: index + 1])


def _read(file: str) -> Info:
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return _UNREADABLE
            content = opened.read(FILE_LIMIT_BYTES + 1)
        if len(content) > FILE_LIMIT_BYTES:
            return _UNREADABLE
        found = plistlib.loads(content)
    except (
        OSError,
        ValueError,
        ExpatError,
        LookupError,
        AttributeError,
        TypeError,
        OverflowError,
        RecursionError,
    ):
        # plistlib raises any of these for a list that is no list; a bomb of entities it refuses itself.
        return _UNREADABLE
    return info_of(found) if isinstance(found, dict) else _UNREADABLE


def info_of(plist: dict[str, object]) -> Info:
    """Return what is taken of an Info.plist that was read; what is not of the agreed form is left out."""
    return Info(
        _word(plist.get("CFBundleIdentifier")),
        _word(plist.get("LSApplicationCategoryType")),
        tuple(islice(_schemes(plist.get("CFBundleURLTypes")), SCHEMES_AT_MOST)),
        _word(plist.get("CFBundleExecutable")),
    )


def _schemes(types: object) -> Iterator[str]:
    for one in types if isinstance(types, list) else ():
        schemes = one.get("CFBundleURLSchemes") if isinstance(one, dict) else None
        yield from filter(None, map(_word, schemes if isinstance(schemes, list) else ()))


def _word(value: object) -> str | None:
    is_usable = isinstance(value, str) and len(value) <= ID_LIMIT and value.isprintable()
    return str(value) or None if is_usable else None
