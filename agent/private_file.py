"""A small file that only its owner can read, written whole or not at all."""

import os
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Write a text beside the old file and swap them, lastingly.

    Raises:
        OSError: the folder cannot be written.
    """
    fresh = file.with_name(f"{file.name}.new")
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut; Windows has no such thing."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
