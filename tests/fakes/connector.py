"""The kernel's end of the process connector: a socket pair, on which the real filter is run by the real kernel."""

import errno
import socket
import struct
from typing import Any

KERNEL = (0, 1)
"""Its address: port 0, and the multicast group."""
EXEC, EXIT, FORK = 0x2, 0x80000000, 0x1


def message(what: int, pid: int, group: int) -> bytes:
    """Return what the kernel sends of a process or thread (linux/cn_proc.h)."""
    return (
        struct.pack("=IHHII", 76, 3, 0, 0, 0)
        + struct.pack("=IIIIHH", 1, 1, 0, 0, 40, 0)
        + struct.pack("=IIQII", what, 0, 0, pid, group)
        + bytes(16)
    )


def exec_of(pid: int) -> bytes:
    """Return what is sent when a process executes a program."""
    return message(EXEC, pid, pid)


def exit_of(pid: int) -> bytes:
    """Return what is sent when a process ends."""
    return message(EXIT, pid, pid)


class Connector(socket.socket):
    """The agent's end; it takes what a netlink socket takes, and keeps what the agent asks for."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        super().__init__(socket.AF_UNIX, socket.SOCK_DGRAM, fileno=ours.detach())
        theirs.setblocking(False)
        self._kernel = theirs
        self._losses, self._is_full = 0, False
        self.sender = KERNEL
        self.asked: list[bytes] = []
        self.refuses: dict[str, OSError] = {}
        """What a call raises, by its name."""

    def bind(self, address: Any) -> None:
        """Join the group."""
        self._refuse("bind")
        assert address == (0, 1)

    def send(self, data: Any, flags: int = 0) -> int:
        """Ask the kernel."""
        self._refuse("send")
        self.asked.append(bytes(data))
        return len(data) + flags

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
        """Receive; with what was lost comes the error of netlink(7), once."""
        if self._losses:
            self._losses -= 1
            raise OSError(errno.ENOBUFS, "No buffer space available")
        try:
            return super().recvfrom(size, flags)[0], self.sender
        except BlockingIOError:
            self._is_full = False
            raise

    def tell(self, untrusted_bytes: bytes) -> None:
        """Let the kernel send; where there is no room it says so once, until all that waits was read."""
        try:
            self._kernel.send(untrusted_bytes)
        except BlockingIOError:
            self._losses += not self._is_full
            self._is_full = True

    def lose(self) -> None:
        """Let the kernel find no room; the socket is readable then, as it is by what is told next."""
        self._losses += 1
        self._kernel.send(exec_of(7))

    def close_both(self) -> None:
        """Let go of both ends."""
        self.close()
        self._kernel.close()

    def _refuse(self, call: str) -> None:
        if call in self.refuses:
            raise self.refuses[call]
