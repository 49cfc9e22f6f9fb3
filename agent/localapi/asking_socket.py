"""The asking end of a unix socket."""

import socket
import sys

from agent.localapi.peer import peer_of

assert sys.platform != "win32"  # tells the type checker whose calls these are


class AskingSocket:
    """Owns one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    @property
    def peer_uid(self) -> int | None:
        """The user who listens."""
        return peer_of(self._connection).uid

    def sendall(self, content: bytes) -> None:
        """Send all of it."""
        self._connection.sendall(content)

    def readline(self, limit: int) -> bytes:
        """Return a line."""
        return self._lines.readline(limit)

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._connection.close()


def connect(place: str, seconds: float) -> AskingSocket | None:
    """Return a connection, None if nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        connection.connect(place)
    except OSError:
        connection.close()
        return None
    return AskingSocket(connection)
