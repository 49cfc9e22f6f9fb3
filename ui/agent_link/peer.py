"""Who listens at the other end of a local connection: the system says, never the peer itself."""

import os
import pwd
import socket
import struct

SERVICE_USER = "decorum"
_CREDENTIALS = struct.Struct("3i")


def peer_uid(descriptor: int) -> int | None:
    """Return the user at the other end, as SO_PEERCRED tells (unix(7)); None where the system does not tell.

    Args:
        descriptor: a connected unix socket; it stays the caller's own.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    try:
        with socket.socket(fileno=os.dup(descriptor)) as connection:
            credentials = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    except OSError:
        return None
    uid: int = _CREDENTIALS.unpack(credentials)[1]
    return uid


def service_uid() -> int | None:
    """Return the user that the system's service runs as, if this machine has one."""
    try:
        return pwd.getpwnam(SERVICE_USER).pw_uid
    except KeyError:
        return None
