"""Reads a person's own small files: bounded, only plain ones, and only their owner's."""

import os
import stat
from pathlib import Path

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_small(path: Path, at_most_bytes: int, owner: int | None = None) -> bytes | None:
    """Return a file's content; None if it is missing, too large, no plain file, not readable or another's.

    Args:
        path: which.
        at_most_bytes: the size up to which it is read.
        owner: whose it must be; None for anybody's. A link to a file of somebody else's tells nothing that way.
    """
    try:
        file = os.open(path, _FLAGS)
    except (OSError, ValueError):  # ValueError: a path with a zero byte
        return None
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode) or about.st_size > at_most_bytes:
            return None
        if owner is not None and about.st_uid != owner:
            return None
        with os.fdopen(file, "rb", closefd=False) as opened:
            content = opened.read(at_most_bytes + 1)
    except OSError:
        return None
    finally:
        os.close(file)
    return content if len(content) <= at_most_bytes else None
