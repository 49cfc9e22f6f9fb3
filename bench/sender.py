"""Sends requests that are ready to leave, from a process of its own, over so many connections at once; prints what it took.

`python -m bench.sender PORT FILE`; the file holds a JSON list of lanes, each a list of requests, as `bench.server_load` writes it.
One thread and plain sockets, so that it takes as little as it can of the cores that it shares with what it measures.
"""

import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

PATIENCE_SECONDS = 60.0


class Sent(msgspec.Struct, frozen=True):
    """What sending took."""

    seconds: float
    processor_seconds: float
    """Of this process."""
    milliseconds: tuple[float, ...]
    """How long each answer took that was a good one."""


class Lane:
    """Owns a connection that has one request under way at a time."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._waiting, self._answer, self._began = deque(requests), b"", 0.0

    def send(self) -> bool:
        """Send the next request; tell whether there was one."""
        if not self._waiting:
            return False
        self._answer, self._began = b"", time.perf_counter()
        self.socket.sendall(self._waiting.popleft())
        return True

    def receive(self) -> tuple[bool, float] | None:
        """Return whether the answer was a good one and its milliseconds; None while it is not complete.

        Raises:
            ConnectionError: the answer broke off.
        """
        piece = self.socket.recv(256 * 1024)
        if not piece:
            raise ConnectionError("the answer broke off")
        self._answer += piece
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return None
        return head.startswith(b"HTTP/1.1 200 "), (time.perf_counter() - self._began) * 1000


def _length(head: bytes) -> int:
    named = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return next(int(value) for name, _, value in named if name.lower() == b"content-length")


def send(port: int, lanes: Sequence[Sequence[bytes]]) -> Sent:
    """Send all, each lane one after the other."""
    took: list[float] = []
    with selectors.DefaultSelector() as selector:
        busy = [Lane(port, requests) for requests in lanes]
        for lane in busy:
            selector.register(lane.socket, selectors.EVENT_READ, lane)
        began, processor = time.perf_counter(), time.process_time()
        left = sum(lane.send() for lane in busy)
        while left:
            for key, _ in selector.select(PATIENCE_SECONDS):
                lane = key.data
                answer = lane.receive()
                if answer is None:
                    continue
                is_good, milliseconds = answer
                if is_good:
                    took.append(milliseconds)
                if not lane.send():
                    left -= 1
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
        for lane in busy:
            lane.socket.close()
    return Sent(seconds, processor, tuple(took))


def main(port: int, file: Path) -> None:
    """Send, and print what it took as JSON."""
    lanes = msgspec.json.decode(file.read_bytes(), type=list[list[bytes]])
    print(msgspec.json.encode(send(port, lanes)).decode())


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
