"""An agent that speaks `contract.local` on a real unix socket, from a thread, and can misbehave.

It keeps the real constraint: whatever it is told to answer must be of the method's declared type, and goes over the wire as the
agent would encode it. What it was asked is typed, too, and kept in `asked`.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from contract import wire
from contract.local import (
    LINE_LIMIT_BYTES,
    METHODS,
    ComparisonPage,
    DisclosurePage,
    ErrorBody,
    HelloReply,
    LedgerPage,
    LedgerQuery,
    LedgerRow,
    Nothing,
    PolicyPage,
    Reminder,
    Reply,
    Request,
    Snapshot,
)
from contract.version import LOCAL_VERSION

THREAD_SECONDS = 5.0
SENT_AT_ONCE_BYTES = 32 * 1024
"""A socket takes this much without a reader."""


class LocalAgent:
    """Owns the socket and the connections.

    Args:
        path: where to listen.
        snapshot: what a subscriber is told.
    """

    def __init__(self, path: Path, snapshot: Snapshot) -> None:
        self.path = path
        self.asked: list[tuple[str, object]] = []
        """Every method that was called, with its typed parameters, in order."""
        self.answers: dict[str, object] = {
            "hello": HelloReply("0.1.0", LOCAL_VERSION),
            "status": snapshot,
            "subscribe": snapshot,
            "policy": PolicyPage(title=None, version=None, serial=0, expires=None, sections=()),
            "disclosure": DisclosurePage(
                ownership="company",
                work="exact",
                personal="nothing",
                unknown="nothing",
                notice_due=False,
                retention_days=30,
            ),
            "ledger": LedgerPage(()),
            "ledger.compare": ComparisonPage(is_running=False, result=None, problem=None),
            "notice.shown": Nothing(),
            "reminder.answer": Nothing(),
            "check_in": Nothing(),
        }
        self.errors: dict[str, ErrorBody] = {}
        """Methods that are refused."""
        self.is_silent = False
        """Whether requests are taken and never answered."""
        self.garbage: bytes | None = None
        """Sent in place of the next answer."""
        self.ledger: tuple[LedgerRow, ...] = ()
        """Newest first; if there is any, `ledger` is answered from it."""
        self._connections: list[socket.socket] = []
        self._subscribers: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Listen."""
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.path))
        listener.listen()
        self._listener = listener
        self._run(self._accept, listener)

    def stop(self) -> None:
        """Hang up and stop listening."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.path.unlink(missing_ok=True)
        self.drop()
        for thread in self._threads:
            thread.join(THREAD_SECONDS)
        self._threads.clear()

    def drop(self) -> None:
        """Hang up, and go on listening."""
        with self._lock:
            connections, self._connections, self._subscribers = self._connections, [], []
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def tell(self, what: Snapshot | Reminder) -> None:
        """Tell every subscriber."""
        method = "snapshot" if isinstance(what, Snapshot) else "reminder"
        if isinstance(what, Snapshot):
            self.answers |= {"status": what, "subscribe": what}
        self.send(
            wire.encode(Reply(jsonrpc="2.0", method=method, params=msgspec.Raw(wire.encode(what)))) + b"\n"
        )

    def send(self, raw: bytes) -> None:
        """Send bytes to every subscriber, whatever they are; many of them from a thread, since nobody may read them yet."""
        with self._lock:
            subscribers = tuple(self._subscribers)
        for connection in subscribers:
            if len(raw) <= SENT_AT_ONCE_BYTES:
                connection.sendall(raw)
            else:
                self._run(lambda end: _send_all(end, raw), connection)

    @property
    def subscribers(self) -> int:
        """How many are subscribed now."""
        with self._lock:
            return len(self._subscribers)

    def methods(self) -> list[str]:
        """Return the names of what was asked, in order."""
        return [method for method, _ in self.asked]

    def _run(self, work: Callable[[socket.socket], None], end: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(end,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.append(connection)
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            for line in _lines(connection):
                request = wire.decode(Request, line, limit_bytes=LINE_LIMIT_BYTES)
                params: object = wire.decode(
                    METHODS[request.method].params, bytes(request.params), limit_bytes=LINE_LIMIT_BYTES
                )
                self.asked.append((request.method, params))
                if not self.is_silent:
                    self._reply(connection, request, params)
        with self._lock:
            for kept in (self._connections, self._subscribers):
                if connection in kept:
                    kept.remove(connection)

    def _reply(self, connection: socket.socket, request: Request, params: object) -> None:
        if self.garbage is not None:
            raw, self.garbage = self.garbage, None
        elif request.method in self.errors:
            error = self.errors[request.method]
            raw = wire.encode(Reply(jsonrpc="2.0", id=request.id, error=error)) + b"\n"
        else:
            result = msgspec.Raw(wire.encode(self._result(request.method, params)))
            raw = wire.encode(Reply(jsonrpc="2.0", id=request.id, result=result)) + b"\n"
        if request.method == "subscribe":
            with self._lock:
                self._subscribers.append(connection)
        connection.sendall(raw)

    def _result(self, method: str, params: object) -> object:
        result = self.answers[method]
        if isinstance(params, LedgerQuery) and self.ledger:
            rows = [row for row in self.ledger if params.before is None or row.number < params.before]
            result = LedgerPage(tuple(rows[: params.limit]))
        declared = METHODS[method].result
        if not isinstance(result, declared):
            raise TypeError(f"{method} answers {declared.__name__}, not {type(result).__name__}")
        return result


def _send_all(connection: socket.socket, raw: bytes) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(raw)


def _lines(connection: socket.socket) -> Iterator[bytes]:
    with connection.makefile("rb") as stream:
        while line := stream.readline(LINE_LIMIT_BYTES + 1):
            yield line
