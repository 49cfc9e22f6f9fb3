"""The gate: a request is read whole, bounded in size and time, before a thread is given to it.

A WSGI application reads a body while it holds a thread; a few clients that send theirs a byte at a time would hold them all. So
bodies are read here, on the worker's event loop (RSGI, Granian's own interface), where a client that waits costs a little memory.
"""

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import msgspec

from contract import wire
from contract.messages import LIMIT_BYTES, Refusal
from server.lane import Lane

BODY_SECONDS = 20.0
"""How long a client may take to send a body."""
FORM_LIMIT_BYTES = 4 * 1024 * 1024
"""The largest body of all: a policy as a form sends it, each byte as three."""
LARGE_AT_ONCE = 8
"""How many bodies over a device's limit are read at the same time: policies, and what pretends to be one."""

Headers = list[tuple[str, str]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


JSON: Headers = [("content-type", "application/json"), ("cache-control", "no-store")]


class Scope(Protocol):
    """What Granian says of a request (RSGI 1.6), as far as it is used here."""

    client: str
    server: str
    scheme: str
    method: str
    path: str
    query_string: str
    http_version: str
    headers: Any


class Exchange(Protocol):
    """Granian's other end of a request: gives the body, takes the response."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the body in pieces."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer."""


class _NotTakenError(Exception):
    """A body that is not read to its end."""

    def __init__(self, status: int, reason: str, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.status, self.refusal = status, Refusal(reason=reason, detail=detail, remedy=remedy)


class Response(msgspec.Struct, frozen=True):
    """What a WSGI application answered."""

    status: int
    headers: Headers
    body: bytes


class Gate:
    """Owns the threads; never looks into what it passes on.

    Args:
        application: any WSGI application whose answers fit into memory.
        threads: how many requests it works at at once.
        body_seconds: how long a body may take.
        lane: what answers many requests of one kind at once.
    """

    def __init__(
        self, application: Wsgi, threads: int, body_seconds: float = BODY_SECONDS, lane: Lane | None = None
    ) -> None:
        self._application, self._body_seconds, self._lane = application, body_seconds, lane
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def answer(self, scope: Scope, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            body = await self._body(scope, exchange)
        except _NotTakenError as error:
            response = Response(error.status, JSON, wire.encode(error.refusal))
        else:
            response = await self._response(environ(scope, body))
        exchange.response_bytes(response.status, response.headers, response.body)

    async def _response(self, request: dict[str, Any]) -> Response:
        if self._lane is not None and request["PATH_INFO"] == self._lane.path:
            answer = await self._lane.answer(request)
            if answer is not None:
                return Response(200, JSON, answer)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._work, request)

    async def _body(self, scope: Scope, exchange: Exchange) -> bytes:
        """Return the body; one of unknown length counts as none, as WSGI has it (PEP 3333)."""
        length = str(scope.headers.get("content-length") or "0")
        length_bytes = (
            int(length) if length.isascii() and length.isdigit() and len(length) < 16 else sys.maxsize
        )
        if length_bytes == 0:
            return b""
        if length_bytes > FORM_LIMIT_BYTES:
            raise _NotTakenError(413, "too_large", "The request is too large.", "Send less at once.")
        try:
            async with asyncio.timeout(self._body_seconds):
                if length_bytes <= LIMIT_BYTES:
                    return await _read(exchange, length_bytes)
                async with self._large:
                    return await _read(exchange, length_bytes)
        except TimeoutError as error:
            raise _NotTakenError(
                408, "too_slow", "The request did not arrive in time.", "Try again."
            ) from error

    def _work(self, request: dict[str, Any]) -> Response:
        """Return the application's answer; runs in a thread."""
        told: list[tuple[int, Headers]] = []

        def start(status: str, headers: Headers, _error: object = None) -> None:
            told.append((int(status.partition(" ")[0]), headers))

        chunks = self._application(request, start)
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        status, headers = told[-1]
        return Response(status, headers, body)


async def _read(exchange: Exchange, length_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in exchange:
        body += chunk
        if len(body) >= length_bytes:
            break
    if len(body) != length_bytes:
        raise _NotTakenError(400, "incomplete", "The request broke off.", "Try again.")
    return bytes(body)


def environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """Return a request as PEP 3333 has it.

    A header with an underscore is left out: it would read as the one with hyphens, which our own proxy may have set.
    """
    name, _, port = scope.server.rpartition(":")
    request: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for header, value in scope.headers.items():
        if "_" in header:
            continue
        key = header.upper().replace("-", "_")
        key = key if key in {"CONTENT_LENGTH", "CONTENT_TYPE"} else f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        request[key] = f"{request[key]}{joint}{value}" if key in request else value
    return request
