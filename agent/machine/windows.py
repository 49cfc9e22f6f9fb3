"""Windows: the hardware's UUID from the firmware's tables, else the installation's; and the moment of the boot as its id.

`agent.windows.firmware` asks; what follows from the answers is decided here.
"""

import struct
import uuid
from collections.abc import Callable, Iterator

import msgspec

_TABLES = struct.Struct("<4xI")
"""RawSMBIOSData (Microsoft, "GetSystemFirmwareTable"): four bytes about the version, then the length of the tables."""
_STRUCTURE = struct.Struct("<BB2x")
"""SMBIOS 3.7, 6.1.2: type, length of the formatted area, handle."""
_SYSTEM_INFORMATION, _UUID_AT, _UUID_END = 1, 0x08, 0x18
"""SMBIOS 3.7, 7.2: the UUID of a structure of type 1, in little-endian fields since 2.6."""
_TIME_OF_DAY = struct.Struct("<qqqIIQQ")
"""SYSTEM_TIMEOFDAY_INFORMATION: boot time, time, zone's bias, zone, nothing, the boot time's bias, the sleep time's."""
_NO_UUIDS = frozenset({"0" * 32, "f" * 32, "03000200040005000006000700080009"})
"""Not set (SMBIOS 3.7, 7.2.1), and what boards bear whose maker set none."""


class Asked(msgspec.Struct, frozen=True):
    """The questions put to Windows itself; each raises OSError where it may not be told."""

    firmware: Callable[[], bytes]
    """GetSystemFirmwareTable for RSMB."""
    installation: Callable[[], str]
    """MachineGuid, which Windows makes when it is installed (and copies of an installation share unless it is prepared for that)."""
    time_of_day: Callable[[], bytes]
    """NtQuerySystemInformation for SystemTimeOfDayInformation."""


def machine_id(asked: Asked) -> str | None:
    """Return the hardware's UUID as 32 hexadecimal digits, else the installation's; None without either."""
    try:
        found = uuid_in(asked.firmware())
    except OSError:
        found = None
    if found is not None:
        return found
    try:
        return uuid.UUID(asked.installation()).hex
    except (OSError, ValueError):
        return None


def boot_id(asked: Asked) -> str | None:
    """Return the moment of the boot, by the clock as it was then; None if the system does not tell.

    Setting the clock moves the boot time and the bias alike, so that their difference stays the same for the whole boot.
    """
    try:
        booted, _, _, _, _, bias, _ = _TIME_OF_DAY.unpack(asked.time_of_day())
    except (OSError, struct.error):
        return None
    return f"{booted - bias:x}" if booted > 0 else None


def uuid_in(untrusted_tables: bytes) -> str | None:
    """Return the system's UUID from the firmware's tables, 32 hexadecimal digits; None if none is set, or they are damaged."""
    for kind, formatted in _structures(untrusted_tables):
        if kind == _SYSTEM_INFORMATION and len(formatted) >= _UUID_END:
            found = uuid.UUID(bytes_le=formatted[_UUID_AT:_UUID_END]).hex
            return None if found in _NO_UUIDS else found
    return None


def _structures(tables: bytes) -> Iterator[tuple[int, bytes]]:
    if len(tables) < _TABLES.size:
        return
    (length,) = _TABLES.unpack_from(tables)
    at, end = _TABLES.size, min(_TABLES.size + length, len(tables))
    while at + _STRUCTURE.size <= end:
        kind, formatted_bytes = _STRUCTURE.unpack_from(tables, at)
        if formatted_bytes < _STRUCTURE.size:
            return
        yield kind, tables[at : min(at + formatted_bytes, end)]
        after_strings = tables.find(b"\0\0", at + formatted_bytes, end)
        if after_strings < 0:
            return
        at = after_strings + 2
