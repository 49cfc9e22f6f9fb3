"""Copies: an executable that was copied and renamed still carries the build id of the one that was installed.

The linker writes it into each program (ELF's note NT_GNU_BUILD_ID, elf(5)), and a copy has the same. Only what lies outside the folders that
packages fill is asked for its own, from its first bytes.
"""

import os
import stat
import struct
from collections.abc import Iterable

from contract import programs

HEAD_BYTES = 4096
_PACKAGED = ("/usr/", "/bin/", "/sbin/", "/lib/", "/opt/", "/app/", "/snap/", "/var/lib/", "/nix/")
_NOTE_SEGMENT, _BUILD_ID = 4, 3
_LITTLE_64 = b"\x7fELF\x02\x01"


def may_be_copy(path: str) -> bool:
    """Say whether an executable lies where people put files, and is no interpreter, which is nobody's copy."""
    if not path.startswith("/") or path.startswith(_PACKAGED):
        return False
    return programs.interpreter_of(programs.base_name(path).lower()) is None


def build_id_of_file(path: str) -> bytes | None:
    """Return the build id of an executable, None where it has none or cannot be read."""
    try:
        # Whoever owns the path may have put a pipe there since the program was started.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            return build_id(os.read(descriptor, HEAD_BYTES)) if is_file else None
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None


def build_id(head: bytes) -> bytes | None:
    """Return the build id that stands in the first bytes of a 64-bit little-endian program, None for everything else."""
    if not head.startswith(_LITTLE_64):
        return None
    try:
        [table] = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        for number in range(min(count, 64)):
            kind, _, start, _, _, length = struct.unpack_from("<IIQQQQ", head, table + number * size)
            if kind == _NOTE_SEGMENT:
                found = _in_notes(head[start : start + length])
                if found:
                    return found
    except (struct.error, OverflowError):
        return None
    return None


def _in_notes(notes: bytes) -> bytes | None:
    at = 0
    while at + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from("<III", notes, at)
        name_end = at + 12 + (name_size + 3) // 4 * 4
        value = notes[name_end : name_end + size]
        if kind == _BUILD_ID and notes[at + 12 : at + 16] == b"GNU\0" and len(value) == size > 0:
            return value
        at = name_end + (size + 3) // 4 * 4
    return None


def by_build_id(paths: Iterable[str]) -> dict[bytes, str]:
    """Return which of some programs has which build id."""
    found = ((build_id_of_file(path), path) for path in paths)
    return {identifier: path for identifier, path in found if identifier}
