"""The local interface's listening side: one JSON object per line on a unix socket or a named pipe (see `contract.local`).

Every line is bounded, every caller's role comes from the system, and no method can be served whose permission is not declared.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import msgspec

from agent.localapi.pace import Pace
from agent.localapi.peer import Peer, peer_of, role_of
from agent.localapi.this_system import listener
from agent.this_user import own_uid
from contract import wire
from contract.errors import DecorumError, MalformedError
from contract.local import LINE_LIMIT_BYTES, MAY, METHODS, ErrorBody, Hello, HelloReply, Reply, Request, Role
from contract.places import Scope
from contract.version import LOCAL_VERSION, VERSION

CONNECTIONS_AT_MOST = 64
CONNECTIONS_OF_ONE_USER = 8
"""So that nobody can keep others from asking. All strangers count as one: a namespace lends anybody thousands of users."""
FORGETTING_SECONDS = 1.0
STOPPING_SECONDS = 2.0
FORGOTTEN_LINES_AT_MOST = 16
_log = logging.getLogger(__name__)


class Caller(msgspec.Struct, frozen=True):
    """Who asks."""

    role: Role
    uid: int | None
    connection: int = 0
    """Which of the connections it is; none is numbered twice in one run."""

    @property
    def user(self) -> int | None:
        """The user whom the caller counts as; None for every stranger."""
        return None if self.role == "stranger" else self.uid

    @property
    def sees_uid(self) -> int | None:
        """The user whose data the caller may see; None for everybody's."""
        return None if self.role == "owner" else self.uid


Handler = Callable[[Caller, object], object]


class Client:
    """One connection, which may have subscribed."""

    def __init__(self, caller: Caller, writer: asyncio.StreamWriter) -> None:
        self.caller = caller
        self.subscribed = False
        self._writer = writer

    def drop(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    def send(self, reply: Reply) -> None:
        """Send one line; a peer that does not read is dropped before it costs memory."""
        if self._writer.transport.get_write_buffer_size() > LINE_LIMIT_BYTES:
            self.drop()
            return
        self._writer.write(wire.encode(reply) + b"\n")


class LocalServer:
    """Owns the socket and the connections; the handlers own the answers.

    Args:
        path: where to listen: a socket's path or a pipe's name.
        scope: whom the agent serves.
        handlers: one for each method but `hello`, by name.
        on_subscribe: called when a client has subscribed.
        on_end: called with the caller when a connection has ended.
        identify_peer: how a socket's peer is learnt; the system's way by default. A pipe tells its own.

    Raises:
        ValueError: a method without a handler, or a handler without a declared method.
    """

    def __init__(
        self,
        path: Path,
        scope: Scope,
        handlers: Mapping[str, Handler],
        on_subscribe: Callable[[Client], None],
        identify_peer: Callable[[socket.socket], Peer] = peer_of,
        on_end: Callable[[Caller], None] = lambda _: None,
    ) -> None:
        if set(handlers) | {"hello"} != set(METHODS):
            raise ValueError(f"handlers and declared methods differ: {set(handlers) ^ set(METHODS)}")
        self._scope, self._handlers = scope, handlers
        self._on_subscribe, self._identify_peer, self._on_end = on_subscribe, identify_peer, on_end
        self._numbers = count(1)
        self._listener = listener(path, scope)
        self._own_uid = own_uid()
        self._pace = Pace()
        self._serving: set[asyncio.Task[None]] = set()
        self.clients: set[Client] = set()

    async def start(self) -> None:
        """Listen; on a system's socket everybody may knock, on a user's only that user.

        Raises:
            StateError: the folder cannot be written, or the place is taken.
        """
        await self._listener.start(self._begin)

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        self._listener.stop()
        for client in tuple(self.clients):
            client.drop()
        for serving in self._serving:
            serving.cancel()
        if self._serving:
            await asyncio.wait(self._serving, timeout=STOPPING_SECONDS)
        await self._listener.remove()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peer") or self._identify_peer(writer.get_extra_info("socket"))
        role = role_of(peer, self._scope, self._own_uid)
        client = Client(Caller(role, peer.uid, next(self._numbers)), writer)
        own = sum(other.caller.user == client.caller.user for other in self.clients)
        if len(self.clients) >= CONNECTIONS_AT_MOST or own >= CONNECTIONS_OF_ONE_USER:
            client.send(_failure(None, -32001, "Too many connections.", "Close some, then try again."))
            writer.close()
            return
        self.clients.add(client)
        try:
            while line := await reader.readline():
                await self._answer_in_turn(client, line)
                await writer.drain()
        except ValueError:
            client.send(_failure(None, -32600, "A line is too long.", "Send shorter lines."))
            await _forget_rest(reader, writer)
        except ConnectionError:
            pass
        finally:
            self.clients.discard(client)
            writer.close()
            self._on_end(client.caller)

    async def _answer_in_turn(self, client: Client, untrusted_line: bytes) -> None:
        clock, user = asyncio.get_running_loop().time, client.caller.user
        await asyncio.sleep(self._pace.wait_seconds(user, clock()))
        began = clock()
        client.send(self.answer(client, untrusted_line))
        self._pace.answered(user, clock(), clock() - began)

    def answer(self, client: Client, untrusted_line: bytes) -> Reply:
        """Return the reply to one line, whatever it holds."""
        try:
            request = wire.decode(Request, untrusted_line, limit_bytes=LINE_LIMIT_BYTES)
        except MalformedError as error:
            return _failure(None, -32600, error.detail, error.remedy)
        method = METHODS.get(request.method)
        if method is None:
            return _failure(request.id, -32601, f"There is no method {request.method}.", "Update the caller.")
        if method.permission not in MAY[client.caller.role]:
            return _failure(request.id, -32001, "You may not ask this.", "Ask as the device's own user.")
        try:
            params: object = wire.decode(method.params, bytes(request.params), limit_bytes=LINE_LIMIT_BYTES)
            if isinstance(params, Hello) and params.version > LOCAL_VERSION:
                told = f"This agent speaks version {LOCAL_VERSION}, not {params.version}."
                return _failure(request.id, -32002, told, "Update the agent.")
            result = self._result(client, request.method, params)
        except MalformedError as error:
            return _failure(request.id, -32602, error.detail, error.remedy)
        except DecorumError as error:
            return _failure(request.id, -32603, error.detail, error.remedy)
        except Exception:  # noqa: BLE001  # a fault of ours must not end the connection; the log has it in full
            _log.exception("the method %s failed", request.method)
            return _failure(request.id, -32603, "Something went wrong here.", "See the agent's log.")
        return Reply(jsonrpc="2.0", id=request.id, result=msgspec.Raw(wire.encode(result)))

    def _result(self, client: Client, name: str, params: object) -> object:
        if isinstance(params, Hello):
            return HelloReply(VERSION, LOCAL_VERSION)
        result = self._handlers[name](client.caller, params)
        if name == "subscribe" and not client.subscribed:
            client.subscribed = True
            asyncio.get_running_loop().call_soon(self._on_subscribe, client)
        return result


async def _forget_rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read on for a moment: a connection that is closed with unread bytes takes the answer with it."""
    if writer.can_write_eof():
        writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FORGETTING_SECONDS):
            for _ in range(FORGOTTEN_LINES_AT_MOST):
                if not await reader.read(LINE_LIMIT_BYTES):
                    return


def notification(method: str, params: object) -> Reply:
    """Return the line that tells a subscriber something."""
    return Reply(jsonrpc="2.0", method=method, params=msgspec.Raw(wire.encode(params)))


def _failure(request_id: int | None, code: int, message: str, remedy: str) -> Reply:
    return Reply(jsonrpc="2.0", id=request_id, error=ErrorBody(code=code, message=message, remedy=remedy))
