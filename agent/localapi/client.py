"""The local interface's asking side, for the command line: one question, one answer, nothing but sockets or pipes."""

from collections.abc import Mapping
from typing import Self, TypeVar

import msgspec

from agent.errors import AgentAbsentError, AgentError
from agent.localapi.this_system import connect
from agent.localapi.transport import Connection
from agent.this_user import own_uid, service_uid
from contract import wire
from contract.errors import MalformedError
from contract.local import LINE_LIMIT_BYTES, METHODS, REPLY_SECONDS, Hello, HelloReply, Reply
from contract.places import sockets_to_try, trusted_owner
from contract.version import LOCAL_VERSION

T = TypeVar("T")


class AgentAnswerError(AgentError):
    """The agent answered with a refusal, or not in the agreed form."""

    title = "The agent did not answer this"


class LocalClient:
    """A connection to the agent of this device; a context manager that ends it.

    Args:
        socket_path: where it listens; None to try the usual places.
        environ: the environment, which may name them.

    Raises:
        AgentAbsentError: nobody listens.
        AgentAnswerError: somebody listens who is not the agent.
    """

    def __init__(self, socket_path: str | None, environ: Mapping[str, str]) -> None:
        places = (socket_path,) if socket_path else sockets_to_try(environ, own_uid())
        for place in places:
            connection = connect(place, REPLY_SECONDS)
            if connection is not None:
                self._connection: Connection = connection
                self._number = 0
                self._greet(place)
                return
        raise AgentAbsentError(" or ".join(places))

    def ask(self, method: str, params: object, kind: type[T]) -> T:
        """Return the answer to one question.

        Raises:
            AgentAnswerError: refused, late, or malformed.
        """
        self._number += 1
        question = {"jsonrpc": "2.0", "id": self._number, "method": METHODS[method].name, "params": params}
        try:
            self._connection.sendall(wire.encode(question) + b"\n")
            line = self._connection.readline(LINE_LIMIT_BYTES + 1)
        except TimeoutError as error:
            raise AgentAnswerError(f"No answer in {REPLY_SECONDS:g} s.", "Restart the agent.") from error
        except OSError as error:
            raise AgentAnswerError(f"The connection broke ({error}).", "Try again.") from error
        return _result(line, kind)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _greet(self, place: str) -> None:
        try:
            self._check_owner(place)
            self.agent_version = self.ask("hello", Hello(LOCAL_VERSION), HelloReply).agent
        except AgentError:
            self.close()
            raise

    def _check_owner(self, place: str) -> None:
        uid = self._connection.peer_uid
        if uid is None or not trusted_owner(place, uid, own_uid(), service_uid()):
            raise AgentAnswerError(
                f"User {uid} listens at {place}, who is not the agent.", "Tell your administrator."
            )


def _result(line: bytes, kind: type[T]) -> T:
    try:
        reply = wire.decode(Reply, line, limit_bytes=LINE_LIMIT_BYTES)
        if reply.error is not None:
            raise AgentAnswerError(reply.error.message, reply.error.remedy)
        return wire.decode(kind, bytes(reply.result or msgspec.Raw(b"{}")), limit_bytes=LINE_LIMIT_BYTES)
    except MalformedError as error:
        raise AgentAnswerError(
            f"Its answer is malformed: {error.detail}", "Update Decorum as a whole."
        ) from error
