"""The local interface: each method asked as owner, as another person and as a stranger; bounded whatever is sent."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import StateError
from agent.localapi.peer import Peer, role_of
from agent.localapi.server import CONNECTIONS_OF_ONE_USER, Caller, Client, LocalServer, notification
from contract import wire
from contract.local import LINE_LIMIT_BYTES, MAY, METHODS, Nothing, Role
from tests.fakes.running_agent import OTHER_UID, OWNER_UID, RunningAgent

PARAMS: dict[str, dict[str, object]] = {
    "hello": {"version": 1},
    "identify": {"pid": 1},
    "web.pages": {"browser_pid": 1, "picture": {"profile": "00" * 8, "pages": []}},
    "reminder.answer": {"reminder": "00" * 16, "outcome": "shown"},
}
NOT_PERMITTED = -32001


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    with RunningAgent(tmp_path) as one:
        yield one


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("role", MAY)
def test_each_method_answers_those_who_may_ask_and_nobody_else(
    agent: RunningAgent, name: str, role: Role
) -> None:
    uid = {"owner": OWNER_UID, "person": OTHER_UID, "stranger": None}[role]
    answer = agent.ask(name, PARAMS.get(name, {}), Caller(role, uid))
    is_refused = answer.get("error", {}).get("code") == NOT_PERMITTED
    assert is_refused == (METHODS[name].permission not in MAY[role])


def test_people_see_their_own_sightings_only(agent: RunningAgent) -> None:
    agent.start("telegram", uid=OWNER_UID)
    agent.start("pidgin", uid=OTHER_UID)
    seen = agent.ask("status", {}, Caller("person", OTHER_UID))["result"]["messengers"]
    assert [row["messenger"] for row in seen] == ["pidgin"]
    everything = agent.ask("status", {}, Caller("owner", OWNER_UID))["result"]["messengers"]
    assert [row["messenger"] for row in everything] == ["telegram", "pidgin"]


def test_people_see_their_own_rows_of_the_ledger_and_the_devices(agent: RunningAgent) -> None:
    agent.start("telegram", uid=OWNER_UID)
    agent.start("pidgin", uid=OTHER_UID)
    agent.check_in()
    rows = agent.ask("ledger", {}, Caller("person", OTHER_UID))["result"]["rows"]
    told = " ".join(row["literal"] for row in rows)
    assert "pidgin" in told
    assert "telegram" not in told
    assert any(row["type"] == "heartbeat" for row in rows)


def test_a_policy_is_read_as_people_read_it(agent: RunningAgent) -> None:
    page = agent.ask("policy", {"language": "de"}, Caller("person", OTHER_UID))["result"]
    assert page["title"] == "Messaging policy"
    assert any("Microsoft Teams may be used." in section["paragraphs"] for section in page["sections"])


def test_the_page_of_what_decorum_sees_tells_the_ceiling(agent: RunningAgent) -> None:
    page = agent.ask("disclosure", {}, Caller("person", OTHER_UID))["result"]
    assert (page["work"], page["ownership"], page["retention_days"]) == ("exact", "company", 30)


def test_a_vanished_process_is_said_so(agent: RunningAgent) -> None:
    answer = agent.ask("identify", {"pid": 4_000_000}, Caller("owner", OWNER_UID))
    assert answer["error"]["message"] == "There is no process 4000000."


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"not json\n", -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"status"}\n', -32600),
        (b'{"jsonrpc":"2.0","id":"one","method":"status"}\n', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"nothing.like.it"}\n', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"ledger","params":{"limit":501}}\n', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"ledger","params":{"limit":"many"}}\n', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"version":99}}\n', -32002),
        (b"[" * 10_000 + b"\n", -32600),
    ],
)
def test_a_line_that_is_no_request_gets_an_error_and_the_connection_goes_on(
    agent: RunningAgent, line: bytes, code: int
) -> None:
    async def converse(path: Path) -> list[Any]:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line + b'{"jsonrpc":"2.0","id":2,"method":"status","params":{}}\n')
        answers = [json.loads(await reader.readline()) for _ in range(2)]
        writer.close()
        return answers

    first, second = agent.serve(converse)
    assert first["error"]["code"] == code
    assert "enrolled" in second["result"]


def test_a_line_that_is_too_long_ends_the_connection(agent: RunningAgent) -> None:
    async def converse(path: Path) -> Any:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"x" * (LINE_LIMIT_BYTES * 2))
        answer = json.loads(await reader.readline())
        assert await reader.read() == b""
        writer.close()
        return answer

    assert agent.serve(converse)["error"]["message"] == "A line is too long."


def test_a_caller_too_many_is_told_so(agent: RunningAgent) -> None:
    async def converse(path: Path) -> Any:
        streams = [await asyncio.open_unix_connection(path) for _ in range(CONNECTIONS_OF_ONE_USER + 1)]
        answer = json.loads(await streams[-1][0].readline())
        for _, writer in streams:
            writer.close()
        return answer

    assert agent.serve(converse)["error"]["message"] == "Too many connections."


def test_a_subscriber_is_told_of_changes_and_reminders(agent: RunningAgent) -> None:
    async def converse(path: Path) -> list[Any]:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{}}\n')
        told = [json.loads(await reader.readline())]
        agent.start("telegram", uid=OWNER_UID)
        told.extend([json.loads(await reader.readline()) for _ in range(2)])
        writer.close()
        return told

    first, *others = agent.serve(converse)
    assert first["result"]["messengers"] == []
    by_method = {one["method"]: one["params"] for one in others}
    assert by_method["snapshot"]["messengers"][0]["verdict"] == "violation"
    assert by_method["reminder"]["title"] == "Please continue in Microsoft Teams"


def test_a_late_subscriber_gets_the_reminder_that_nobody_was_shown(agent: RunningAgent) -> None:
    agent.start("telegram", uid=OWNER_UID)

    async def converse(path: Path) -> Any:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{}}\n')
        await reader.readline()
        reminder = json.loads(await reader.readline())
        writer.close()
        return reminder

    assert agent.serve(converse)["method"] == "reminder"


def test_a_reminder_goes_to_nobody_else(agent: RunningAgent) -> None:
    agent.start("telegram", uid=OTHER_UID)

    async def converse(path: Path) -> list[str]:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{}}\n')
        await reader.readline()
        agent.start("microsoft-teams", uid=OWNER_UID)
        told = json.loads(await reader.readline())
        writer.close()
        return [told["method"], told["params"]["messengers"][-1]["messenger"]]

    assert agent.serve(converse) == ["snapshot", "microsoft-teams"]


@pytest.mark.parametrize(
    ("uid", "scope", "role"),
    [
        (1000, "user", "owner"),
        (0, "user", "owner"),
        (1001, "user", "stranger"),
        (None, "user", "stranger"),
        (1001, "system", "person"),
        (0, "system", "owner"),
        (None, "system", "stranger"),
        (33, "system", "stranger"),
        (65534, "system", "stranger"),
        (1002, "system", "stranger"),
    ],
)
def test_who_a_peer_is_comes_from_the_system(uid: int | None, scope: str, role: str) -> None:
    known = frozenset({0, 33, 1000, 1001, 65534})
    assert role_of(Peer(uid), scope, 1000, known) == role  # type: ignore[arg-type]  # a literal


def test_a_method_without_a_handler_cannot_be_served(tmp_path: Path) -> None:
    def on_subscribe(_: Client) -> None:
        """Nobody subscribes."""

    handler: Callable[[Caller, object], object] = lambda _, __: Nothing()  # noqa: E731 - shorter
    complete = {name: handler for name in METHODS if name != "hello"}
    LocalServer(tmp_path / "a.sock", "user", complete, on_subscribe)
    for wrong in ({**complete, "more": handler}, dict(list(complete.items())[1:])):
        with pytest.raises(ValueError, match="differ"):
            LocalServer(tmp_path / "a.sock", "user", wrong, on_subscribe)


def test_the_socket_is_for_its_user_alone_unless_it_is_the_systems(tmp_path: Path) -> None:
    async def modes() -> list[str]:
        found = []
        for scope in ("user", "system"):
            path = tmp_path / scope / "agent.sock"
            complete = {name: lambda _, __: Nothing() for name in METHODS if name != "hello"}
            server = LocalServer(path, scope, complete, lambda _: None)
            await server.start()
            found.append(f"{path.stat().st_mode & 0o777:o}")
            await server.stop()
            assert not path.exists()
        return found

    assert asyncio.run(modes()) == ["600", "666"]


def test_a_second_agent_at_one_socket_says_so_and_a_socket_left_over_is_replaced(tmp_path: Path) -> None:
    def server() -> LocalServer:
        complete = {name: lambda _, __: Nothing() for name in METHODS if name != "hello"}
        return LocalServer(tmp_path / "agent.sock", "user", complete, lambda _: None)

    async def run() -> None:
        first = server()
        await first.start()
        with pytest.raises(StateError, match="Another agent listens"):
            await server().start()
        await first.stop()
        with socket.socket(socket.AF_UNIX) as left_over:
            left_over.bind(str(tmp_path / "agent.sock"))
        again = server()
        await again.start()
        await again.stop()

    asyncio.run(run())


def test_a_notification_is_one_line() -> None:
    assert b"\n" not in wire.encode(notification("snapshot", {"text": "two\nlines"}))


def test_settings_that_name_another_server_are_said_so(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.problems._log.error", lambda *_: None)
        with RunningAgent(tmp_path, server_url="https://other.example") as agent:
            (problem,) = agent.ask("status", {}, Caller("owner", OWNER_UID))["result"]["problems"]
    assert problem["code"] == "other_server"
    assert "enrol it anew" in problem["remedy"]
