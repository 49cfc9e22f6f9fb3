"""What Windows tells of a process that psutil does not: the package it belongs to, and its path without further rights."""

import ctypes
import sys
from collections.abc import Callable
from ctypes import wintypes

import psutil

from agent.sensing.windows_source import Ask, Asked
from agent.windows import tokens

assert sys.platform == "win32"  # tells the type checker whose calls these are

_PATH_LIMIT = 32_768
"""The longest path (Microsoft, "Maximum Path Length Limitation")."""
_FAMILY_NAME_LIMIT = 65
"""PACKAGE_FAMILY_NAME_MAX_LENGTH and the end (appmodel.h)."""
_NO_SUCH_PROCESS = 87
"""ERROR_INVALID_PARAMETER: what OpenProcess says of a pid that nobody has."""
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.QueryFullProcessImageNameW.argtypes = (
    wintypes.HANDLE,
    wintypes.DWORD,
    wintypes.LPWSTR,
    ctypes.POINTER(wintypes.DWORD),
)


def image_of(handle: int) -> str:
    """Return the path of what a process runs; raise OSError if the system does not say."""
    length = wintypes.DWORD(_PATH_LIMIT)
    room = ctypes.create_unicode_buffer(_PATH_LIMIT)
    if not _kernel.QueryFullProcessImageNameW(handle, 0, room, ctypes.byref(length)):
        raise tokens.error()
    return room.value


def package_family_of(handle: int) -> str | None:
    """Return the family name of the package that a process was started from; None for a program that came otherwise."""
    ask = getattr(_kernel, "GetPackageFamilyName", None)
    if ask is None:  # older than Windows 8
        return None
    length = wintypes.UINT(_FAMILY_NAME_LIMIT)
    room = ctypes.create_unicode_buffer(_FAMILY_NAME_LIMIT)
    return room.value or None if ask(wintypes.HANDLE(handle), ctypes.byref(length), room) == 0 else None


def _by_pid(ask: Callable[[int], str | None]) -> Ask:
    def ask_by_pid(pid: int) -> str | None:
        try:
            with tokens.process(pid) as handle:
                return ask(handle)
        except OSError as error:
            if error.winerror == _NO_SUCH_PROCESS and not psutil.pid_exists(pid):
                raise ProcessLookupError from error
            raise

    return ask_by_pid


ASKED = Asked(_by_pid(image_of), _by_pid(package_family_of), _by_pid(tokens.sid_of_process))
"""Windows itself, as `WindowsSource` asks it."""
