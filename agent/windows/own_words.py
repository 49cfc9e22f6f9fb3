"""How a program of Windows is asked what it says of itself: its package's manifest, and its file's version information."""

import ctypes
import sys
from ctypes import wintypes
from pathlib import Path

from agent.sensing.appx_manifest import FILE_LIMIT_BYTES
from agent.sensing.version_info import BLOCK_LIMIT_BYTES
from agent.windows import tokens

assert sys.platform == "win32"  # tells the type checker whose calls these are

_version = ctypes.WinDLL("version", use_last_error=True)
_version.GetFileVersionInfoSizeW.argtypes = (wintypes.LPCWSTR, ctypes.POINTER(wintypes.DWORD))
_version.GetFileVersionInfoSizeW.restype = wintypes.DWORD
_version.GetFileVersionInfoW.argtypes = (wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, wintypes.LPVOID)


def manifest_at(path: str) -> bytes:
    """Return a manifest; raise OSError where there is none, it may not be read, or it is longer than any is."""
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(path)
    with file.open("rb") as opened:
        content = opened.read(FILE_LIMIT_BYTES + 1)
    if len(content) > FILE_LIMIT_BYTES:
        raise OSError(path)
    return content


def version_of(path: str) -> bytes:
    """Return the version information of a file; raise OSError where it has none or may not be read."""
    size = _version.GetFileVersionInfoSizeW(path, ctypes.byref(wintypes.DWORD()))
    if not size:
        raise tokens.error()
    room = ctypes.create_string_buffer(min(size, BLOCK_LIMIT_BYTES))
    if not _version.GetFileVersionInfoW(path, 0, len(room), room):
        raise tokens.error()
    return room.raw
