"""What is installed on a system: the few questions asked, answered by a file for each system."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from contract.facts import ProcessFacts


class Application(msgspec.Struct, frozen=True):
    """One installed application, as what it would run as."""

    facts: ProcessFacts
    is_own: bool
    """Whether it is this user's alone; otherwise the device has it for everybody."""


class CannotLookError(Exception):
    """Something that is there cannot be read now; what was known of it stays."""


class Applications(Protocol):
    """What is installed here."""

    def folders(self) -> tuple[Path, ...]:
        """Return the folders in which something changes when an application is installed or removed."""

    def has_changed(self) -> bool:
        """Tell whether anything may have been installed or removed since it was read; cheap, and so good where nobody tells of it."""

    def read(self) -> Iterator[Application]:
        """Give all that is installed, bit by bit, so that others have their turn; raise CannotLookError."""


def changed_at(folder: Path) -> int:
    """Return when something was made or removed in a folder; 0 where there is none."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
