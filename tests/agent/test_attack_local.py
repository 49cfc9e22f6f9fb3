"""Other people of the device at the agent's socket: they may ask, and keep nobody from being heard."""

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import StateError
from agent.localapi.pace import ANSWER_SECONDS_AT_LEAST, REST_PER_ANSWER, Pace
from agent.localapi.peer import Peer
from agent.localapi.server import CONNECTIONS_AT_MOST, LocalServer
from contract.local import METHODS, Nothing

HELLO = b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"version":1}}\n'
STRANGER = 100_000
"""The first of the users that a namespace lends."""


def _server(path: Path, who: Callable[[], int]) -> LocalServer:
    complete = {name: lambda _, __: Nothing() for name in METHODS if name != "hello"}
    return LocalServer(path, "user", complete, lambda _: None, lambda _: Peer(who()))


async def _answer(reader: asyncio.StreamReader) -> str:
    told = json.loads(await asyncio.wait_for(reader.readline(), 10))
    return str(told.get("error", {}).get("message", "answered"))


def test_one_stranger_with_thousands_of_users_leaves_room_for_the_owner(tmp_path: Path) -> None:
    users = iter([*range(STRANGER, STRANGER + CONNECTIONS_AT_MOST), 0])

    async def attack() -> str:
        server = _server(tmp_path / "agent.sock", lambda: next(users))
        await server.start()
        held = []
        for _ in range(CONNECTIONS_AT_MOST):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "agent.sock")
            writer.write(HELLO)
            await _answer(reader)
            held.append(writer)
        reader, writer = await asyncio.open_unix_connection(tmp_path / "agent.sock")
        writer.write(HELLO)
        told = await _answer(reader)
        await server.stop()
        for one in (writer, *held):
            one.close()
        return told

    assert asyncio.run(attack()) == "answered"


def test_a_users_connections_wait_for_each_other_and_nobody_else_does(tmp_path: Path) -> None:
    users = iter([1, 1, 0])

    async def attack() -> tuple[str, list[str]]:
        server = _server(tmp_path / "agent.sock", lambda: next(users))
        await server.start()
        first, second, owner = [await asyncio.open_unix_connection(tmp_path / "agent.sock") for _ in range(3)]
        server._pace.answered(None, asyncio.get_running_loop().time(), 100.0)
        for _, writer in (first, second, owner):
            writer.write(HELLO)
        told = await _answer(owner[0])
        early = []
        for reader, _ in (first, second):
            try:
                async with asyncio.timeout(0.05):
                    early.append((await reader.readline()).decode())
            except TimeoutError:
                continue
        await server.stop()
        assert not server._serving, "who still waits keeps nobody from stopping"
        for _, writer in (first, second, owner):
            writer.close()
            await writer.wait_closed()
        return told, early

    assert asyncio.run(attack()) == ("answered", [])


def test_asking_without_pause_takes_a_tenth_of_the_time() -> None:
    pace, now, busy = Pace(), 0.0, 0.0
    while now < 100:
        now += pace.wait_seconds(1001, now)
        now, busy = now + 0.25, busy + 0.25
        pace.answered(1001, now, 0.25)
    assert busy == pytest.approx(now / (1 + REST_PER_ANSWER), rel=0.05)


def test_the_shortest_answers_count_too() -> None:
    pace = Pace()
    for _ in range(1000):
        pace.answered(1001, 0.0, 0.0)
    assert pace.wait_seconds(1001, 0.0) == pytest.approx(1000 * ANSWER_SECONDS_AT_LEAST * REST_PER_ANSWER)


def test_users_who_have_waited_are_forgotten() -> None:
    pace = Pace()
    for user in range(10_000):
        pace.answered(user, float(user), 0.001)
    assert len(pace._due) <= 100


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_stays_where_it_is(tmp_path: Path, kind: str) -> None:
    place, letter = tmp_path / "place", tmp_path / "letter.txt"
    letter.write_text("precious")
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(letter)
    else:
        place.write_text("precious")
    with pytest.raises(StateError, match="no socket"):
        asyncio.run(_server(place, lambda: 0).start())
    assert place.is_dir() or place.read_text() == "precious"
    assert letter.read_text() == "precious"


def test_a_link_to_another_agents_socket_is_not_followed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "other.sock"))
        (tmp_path / "agent.sock").symlink_to(tmp_path / "other.sock")
        with pytest.raises(StateError, match="no socket"):
            asyncio.run(_server(tmp_path / "agent.sock", lambda: 0).start())
        assert (tmp_path / "other.sock").is_socket()
