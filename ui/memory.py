"""What the tray remembers from one start to the next: a file of one small object."""

import logging
from pathlib import Path

import msgspec

from contract import wire
from contract.errors import MalformedError

LIMIT_BYTES = 4096
_log = logging.getLogger(__name__)


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is to remember."""

    told_no_tray: bool = False
    """Whether the window has been opened once to say that the desktop shows no tray icons."""


class Memory:
    """Owns the file. That it cannot be read or written is no reason not to run: it only means that something is said again."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Remembered:
        """Return what is remembered."""
        try:
            return wire.decode(Remembered, self._file.read_bytes(), limit_bytes=LIMIT_BYTES)
        except FileNotFoundError:
            return Remembered()
        except (OSError, MalformedError) as error:
            _log.info("%s could not be read (%s)", self._file, error)
            return Remembered()

    def write(self, remembered: Remembered) -> None:
        """Remember."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file.write_bytes(wire.encode(remembered))
        except OSError as error:
            _log.info("%s could not be written (%s)", self._file, error)
