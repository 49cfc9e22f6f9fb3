"""A small file that only its owner can read, written whole or not at all; and the folder for such files.

On Linux and macOS the mode says who may, on Windows the access list (`contract.access`).
"""

import os
import stat
import sys
from pathlib import Path

if sys.platform == "win32":
    from agent.windows import folders


def write_private(file: Path, text: str) -> None:
    """Write a text beside the old file and swap them, lastingly.

    Raises:
        OSError: the folder cannot be written.
    """
    fresh = file.with_name(f"{file.name}.new")
    make_private_folder(file.parent)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        if sys.platform == "win32":
            # Before the first byte of it is written.
            folders.guard_file(fresh)
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
    _sync_folder(file.parent)


def make_private_folder(folder: Path) -> None:
    """Make a folder for the agent alone, if it is missing.

    Raises:
        PermissionError: on Windows, where anybody may make folders beside it: it is somebody else's, or others may look into it.
        OSError: it cannot be made.
    """
    if sys.platform == "win32":
        folders.make_private(folder)
    else:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def who_else_may_read(place: Path) -> tuple[str, str] | None:
    """Return who besides the owner may touch a file or folder, and the command that ends that; None if nobody.

    Raises:
        OSError: it is not there, or may not be asked about.
    """
    if sys.platform == "win32":
        return folders.who_else_may_read(place)
    else:  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        found = place.stat().st_mode
        mode = "700" if stat.S_ISDIR(found) else "600"
        return ("Others", f"chmod {mode} {place}") if stat.S_IMODE(found) & 0o077 else None


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut; Windows has no such thing."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
