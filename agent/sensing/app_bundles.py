"""Application bundles of macOS: which application a process belongs to, and the id that its Info.plist gives.

The files may be anybody's, so how much is read of them is bounded, and one that is not of the agreed form is passed over
(Apple, "Bundle Programming Guide": X.app/Contents/MacOS/PROGRAM and X.app/Contents/Info.plist).
"""

import os
import plistlib
import stat
from collections.abc import Iterator
from pathlib import Path
from xml.parsers.expat import ExpatError

import msgspec

FILE_LIMIT_BYTES = 256 * 1024
KEPT_AT_MOST = 500
ID_LIMIT = 255


class Bundle(msgspec.Struct, frozen=True):
    """The application that a process belongs to."""

    app_bundle: str
    """The outermost bundle's folder, as in `Slack.app`: a helper lies in a bundle of its own within it."""
    bundle_id: str | None
    """CFBundleIdentifier of the innermost bundle, which is what the system itself calls the process by."""


class BundleIndex:
    """Owns what was read of Info.plist files; one that has changed is read again."""

    def __init__(self) -> None:
        self._ids: dict[str, tuple[int, str | None]] = {}

    def for_process(self, exe: str) -> Bundle | None:
        """Return the application that an executable belongs to, None where it lies in none."""
        bundles = tuple(bundles_of(exe))
        if not bundles:
            return None
        return Bundle(bundles[0].rpartition("/")[2], self._id(f"{bundles[-1]}/Contents/Info.plist"))

    def _id(self, file: str) -> str | None:
        try:
            changed = Path(file).stat().st_mtime_ns
        except OSError:
            return None
        kept = self._ids.get(file)
        if kept is None or kept[0] != changed:
            if len(self._ids) >= KEPT_AT_MOST:
                self._ids.clear()
            self._ids[file] = kept = (changed, _read_id(file))
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


def _read_id(file: str) -> str | None:
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            content = opened.read(FILE_LIMIT_BYTES + 1)
        if len(content) > FILE_LIMIT_BYTES:
            return None
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
        return None
    identifier = found.get("CFBundleIdentifier") if isinstance(found, dict) else None
    is_usable = isinstance(identifier, str) and len(identifier) <= ID_LIMIT and identifier.isprintable()
    return identifier or None if is_usable else None
