"""What a fleet remembers from one run to the next: keys and numbers, in a file that only its user can read."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from bench.simulator.fleet import FleetDevice, Kept
from contract import wire

LIMIT_BYTES = 64 * 1024 * 1024


class _File(msgspec.Struct):
    until: datetime
    devices: tuple[Kept, ...]


class Memory:
    """Owns the file.

    Args:
        file: where; None to forget everything.

    Raises:
        MalformedError: the file is none of ours.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[int, Kept] = {}
        self.until: datetime | None = None
        """Up to when everything has been told."""
        if file is not None and file.exists():
            found = wire.decode(_File, file.read_bytes(), limit_bytes=LIMIT_BYTES)
            self.until, self._known = found.until, {kept.number: kept for kept in found.devices}

    def resume(self, devices: Sequence[FleetDevice]) -> None:
        """Let devices that are known go on."""
        for device in devices:
            kept = self._known.get(device.person.number)
            if kept is not None:
                device.resume(kept)

    def keep(self, devices: Sequence[FleetDevice], until: datetime) -> None:
        """Remember all of them, whole or not at all."""
        if self._file is None:
            return
        spare = self._file.with_name(f"{self._file.name}.new")
        text = wire.encode(_File(until, tuple(device.kept() for device in devices)))
        with os.fdopen(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
            output.write(text)
        spare.replace(self._file)
