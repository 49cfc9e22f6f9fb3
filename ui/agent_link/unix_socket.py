"""The way to an agent that listens at a unix socket, and who that is: the system says, never the peer itself."""

import os
import socket
import struct
import sys

from PySide6.QtNetwork import QLocalSocket

from contract.users import XUCRED, uid_in_xucred

assert sys.platform != "win32"  # tells the type checker whose calls these are

_UCRED = struct.Struct("3i")
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
"""unix(4) of macOS; Python has no names for them."""


def connect(link: QLocalSocket, place: str) -> bool:
    """Begin to connect; return False, since Qt's signal tells when it has."""
    link.connectToServer(place)
    return False


def peer_uid(descriptor: int) -> int | None:
    """Return the user at the other end, as SO_PEERCRED tells (unix(7)), or LOCAL_PEERCRED on macOS; None if the system does not tell.

    Args:
        descriptor: a connected unix socket; it stays the caller's own.
    """
    try:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            if sys.platform == "darwin":
                return uid_in_xucred(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, XUCRED.size))
            else:  # noqa: RET505  # the type checker passes over a branch, not over what follows one
                told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
                return int(_UCRED.unpack(told)[1])
    except (OSError, struct.error):
        return None
