"""The local interface over a named pipe: who asks, who listens, and that there is one."""

import asyncio
import sys
import uuid
from pathlib import Path

import pytest

from agent.errors import AgentAbsentError, StateError
from agent.localapi.client import LocalClient
from agent.localapi.server import Caller, LocalServer
from agent.localapi.this_system import connect
from agent.this_user import own_uid
from agent.windows import pipes, security, tokens
from contract import access
from contract.local import LINE_LIMIT_BYTES, METHODS, Nothing
from contract.places import PIPES

assert sys.platform == "win32"


@pytest.fixture
def name() -> Path:
    return Path(f"{PIPES}decorum-test-{uuid.uuid4().hex}")


def a_server(name: Path, seen: list[Caller]) -> LocalServer:
    def answer(caller: Caller, _: object) -> object:
        seen.append(caller)
        return Nothing()

    return LocalServer(name, "user", {one: answer for one in METHODS if one != "hello"}, lambda _: None)


def test_the_client_finds_the_agent_and_both_know_who_the_other_is(name: Path) -> None:
    seen: list[Caller] = []

    def ask() -> None:
        with LocalClient(str(name), {}) as client:
            client.ask("check_in", Nothing(), Nothing)
            client.ask("check_in", Nothing(), Nothing)

    async def run() -> None:
        server = a_server(name, seen)
        await server.start()
        await asyncio.to_thread(ask)
        await asyncio.to_thread(ask)
        await server.stop()

    asyncio.run(run())
    assert [(caller.role, caller.uid) for caller in seen] == [("owner", own_uid())] * 4
    assert [caller.connection for caller in seen] == [1, 1, 2, 2]


def test_a_second_agent_at_one_pipe_says_so(name: Path) -> None:
    async def run() -> None:
        first = a_server(name, [])
        await first.start()
        with pytest.raises(StateError, match="Another agent listens"):
            await a_server(name, []).start()
        await first.stop()

    asyncio.run(run())


def test_nobody_listens_once_it_has_stopped(name: Path) -> None:
    async def run() -> None:
        server = a_server(name, [])
        await server.start()
        await server.stop()

    asyncio.run(run())
    assert connect(str(name), 1.0) is None
    with pytest.raises(AgentAbsentError):
        LocalClient(str(name), {})


def test_a_pipe_that_was_stopped_can_be_made_again_at_once(name: Path) -> None:
    async def run() -> None:
        for _ in range(2):
            server = a_server(name, [])
            await server.start()
            await server.stop()

    asyncio.run(run())


def test_a_line_that_is_too_long_gets_its_answer(name: Path) -> None:
    def ask() -> bytes:
        connection = connect(str(name), 5.0)
        assert connection is not None
        connection.sendall(b"x" * (LINE_LIMIT_BYTES + 10) + b"\n")
        answer = connection.readline(LINE_LIMIT_BYTES)
        connection.close()
        return answer

    async def run() -> bytes:
        server = a_server(name, [])
        await server.start()
        answer = await asyncio.to_thread(ask)
        await server.stop()
        return answer

    assert b"too long" in asyncio.run(run())


def test_one_who_connects_and_says_nothing_keeps_nobody_out(name: Path) -> None:
    seen: list[Caller] = []

    def ask() -> None:
        silent = connect(str(name), 5.0)
        assert silent is not None
        with LocalClient(str(name), {}) as client:
            client.ask("check_in", Nothing(), Nothing)
        silent.close()

    async def run() -> None:
        server = a_server(name, seen)
        await server.start()
        await asyncio.to_thread(ask)
        await server.stop()

    asyncio.run(run())
    assert len(seen) == 1


def test_an_answer_that_does_not_come_is_a_timeout(name: Path) -> None:
    handle = pipes.make(str(name), access.pipe(tokens.own_sid(), "user"), first=True)
    connection = connect(str(name), 0.05)
    assert connection is not None
    with pytest.raises(TimeoutError):
        connection.readline(10)
    connection.close()
    pipes.close(handle)


def test_the_pipe_has_the_list_that_was_asked_for(name: Path) -> None:
    handle = pipes.make(str(name), access.pipe(tokens.own_sid(), "system"), first=True)
    assert pipes.owner_of(handle) == tokens.own_sid()
    told = security.of_handle(handle)
    pipes.close(handle)
    others = access.others_in(told, {tokens.own_sid(), access.SHORT_NAMES["SY"]}, ~access.KNOCK & 0x1F01FF)
    assert others == ()
