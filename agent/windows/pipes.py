"""Named pipes: made with an explicit descriptor, met with no more rights than needed, each end told who the other is."""

import ctypes
import os
import sys
from ctypes import wintypes
from typing import Self

from agent.windows import security, tokens
from contract.access import KNOCK, SHORT_NAMES

assert sys.platform == "win32"  # tells the type checker whose calls these are

_DUPLEX, _FIRST, _OVERLAPPED = 0x3, 0x00080000, 0x40000000
_BYTES, _REJECT_REMOTE = 0x0, 0x8
_INSTANCES_AT_MOST = 255
_BUFFER_BYTES = 64 * 1024
_OPEN_EXISTING = 3
_IDENTIFICATION = 0x00110000
"""SECURITY_SQOS_PRESENT and SECURITY_IDENTIFICATION: the listener learns who asks, and cannot act for them."""
_BUSY, _PENDING, _ALL_TAKEN = 231, 997, 121
_WAIT_DONE = 0
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_advapi = ctypes.WinDLL("advapi32", use_last_error=True)
_INVALID = ctypes.c_void_p(-1).value

_kernel.CreateNamedPipeW.restype = wintypes.HANDLE
_kernel.CreateNamedPipeW.argtypes = wintypes.LPCWSTR, *(wintypes.DWORD,) * 6, ctypes.c_void_p
_kernel.CreateFileW.restype = wintypes.HANDLE
_kernel.CreateFileW.argtypes = (
    wintypes.LPCWSTR,
    wintypes.DWORD,
    wintypes.DWORD,
    ctypes.c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    wintypes.HANDLE,
)
_kernel.WaitNamedPipeW.argtypes = wintypes.LPCWSTR, wintypes.DWORD
_kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
_kernel.CreateEventW.restype = wintypes.HANDLE
_kernel.CreateEventW.argtypes = ctypes.c_void_p, wintypes.BOOL, wintypes.BOOL, wintypes.LPCWSTR
_kernel.WaitForSingleObject.argtypes = wintypes.HANDLE, wintypes.DWORD
_BYTES_AND_MORE = wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD, ctypes.c_void_p, ctypes.c_void_p
_kernel.ReadFile.argtypes = _BYTES_AND_MORE
_kernel.WriteFile.argtypes = _BYTES_AND_MORE
_kernel.GetOverlappedResult.argtypes = (
    wintypes.HANDLE,
    ctypes.c_void_p,
    ctypes.POINTER(wintypes.DWORD),
    wintypes.BOOL,
)
_kernel.CancelIoEx.argtypes = wintypes.HANDLE, ctypes.c_void_p
_advapi.ImpersonateNamedPipeClient.argtypes = (wintypes.HANDLE,)


class _Overlapped(ctypes.Structure):
    _fields_ = (
        ("internal", ctypes.c_void_p),
        ("internal_high", ctypes.c_void_p),
        ("offset", ctypes.c_uint64),
        ("event", wintypes.HANDLE),
    )


def make(name: str, sddl: str, *, first: bool) -> int:
    """Return the handle of a new end to listen at, for overlapped use.

    Args:
        name: the pipe's whole name.
        sddl: who may do what; it counts with the first end only.
        first: whether there must be none yet.

    Raises:
        OSError: there is one already (PermissionError), or it cannot be made.
    """
    flags = _DUPLEX | _OVERLAPPED | (_FIRST if first else 0)
    with security.attributes(sddl) as guarded:
        handle = _kernel.CreateNamedPipeW(
            name,
            flags,
            _BYTES | _REJECT_REMOTE,
            _INSTANCES_AT_MOST,
            _BUFFER_BYTES,
            _BUFFER_BYTES,
            0,
            ctypes.byref(guarded),
        )
    return _checked(handle)


def is_there(name: str) -> bool:
    """Tell whether somebody has a pipe of that name; who takes it a moment later is met by `make`."""
    return bool(_kernel.WaitNamedPipeW(name, 1)) or ctypes.get_last_error() == _ALL_TAKEN


def client_of(handle: int) -> tuple[str, bool]:
    """Return a client's SID and whether they are an administrator, as the connection itself tells.

    A process id could be another process's by now. Something must have been read from the client before.

    Raises:
        OSError: the client does not let itself be known.
    """
    if not _advapi.ImpersonateNamedPipeClient(handle):
        raise tokens.error()
    try:
        return tokens.of_this_thread()
    finally:
        if not _advapi.RevertToSelf():
            os.abort()  # going on with somebody else's rights is the one thing that must not be


def owner_of(handle: int) -> str:
    """Return the SID of a pipe's owner: whoever made its first end, and nobody can give it to somebody else.

    An ordinary user may not ask about the process at the other end when it is the system's, but about the pipe.

    Raises:
        OSError: it may not be asked.
    """
    owner = security.of_handle(handle, only_owner=True).removeprefix("O:")
    return SHORT_NAMES.get(owner, owner)


def close(handle: int) -> None:
    """Close an end."""
    _kernel.CloseHandle(handle)


def knock(name: str, wait_seconds: float) -> int:
    """Return the handle of an end that asks, for overlapped use.

    Raises:
        OSError: nobody listens (FileNotFoundError), or all ends stay busy.
    """
    handle = _open(name)
    if handle == _INVALID and ctypes.get_last_error() == _BUSY:
        _kernel.WaitNamedPipeW(name, round(wait_seconds * 1000))
        handle = _open(name)
    return _checked(handle)


def _open(name: str) -> int | None:
    opened: int | None = _kernel.CreateFileW(
        name, KNOCK, 0, None, _OPEN_EXISTING, _OVERLAPPED | _IDENTIFICATION, None
    )
    return opened


def _checked(handle: int | None) -> int:
    if handle is None or handle == _INVALID:
        raise tokens.error()
    return handle


class AskingEnd:
    """An end that asks, with a time limit on each step; a context manager that closes it.

    Args:
        handle: from `knock`.
        seconds: how long one step may take.
    """

    def __init__(self, handle: int, seconds: float) -> None:
        self._handle, self._milliseconds = handle, round(seconds * 1000)
        self._event = _kernel.CreateEventW(None, True, False, None)
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; a second time does nothing."""
        handle, self._handle = self._handle, 0
        if handle:
            _kernel.CloseHandle(handle)
            _kernel.CloseHandle(self._event)

    @property
    def owner(self) -> str:
        """The SID of the pipe's owner."""
        return owner_of(self._handle)

    def sendall(self, content: bytes) -> None:
        """Send all of it; raise OSError if the other end is gone, TimeoutError if it does not read."""
        while content:
            content = content[
                self._do(_kernel.WriteFile, ctypes.create_string_buffer(content, len(content))) :
            ]

    def readline(self, limit: int) -> bytes:
        """Return a line with its end, or what there is at the limit or when the other end is gone."""
        while b"\n" not in self._rest and len(self._rest) < limit:
            room = ctypes.create_string_buffer(_BUFFER_BYTES)
            try:
                length = self._do(_kernel.ReadFile, room)
            except BrokenPipeError:
                break
            if not length:
                break
            self._rest += room.raw[:length]
        end = self._rest.find(b"\n") + 1 or len(self._rest)
        line, self._rest = self._rest[: min(end, limit)], self._rest[min(end, limit) :]
        return line

    def _do(self, call: "ctypes._NamedFuncPointer", room: "ctypes.Array[ctypes.c_char]") -> int:
        step = _Overlapped(event=self._event)
        done = wintypes.DWORD()
        if not call(self._handle, room, len(room), None, ctypes.byref(step)):
            if ctypes.get_last_error() != _PENDING:
                raise tokens.error()
            if _kernel.WaitForSingleObject(self._event, self._milliseconds) != _WAIT_DONE:
                _kernel.CancelIoEx(self._handle, ctypes.byref(step))
                # What is under way writes into `room`: it must have ended before that is given up.
                _kernel.GetOverlappedResult(self._handle, ctypes.byref(step), ctypes.byref(done), True)
                raise TimeoutError
        if not _kernel.GetOverlappedResult(self._handle, ctypes.byref(step), ctypes.byref(done), True):
            raise tokens.error()
        return done.value
