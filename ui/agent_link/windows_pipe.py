"""The way to an agent that listens at a named pipe, and who that is: the pipe's owner, as Windows says.

Qt's own way asks for GENERIC_WRITE, which is more than an agent's pipe gives to anybody (`contract.access.KNOCK`), and lets the listener act
for the user. So the pipe is opened here and then given to Qt. An ordinary user may not ask about a process of the system's, but about the
pipe: its owner is whoever made its first end, and nobody can give it to somebody else.
"""

import sys

import pywintypes
import win32con
import win32file
import win32pipe
import win32security
import winerror
from PySide6.QtNetwork import QLocalSocket

from contract.access import KNOCK
from contract.users import number_of_sid

assert sys.platform == "win32"  # tells the type checker whose calls these are

PATIENCE_MILLISECONDS = 100
"""How long a pipe is waited for whose agent is just letting somebody else in; the window stands still for so long."""
_HOW = win32con.FILE_FLAG_OVERLAPPED | 0x00110000
"""Overlapped, as Qt reads and writes; SECURITY_SQOS_PRESENT and SECURITY_IDENTIFICATION: who listens cannot act for the user."""


def connect(link: QLocalSocket, place: str) -> bool:
    """Connect; return True, since it is done at once.

    Raises:
        OSError: nobody listens there.
    """
    try:
        handle = _knock(place)
    except pywintypes.error as error:
        raise OSError(error.winerror, error.strerror) from error
    if not link.setSocketDescriptor(int(handle.Detach())):
        raise OSError(f"Qt does not take the pipe {place}")
    return True


def peer_uid(descriptor: int) -> int | None:
    """Return the number of the pipe's owner; None if the system does not tell.

    Args:
        descriptor: the handle of a connected pipe; it stays the caller's own.
    """
    try:
        told = win32security.GetSecurityInfo(
            descriptor, win32security.SE_KERNEL_OBJECT, win32security.OWNER_SECURITY_INFORMATION
        )
        return number_of_sid(win32security.ConvertSidToStringSid(told.GetSecurityDescriptorOwner()))
    except (pywintypes.error, ValueError):
        return None


def _knock(place: str) -> pywintypes.HANDLEType:
    try:
        return win32file.CreateFile(place, KNOCK, 0, None, win32con.OPEN_EXISTING, _HOW, None)
    except pywintypes.error as error:
        if error.winerror != winerror.ERROR_PIPE_BUSY:
            raise
    win32pipe.WaitNamedPipe(place, PATIENCE_MILLISECONDS)
    return win32file.CreateFile(place, KNOCK, 0, None, win32con.OPEN_EXISTING, _HOW, None)
