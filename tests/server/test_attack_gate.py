"""Clients that send slowly, too much, or not to the end: they wait for themselves and for nobody else."""

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from server.gate import FORM_LIMIT_BYTES, LARGE_AT_ONCE, Gate, Headers, environ
from tests.server.conftest import Environ
from tests.server.running_server import Server


class FakeHeaders:
    """Headers as Granian gives them: in order, some of them twice."""

    def __init__(self, headers: tuple[tuple[str, str], ...]) -> None:
        self._headers = headers

    def items(self) -> list[tuple[str, str]]:
        return list(self._headers)

    def get(self, name: str) -> str | None:
        return dict(self._headers).get(name)


class FakeScope:
    """A request as Granian tells it."""

    client, server, scheme, http_version = "192.0.2.7:40000", "[::1]:8420", "http", "1.1"
    method, path, query_string = "POST", "/agent/v1/check-in", "a=%20"

    def __init__(self, *headers: tuple[str, str]) -> None:
        self.headers = FakeHeaders(headers)


class FakeExchange:
    """A body in pieces, and what was answered; after the last piece the client waits for ever, or is gone."""

    def __init__(self, *pieces: bytes, waits: bool = False) -> None:
        self._pieces, self._waits = pieces, waits
        self.is_read = asyncio.Event()
        self.told: list[tuple[int, bytes]] = []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        self.is_read.set()
        if self._waits:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, _headers: Headers, body: bytes) -> None:
        self.told.append((status, body))


class Answer:
    """What a WSGI application returns; remembers whether it was closed."""

    is_closed = False

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        self.is_closed = True


def _echo(request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    start("200 OK", [("content-type", "text/plain")])
    return [b"got ", request["wsgi.input"].read()]


def _asked(scope: FakeScope, exchange: FakeExchange, seconds: float = 5.0) -> tuple[int, bytes]:
    asyncio.run(Gate(_echo, 1, seconds).answer(scope, exchange))
    (told,) = exchange.told
    return told


def test_a_whole_body_reaches_the_application() -> None:
    assert _asked(FakeScope(("content-length", "5")), FakeExchange(b"ab", b"c", b"de")) == (200, b"got abcde")


def test_an_answer_is_closed_once_it_was_taken() -> None:
    answer = Answer(b"a", b"b")

    def application(_request: dict[str, Any], start: Callable[..., Any]) -> Answer:
        start("201 Created", [])
        return answer

    exchange = FakeExchange()
    asyncio.run(Gate(application, 1).answer(FakeScope(), exchange))
    assert exchange.told == [(201, b"ab")]
    assert answer.is_closed


def test_a_body_that_does_not_arrive_in_time_is_given_up() -> None:
    status, body = _asked(FakeScope(("content-length", "5")), FakeExchange(b"ab", waits=True), 0.05)
    assert (status, json.loads(body)["reason"]) == (408, "too_slow")


def test_a_body_that_breaks_off_reaches_nobody() -> None:
    status, body = _asked(FakeScope(("content-length", "5")), FakeExchange(b"ab"))
    assert (status, json.loads(body)["reason"]) == (400, "incomplete")


@pytest.mark.parametrize("length", [str(FORM_LIMIT_BYTES + 1), "9" * 5000, "-1", "٣", "1e3"])
def test_a_body_that_is_too_large_is_not_read(length: str) -> None:
    exchange = FakeExchange(b"ab", waits=True)
    status, body = _asked(FakeScope(("content-length", length)), exchange)
    assert (status, json.loads(body)["reason"]) == (413, "too_large")
    assert not exchange.is_read.is_set()


def test_large_bodies_wait_for_each_other_and_small_ones_for_none() -> None:
    large = FakeScope(("content-length", str(FORM_LIMIT_BYTES)))

    async def attack() -> tuple[int, list[tuple[int, bytes]]]:
        gate = Gate(_echo, 1)
        slow = [FakeExchange(b"x", waits=True) for _ in range(LARGE_AT_ONCE + 3)]
        waiting = [asyncio.ensure_future(gate.answer(large, one)) for one in slow]
        for one in slow[:LARGE_AT_ONCE]:
            await one.is_read.wait()
        small = FakeExchange(b"ab")
        await gate.answer(FakeScope(("content-length", "2")), small)
        for task in waiting:
            task.cancel()
        return sum(one.is_read.is_set() for one in slow), small.told

    assert asyncio.run(attack()) == (LARGE_AT_ONCE, [(200, b"got ab")])


def test_a_body_of_unknown_length_counts_as_none() -> None:
    exchange = FakeExchange(b"ab", waits=True)
    assert _asked(FakeScope(("transfer-encoding", "chunked")), exchange) == (200, b"got ")


def test_a_request_reads_as_wsgi_has_it() -> None:
    scope = FakeScope(
        ("host", "a"),
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("content-type", "text/plain"),
        ("x_forwarded_for", "198.51.100.1"),
        ("x_forwarded_proto", "https"),
    )
    scope.path = "/ä"
    request = environ(scope, b"")
    assert request["PATH_INFO"].encode("latin-1").decode() == "/ä"
    assert (request["REMOTE_ADDR"], request["SERVER_NAME"], request["SERVER_PORT"]) == (
        "192.0.2.7",
        "[::1]",
        "8420",
    )
    assert (request["HTTP_X_TWICE"], request["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")
    assert request["CONTENT_TYPE"] == "text/plain"
    assert not any("FORWARDED" in name for name in request)


@pytest.mark.timeout(60)
def test_clients_that_never_finish_stop_nobody_else(
    tmp_path: Path, new_database: Callable[[], Environ]
) -> None:
    server = Server(tmp_path / "state", new_database())
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
    with server.running(), ExitStack() as held:
        for number in range(60):
            slow = held.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            slow.sendall(head % (b"/login/" if number % 2 else b"/agent/v1/check-in"))
        quick = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        with closing(quick):
            quick.request("POST", "/agent/v1/check-in", b"{}", {"content-type": "application/json"})
            assert quick.getresponse().status == 400
