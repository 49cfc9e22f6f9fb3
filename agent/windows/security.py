"""Who may do what with a thing of Windows, as text in the security descriptor definition language (SDDL)."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import wintypes

from agent.windows import tokens

assert sys.platform == "win32"  # tells the type checker whose calls these are

_REVISION = 1
_OWNER, _DACL, _PROTECTED = 0x1, 0x4, 0x80000000
_FILE, _KERNEL_OBJECT = 1, 6
_ALREADY_EXISTS = 183
_advapi = ctypes.WinDLL("advapi32", use_last_error=True)
_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_kernel.LocalFree.argtypes = (ctypes.c_void_p,)
_advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW.argtypes = (
    wintypes.LPCWSTR,
    wintypes.DWORD,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
)
_advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW.argtypes = (
    ctypes.c_void_p,
    wintypes.DWORD,
    wintypes.DWORD,
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
)
_POINTERS = (ctypes.c_void_p,) * 4
_advapi.GetNamedSecurityInfoW.argtypes = (
    wintypes.LPCWSTR,
    ctypes.c_int,
    wintypes.DWORD,
    *_POINTERS,
    ctypes.POINTER(ctypes.c_void_p),
)
_advapi.GetSecurityInfo.argtypes = (
    wintypes.HANDLE,
    ctypes.c_int,
    wintypes.DWORD,
    *_POINTERS,
    ctypes.POINTER(ctypes.c_void_p),
)
_advapi.SetFileSecurityW.argtypes = wintypes.LPCWSTR, wintypes.DWORD, ctypes.c_void_p
_kernel.CreateDirectoryW.argtypes = wintypes.LPCWSTR, ctypes.c_void_p


class SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES: what a thing is made with."""

    _fields_ = (("length", wintypes.DWORD), ("descriptor", ctypes.c_void_p), ("inherit", wintypes.BOOL))


@contextmanager
def attributes(sddl: str) -> Iterator[SecurityAttributes]:
    """Lend the attributes that a descriptor's text stands for; raise OSError if it is not of that language."""
    descriptor = ctypes.c_void_p()
    if not _advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW(
        sddl, _REVISION, ctypes.byref(descriptor), None
    ):
        raise tokens.error()
    try:
        yield SecurityAttributes(ctypes.sizeof(SecurityAttributes), descriptor, False)
    finally:
        _kernel.LocalFree(descriptor)


def of_file(path: str) -> str:
    """Return owner and list of a file or folder; raise OSError if it is not there or may not be asked."""
    descriptor = ctypes.c_void_p()
    failed = _advapi.GetNamedSecurityInfoW(
        path, _FILE, _OWNER | _DACL, None, None, None, None, ctypes.byref(descriptor)
    )
    return _text(failed, descriptor, _OWNER | _DACL)


def of_handle(handle: int, *, only_owner: bool = False) -> str:
    """Return owner and list of what a handle is for; raise OSError if it may not be asked."""
    wanted = _OWNER if only_owner else _OWNER | _DACL
    descriptor = ctypes.c_void_p()
    failed = _advapi.GetSecurityInfo(
        handle, _KERNEL_OBJECT, wanted, None, None, None, None, ctypes.byref(descriptor)
    )
    return _text(failed, descriptor, wanted)


def make_folder(path: str, sddl: str) -> None:
    """Make a folder that is guarded from its first moment; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    with attributes(sddl) as guarded:
        made = _kernel.CreateDirectoryW(path, ctypes.byref(guarded))
        if not made and ctypes.get_last_error() != _ALREADY_EXISTS:
            raise tokens.error()


def guard_file(path: str, sddl: str) -> None:
    """Give a file a list of its own, nothing inherited; raise OSError if it may not be changed."""
    with attributes(sddl) as guarded:
        if not _advapi.SetFileSecurityW(path, _DACL | _PROTECTED, guarded.descriptor):
            raise tokens.error()


def _text(failed: int, descriptor: ctypes.c_void_p, wanted: int) -> str:
    if failed:
        raise ctypes.WinError(failed)
    text = ctypes.c_void_p()
    try:
        if (
            not _advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
                descriptor, _REVISION, wanted, ctypes.byref(text), None
            )
            or text.value is None
        ):
            raise tokens.error()
        try:
            return ctypes.wstring_at(text.value)
        finally:
            _kernel.LocalFree(text)
    finally:
        _kernel.LocalFree(descriptor)
