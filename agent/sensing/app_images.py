"""AppImages: an application that is one file brings its desktop entry along, and mounts itself while it runs.

The mounted folder is `.mount_` and a few letters below the folder for temporary files, an unpacked one is `squashfs-root`; the entry lies at its
root (AppImage specification, draft, "The filesystem image"). Only its own user can look into it.
"""

from pathlib import Path

import msgspec

from agent.sensing.desktop_files import DesktopEntry, parse

FILE_LIMIT_BYTES = 256 * 1024
FILES_AT_MOST = 200
KEPT_AT_MOST = 100
_UNPACKED = "squashfs-root"


def root_of(path: str) -> str | None:
    """Return the folder of the AppImage that an executable lies in, None where it lies in none.

    >>> root_of("/tmp/.mount_SignalX1b2c3/usr/bin/signal-desktop"), root_of("/usr/bin/foo")
    ('/tmp/.mount_SignalX1b2c3', None)
    """
    if "/.mount_" not in path and _UNPACKED not in path:
        return None
    parts = path.split("/")
    for index, part in enumerate(parts[:-1]):
        if part.startswith(".mount_") or part == _UNPACKED:
            return "/".join(parts[: index + 1])
    return None


class AppImages:
    """Owns what was read of AppImages that ran; a mount point is never used again for another."""

    def __init__(self) -> None:
        self._kept: dict[str, DesktopEntry | None] = {}

    def entry_of(self, root: str) -> DesktopEntry | None:
        """Return the entry of an AppImage, None where it has none that can be read, or several."""
        if root not in self._kept:
            if len(self._kept) >= KEPT_AT_MOST:
                self._kept.clear()
            self._kept[root] = _read(Path(root))
        return self._kept[root]


def _read(root: Path) -> DesktopEntry | None:
    try:
        files = [file for _, file in zip(range(FILES_AT_MOST), root.iterdir(), strict=False)]
        [file] = [file for file in files if file.suffix == ".desktop" and file.is_file()]
        with file.open("rb") as opened:
            content = opened.read(FILE_LIMIT_BYTES + 1)
        if len(content) > FILE_LIMIT_BYTES:
            return None
        entry = parse(content.decode(), file.stem, lambda name: name)
        return entry and msgspec.structs.replace(entry, file=str(file))
    except (OSError, ValueError):
        return None
