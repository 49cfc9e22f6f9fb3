"""One connection to somebody who may be the agent: asks, matches answers, and ends at the first thing that is not agreed."""

import itertools
from collections.abc import Callable
from typing import Any

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtNetwork import QLocalSocket

from contract import wire
from contract.errors import MalformedError
from contract.local import LINE_LIMIT_BYTES, METHODS, REPLY_SECONDS, Reply
from ui.agent_link.lines import LineBuffer, LineTooLongError
from ui.agent_link.this_system import connect, peer_uid
from ui.link_state import LinkKind, LinkState

ASKED_AT_MOST = 32
"""How many questions may be open at once."""
Trusts = Callable[[str, int | None], bool]
"""Tells whether a user who listens at a place may be believed to be the agent."""
Then = Callable[[Any], None]


class Failure(msgspec.Struct, frozen=True):
    """Why a question got no answer, and what to do; `code` is JSON-RPC's, None if the agent did not answer at all."""

    sentence: str
    remedy: str
    code: int | None = None


Otherwise = Callable[[Failure], None]
NOT_CONNECTED = Failure("The agent is not there.", "Try again when it is.")


class _Question(msgspec.Struct, frozen=True):
    kind: type
    then: Then
    otherwise: Otherwise


class Conversation(QObject):
    """Owns one socket, its unfinished line and the questions that wait for an answer.

    Args:
        place: the socket's path.
        trusts: asked before the first byte is sent.
        reply_seconds: how long an answer may take.
    """

    opened = Signal()
    """The other end is who it should be."""
    told = Signal(str, object)
    """A notification's method and its `msgspec.Raw` parameters."""
    ended = Signal(object)
    """The last word, once: a LinkState that says why."""

    def __init__(
        self, place: str, trusts: Trusts, parent: QObject, reply_seconds: float = REPLY_SECONDS
    ) -> None:
        super().__init__(parent)
        self._place, self._trusts, self._reply_seconds = place, trusts, reply_seconds
        self._lines = LineBuffer(LINE_LIMIT_BYTES)
        self._numbers = itertools.count(1)
        self._questions: dict[int, _Question] = {}
        self._is_known = self._is_over = False
        self._socket = QLocalSocket(self)
        self._socket.setReadBufferSize(LINE_LIMIT_BYTES)
        self._socket.connected.connect(self._check_peer)
        self._socket.readyRead.connect(self._read)
        # Methods of this object, never closures: Qt lets go of them before it deletes the socket, which hangs up at its end.
        self._socket.disconnected.connect(self._on_gone)
        self._socket.errorOccurred.connect(self._on_gone)

    def open(self) -> None:
        """Connect; `opened` or `ended` follows."""
        try:
            is_connected = connect(self._socket, self._place)
        except OSError:
            QTimer.singleShot(0, self, lambda: self.end("absent"))
            return
        if is_connected:
            QTimer.singleShot(0, self, self._check_peer)

    def ask(self, method: str, params: object, then: Then, otherwise: Otherwise) -> None:
        """Ask; exactly one of the two is called, later.

        Args:
            method: one of `contract.local.METHODS`.
            params: of that method's type.
            then: gets the result, of that method's type.
            otherwise: gets the failure.
        """
        declared = METHODS[method]
        if not isinstance(params, declared.params):
            raise TypeError(f"{type(params).__name__} where {declared.params.__name__} is declared")
        if self._is_over or len(self._questions) >= ASKED_AT_MOST:
            QTimer.singleShot(0, self, lambda: otherwise(NOT_CONNECTED))
            return
        number = next(self._numbers)
        self._questions[number] = _Question(declared.result, then, otherwise)
        line = wire.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        self._socket.write(line + b"\n")
        QTimer.singleShot(round(self._reply_seconds * 1000), self, lambda: self._expire(number))

    def end(self, kind: LinkKind, detail: str = "") -> None:
        """Hang up and say why; what was asked fails."""
        if self._is_over:
            return
        self._is_over = True
        self._socket.abort()
        questions, self._questions = self._questions, {}
        for question in questions.values():
            question.otherwise(NOT_CONNECTED)
        self.ended.emit(LinkState(kind, detail))

    def _on_gone(self) -> None:
        self.end("absent")

    def _check_peer(self) -> None:
        uid = peer_uid(int(self._socket.socketDescriptor()))
        if self._trusts(self._place, uid):
            self._is_known = True
            self.opened.emit()
            self._read()
        else:
            who = "a user whom the system does not name" if uid is None else f"user {uid}"
            self.end("untrusted", f"{who} listens at {self._place}.")

    def _read(self) -> None:
        try:
            while self._is_known and not self._is_over and self._socket.bytesAvailable():
                for line in self._lines.feed(bytes(self._socket.readAll().data())):
                    if not self._is_over:
                        self._take(line)
        except LineTooLongError:
            self.end("malformed", f"a line is longer than {LINE_LIMIT_BYTES:,} bytes.")
        except MalformedError as error:
            self.end("malformed", error.detail)

    def _take(self, untrusted_line: bytes) -> None:
        reply = wire.decode(Reply, untrusted_line, limit_bytes=LINE_LIMIT_BYTES)
        if reply.method is not None:
            self.told.emit(reply.method, reply.params or msgspec.Raw(b"{}"))
        elif reply.id is not None:
            self._answer(reply.id, reply)
        elif reply.error is not None:
            self.end("refused", reply.error.message)

    def _answer(self, number: int, reply: Reply) -> None:
        question = self._questions.get(number)
        if question is None:
            return  # an answer that came after its time
        if reply.error is not None:
            del self._questions[number]
            error = reply.error
            question.otherwise(Failure(error.message, error.remedy, error.code))
            return
        result: object = wire.decode(
            question.kind, bytes(reply.result or msgspec.Raw(b"{}")), limit_bytes=LINE_LIMIT_BYTES
        )
        del self._questions[number]
        question.then(result)

    def _expire(self, number: int) -> None:
        question = self._questions.pop(number, None)
        if question is not None:
            question.otherwise(Failure(f"No answer in {self._reply_seconds:g} s.", "Try again in a moment."))
