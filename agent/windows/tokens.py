"""Who a process or a thread acts for: the access token, its user and its groups (Microsoft, "Access Tokens")."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import wintypes

from contract.users import ADMINISTRATORS_SID

assert sys.platform == "win32"  # tells the type checker whose calls these are

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_advapi = ctypes.WinDLL("advapi32", use_last_error=True)
_QUERY_LIMITED = 0x1000
_TOKEN_QUERY = 0x0008
_USER, _GROUPS = 1, 2
_GROUP_ENABLED = 0x4

_kernel.OpenProcess.restype = wintypes.HANDLE
_kernel.OpenProcess.argtypes = wintypes.DWORD, wintypes.BOOL, wintypes.DWORD
_kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
_kernel.GetCurrentProcess.restype = wintypes.HANDLE
_kernel.GetCurrentThread.restype = wintypes.HANDLE
_kernel.LocalFree.argtypes = (ctypes.c_void_p,)
_advapi.OpenProcessToken.argtypes = wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE)
_advapi.OpenThreadToken.argtypes = (
    wintypes.HANDLE,
    wintypes.DWORD,
    wintypes.BOOL,
    ctypes.POINTER(wintypes.HANDLE),
)
_advapi.GetTokenInformation.argtypes = (
    wintypes.HANDLE,
    ctypes.c_int,
    ctypes.c_void_p,
    wintypes.DWORD,
    ctypes.POINTER(wintypes.DWORD),
)
_advapi.ConvertSidToStringSidW.argtypes = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)


class _SidAndAttributes(ctypes.Structure):
    _fields_ = (("sid", ctypes.c_void_p), ("attributes", wintypes.DWORD))


class _Groups(ctypes.Structure):
    _fields_ = (("count", wintypes.DWORD), ("first", _SidAndAttributes))


def error() -> OSError:
    """Return the error of this thread's last call."""
    return ctypes.WinError(ctypes.get_last_error())


@contextmanager
def process(pid: int) -> Iterator[int]:
    """Lend a handle that may ask about a process and do nothing else.

    Raises:
        OSError: it has ended (winerror 87), or may not be asked about (PermissionError).
    """
    handle = _kernel.OpenProcess(_QUERY_LIMITED, False, pid)
    if not handle:
        raise error()
    try:
        yield handle
    finally:
        _kernel.CloseHandle(handle)


def own_sid() -> str:
    """Return the SID of the user whom this process acts for; raise OSError if the system does not say."""
    with _token(_advapi.OpenProcessToken, _kernel.GetCurrentProcess(), _TOKEN_QUERY) as token:
        return _sid_of(token)


def administers() -> bool:
    """Tell whether this process acts with the rights of an administrator, raised where Windows asks first."""
    with _token(_advapi.OpenProcessToken, _kernel.GetCurrentProcess(), _TOKEN_QUERY) as token:
        return _is_administrator(token)


def sid_of_process(handle: int) -> str:
    """Return the SID of the user whom a process acts for; raise OSError if it may not be asked."""
    with _token(_advapi.OpenProcessToken, handle, _TOKEN_QUERY) as token:
        return _sid_of(token)


def of_this_thread() -> tuple[str, bool]:
    """Return SID, and whether they are an administrator, of whom this thread impersonates; raise OSError if nobody."""
    with _token(_advapi.OpenThreadToken, _kernel.GetCurrentThread(), _TOKEN_QUERY, True) as token:
        return _sid_of(token), _is_administrator(token)


def text_of(sid: int | None) -> str:
    """Return the text form of a SID in memory; raise OSError if it is none."""
    text = ctypes.c_void_p()
    if not _advapi.ConvertSidToStringSidW(sid, ctypes.byref(text)) or text.value is None:
        raise error()
    try:
        return ctypes.wstring_at(text.value)
    finally:
        _kernel.LocalFree(text)


@contextmanager
def _token(opener: "ctypes._NamedFuncPointer", *arguments: object) -> Iterator[wintypes.HANDLE]:
    token = wintypes.HANDLE()
    if not opener(*arguments, ctypes.byref(token)):
        raise error()
    try:
        yield token
    finally:
        _kernel.CloseHandle(token)


def _information(token: wintypes.HANDLE, kind: int) -> ctypes.Array[ctypes.c_char]:
    needed = wintypes.DWORD()
    _advapi.GetTokenInformation(token, kind, None, 0, ctypes.byref(needed))
    if not needed.value:
        raise error()
    room = ctypes.create_string_buffer(needed.value)
    if not _advapi.GetTokenInformation(token, kind, room, needed, ctypes.byref(needed)):
        raise error()
    return room


def _sid_of(token: wintypes.HANDLE) -> str:
    return text_of(_SidAndAttributes.from_buffer(_information(token, _USER)).sid)


def _is_administrator(token: wintypes.HANDLE) -> bool:
    room = _information(token, _GROUPS)
    count = _Groups.from_buffer(room).count
    groups = (_SidAndAttributes * count).from_buffer(room, _Groups.first.offset)
    return any(
        group.attributes & _GROUP_ENABLED and text_of(group.sid) == ADMINISTRATORS_SID for group in groups
    )
