"""The kernel's process connector: it tells of each exec and exit over a netlink socket (Linux, drivers/connector/cn_proc.c).

A filter in the kernel drops what is of no interest before it costs anything here: forks, the ends of single threads, and the ends
of processes that nobody relies on.
Since Linux 6.6 anybody may listen, before that it took CAP_NET_ADMIN. In a network namespace nobody answers, and in a pid
namespace the kernel is silent or tells the pids of another one, without an error: whoever opens this tries it with a child of its own.

>>> import struct
>>> end = struct.pack("=IIQIIII", 0x80000000, 1, 0, 4711, 4711, 0, 17)
>>> parse(struct.pack("=IHHII", 60, 3, 0, 0, 0) + struct.pack("=IIIIHH", 1, 1, 0, 0, 24, 0) + end)
(4711, 'ended')
"""

import array
import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Callable, Collection

from agent.sensing.process_events import OUTSIDE, Event, NoEventsError, Notes, Told

assert sys.platform == "linux"  # tells the type checker whose calls these are

NETLINK_CONNECTOR = 11
CN_IDX_PROC = CN_VAL_PROC = 1
"""linux/connector.h: the process connector's address, and its multicast group."""
LISTEN = 1
"""PROC_CN_MCAST_LISTEN (linux/cn_proc.h)."""
EXEC, EXIT = 0x00000002, 0x80000000
KINDS: dict[int, Event] = {EXEC: "started", EXIT: "ended"}
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
ROOM_BYTES = 1024 * 1024
"""How much may wait in the kernel: a burst of about 1,300 events, while the agent does something else."""
MESSAGE_LIMIT_BYTES = 512
_NETLINK = struct.Struct("=IHHII")
_CONNECTOR = struct.Struct("=IIIIHH")
_EVENT = struct.Struct("=IIQII")
"""What happened, processor, time, and pid and thread group id of the process; all of it in the machine's own order."""
FOLLOWED_AT_MOST = 250
_LOAD, _TO_INDEX, _ANSWER = 0x20, 0x07, 0x06
_JUMP_EQUAL, _JUMP_EQUAL_INDEX = 0x15, 0x1D
_KEEP, _DROP = 0xFFFFFFFF, 0
"""What the filter's steps are made of: a jump says how many steps are left out if it holds, and if not."""
_NLMSG_DONE = 3
_WHAT, _PID, _GROUP = 36, 52, 56
"""Offsets in a message."""

Open = Callable[[], socket.socket]


def open_connector() -> socket.socket:
    """Return a socket for the connector."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, NETLINK_CONNECTOR)


class LinuxEvents:
    """A `ProcessEvents`.

    Args:
        connect: opens the socket.
    """

    gap = None

    def __init__(self, connect: Open = open_connector) -> None:
        self._connect = connect
        self._socket: socket.socket | None = None
        self._is_listening = self._is_losing = False
        self._wake: Callable[[], None] = lambda: None
        self._notes = Notes()
        self._followed: frozenset[int] | None = None

    def open(self, wake: Callable[[], None]) -> None:
        """Begin to listen."""
        self._wake, self._notes, self._followed, self._is_losing = wake, Notes(), None, False
        try:
            self._socket = listening = self._connect()
        except OSError as error:
            raise _no_events(error) from error
        try:
            attach_filter(listening, filter_program(None))
            _make_room(listening)
            listening.setblocking(False)
            listening.bind((0, CN_IDX_PROC))
            listening.send(request(LISTEN))
        except OSError as error:
            self.close()
            raise _no_events(error) from error
        self._listen(listening)

    def take(self) -> Told:
        """Return what waits."""
        if self._socket is not None and not self._is_listening:
            self._read(self._socket)
            self._listen(self._socket)
        return self._notes.take()

    def follow(self, pids: frozenset[int] | None) -> None:
        """Tell of the ends of these alone."""
        if self._socket is not None and pids != self._followed:
            attach_filter(self._socket, filter_program(pids))
            self._followed = pids

    def close(self) -> None:
        """Listen no more."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _listen(self, listening: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(listening, self._readable, listening)
        self._is_listening = True

    def _readable(self, listening: socket.socket) -> None:
        """Read; while what was read before was not taken, let more wait in the kernel, where it costs nothing here."""
        if self._notes.is_empty:
            self._read(listening)
            self._wake()
        else:
            asyncio.get_running_loop().remove_reader(listening)
            self._is_listening = False

    def _read(self, listening: socket.socket) -> None:
        while self._is_losing or not self._notes.is_full:
            try:
                untrusted_bytes, sender = listening.recvfrom(MESSAGE_LIMIT_BYTES)
            except BlockingIOError:
                self._is_losing = False
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                # netlink(7): there was no room. The kernel says so once, and then only after all that waited was read.
                self._is_losing = True
                self._notes.add_loss()
                continue
            event = parse(untrusted_bytes)
            if event is not None and sender[0] == 0:  # the kernel's own address
                self._notes.add(*event)


def parse(untrusted_bytes: bytes) -> tuple[int, Event] | None:
    """Return pid and what happened; None for what is no such event, or of a thread that is not its process's first."""
    if len(untrusted_bytes) < _NETLINK.size + _CONNECTOR.size + _EVENT.size:
        return None
    index, value, *_ = _CONNECTOR.unpack_from(untrusted_bytes, _NETLINK.size)
    what, _, _, pid, group = _EVENT.unpack_from(untrusted_bytes, _WHAT)
    event = KINDS.get(what)
    is_ours = (index, value) == (CN_IDX_PROC, CN_VAL_PROC)
    return (pid, event) if event is not None and is_ours and pid == group else None


def request(operation: int) -> bytes:
    """Return the message that asks the connector to tell, or no more to."""
    body = _CONNECTOR.pack(CN_IDX_PROC, CN_VAL_PROC, 0, 0, 4, 0) + struct.pack("=I", operation)
    return _NETLINK.pack(_NETLINK.size + len(body), _NLMSG_DONE, 0, 0, 0) + body


def filter_program(followed: Collection[int] | None) -> bytes:
    """Return the program that lets execs and ends of a process's first thread pass (linux/filter.h, classic BPF).

    It reads words as the network has them, so that what it compares with is turned likewise.

    Args:
        followed: the pids whose ends pass; None for all, which is what too many get, too: a jump reaches 255 steps.
    """
    if followed is not None and len(followed) > FOLLOWED_AT_MOST:
        followed = None
    pids = sorted(followed or ())
    asked_for = [
        (_JUMP_EQUAL, len(pids) - number, 0, socket.htonl(pid)) for number, pid in enumerate(pids)
    ] + ([] if followed is None else [(_ANSWER, 0, 0, _DROP)])
    steps = (
        (_LOAD, 0, 0, _PID),
        (_TO_INDEX, 0, 0, 0),
        (_LOAD, 0, 0, _GROUP),
        (_JUMP_EQUAL_INDEX, 1, 0, 0),
        (_ANSWER, 0, 0, _DROP),
        (_LOAD, 0, 0, _WHAT),
        (_JUMP_EQUAL, 0, 1, socket.htonl(EXEC)),
        (_ANSWER, 0, 0, _KEEP),
        (_JUMP_EQUAL, 1, 0, socket.htonl(EXIT)),
        (_ANSWER, 0, 0, _DROP),
        (_LOAD, 0, 0, _PID),
        *asked_for,
        (_ANSWER, 0, 0, _KEEP),
    )
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def attach_filter(listening: socket.socket, program: bytes) -> None:
    """Let the kernel drop what is of no interest; raise OSError if it will not."""
    kept = array.array("B", program)
    address, length = kept.buffer_info()
    listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", length // 8, address))


def _make_room(listening: socket.socket) -> None:
    try:
        listening.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM_BYTES)
    except PermissionError:  # without CAP_NET_ADMIN there is as much as net.core.rmem_max allows
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_BYTES)


def _no_events(error: OSError) -> NoEventsError:
    if isinstance(error, PermissionError):
        return NoEventsError(
            "This kernel tells of processes only with CAP_NET_ADMIN.", "Give its service CAP_NET_ADMIN."
        )
    if isinstance(error, ConnectionRefusedError):
        return NoEventsError("Nobody tells of processes in this network namespace.", OUTSIDE)
    return NoEventsError(f"The kernel does not tell of processes: {error.strerror}.")
