"""The link against an agent on a real socket: greets, hears, loses it, finds it again, and believes nothing malformed."""

import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from pytestqt.qtbot import QtBot

from contract import wire
from contract.local import (
    LINE_LIMIT_BYTES,
    ErrorBody,
    HelloReply,
    LedgerQuery,
    Nothing,
    PolicyPage,
    PolicyQuery,
    Reply,
)
from contract.version import LOCAL_VERSION
from tests.fakes.local_agent import LocalAgent
from tests.ui import examples
from ui.agent_link.conversation import Conversation, Failure
from ui.agent_link.link import AgentLink
from ui.agent_link.unix_socket import peer_uid
from ui.link_state import LinkState
from ui.program import make_link


@pytest.fixture
def connected(link: AgentLink, agent: LocalAgent, qtbot: QtBot) -> AgentLink:
    """A link that has heard the agent's first word."""
    with qtbot.waitSignal(link.snapshot_came):
        link.start()
    return link


def wait_for_state(qtbot: QtBot, link: AgentLink, kind: str) -> LinkState:
    """Return the state once the link is in it."""
    qtbot.waitUntil(lambda: link.state.kind == kind)
    return link.state


def reply_line(method: str, params: object) -> bytes:
    raw = msgspec.Raw(wire.encode(params))
    return wire.encode(Reply(jsonrpc="2.0", method=method, params=raw)) + b"\n"


def test_a_link_that_is_deleted_while_it_is_connected_says_nothing_more(
    agent: LocalAgent, qtbot: QtBot
) -> None:
    """Its socket hangs up while it is deleted; whoever was called then would find half an object."""
    owner = QObject()
    link = AgentLink((str(agent.path),), lambda _place, uid: uid is not None, owner)
    with qtbot.waitSignal(link.snapshot_came):
        link.start()
    said: list[LinkState] = []
    link.state_changed.connect(said.append)
    with qtbot.captureExceptions() as faults:
        shiboken6.delete(owner)
        qtbot.waitUntil(lambda: agent.subscribers == 0)
    assert (faults, said) == ([], [])


def test_it_greets_with_its_version_then_subscribes(link: AgentLink, agent: LocalAgent, qtbot: QtBot) -> None:
    with qtbot.waitSignal(link.snapshot_came) as came:
        link.start()
    assert came.args == [examples.in_line()]
    assert agent.methods() == ["hello", "subscribe"]
    assert agent.asked[0][1] == msgspec.convert({"version": LOCAL_VERSION}, type(agent.asked[0][1]))
    assert link.state == LinkState("connected", agent="0.1.0")


def test_it_hears_changes_and_reminders(connected: AgentLink, agent: LocalAgent, qtbot: QtBot) -> None:
    with qtbot.waitSignals([connected.snapshot_came, connected.reminder_came]):
        agent.tell(examples.with_violation())
        agent.tell(examples.reminder())


def test_a_question_is_answered_with_the_methods_own_type(
    connected: AgentLink, agent: LocalAgent, qtbot: QtBot
) -> None:
    agent.answers["policy"] = examples.policy()
    got: list[Any] = []
    connected.ask("policy", PolicyQuery(), got.append, got.append)
    qtbot.waitUntil(lambda: bool(got))
    assert got == [examples.policy()]
    assert isinstance(got[0], PolicyPage)


def test_answers_find_their_questions(connected: AgentLink, agent: LocalAgent, qtbot: QtBot) -> None:
    agent.ledger = tuple(examples.ledger_row(number) for number in (3, 2, 1))
    got: dict[int, Any] = {}
    for before in (2, 4, 3):
        keep = partial(got.__setitem__, before)
        connected.ask("ledger", LedgerQuery(before=before), keep, lambda _: None)
    qtbot.waitUntil(lambda: len(got) == 3)
    assert {before: [row.number for row in page.rows] for before, page in got.items()} == {
        2: [1],
        3: [2, 1],
        4: [3, 2, 1],
    }


def test_a_refusal_reaches_who_asked_and_the_connection_stays(
    connected: AgentLink, agent: LocalAgent, qtbot: QtBot
) -> None:
    agent.errors["policy"] = ErrorBody(code=-32001, message="You may not ask this.", remedy="Ask as another.")
    failures: list[Failure] = []
    connected.ask("policy", PolicyQuery(), lambda _: None, failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    assert failures == [Failure("You may not ask this.", "Ask as another.", -32001)]
    assert connected.state.kind == "connected"


def test_parameters_of_another_type_are_a_fault_of_ours(connected: AgentLink) -> None:
    with pytest.raises(TypeError, match="Nothing where PolicyQuery is declared"):
        connected.ask("policy", Nothing(), lambda _: None, lambda _: None)


def test_what_is_asked_while_the_agent_is_away_fails_at_once(link: AgentLink, qtbot: QtBot) -> None:
    failures: list[Failure] = []
    link.ask("check_in", Nothing(), lambda _: None, failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0].code is None


def test_what_was_asked_when_the_connection_broke_fails(
    connected: AgentLink, agent: LocalAgent, qtbot: QtBot
) -> None:
    agent.is_silent = True
    failures: list[Failure] = []
    connected.ask("check_in", Nothing(), lambda _: None, failures.append)
    qtbot.waitUntil(lambda: "check_in" in agent.methods())
    agent.drop()
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0].code is None


def test_an_answer_that_does_not_come_in_time_fails_the_question(
    agent: LocalAgent, owner: QObject, qtbot: QtBot
) -> None:
    agent.is_silent = True
    conversation = Conversation(str(agent.path), lambda *_: True, owner, reply_seconds=0.05)
    failures: list[Failure] = []
    conversation.opened.connect(
        lambda: conversation.ask("status", Nothing(), lambda _: None, failures.append)
    )
    conversation.open()
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0].sentence == "No answer in 0.05 s."


def test_nobody_listening_is_said_and_found_when_it_comes(
    link: AgentLink, agent: LocalAgent, qtbot: QtBot
) -> None:
    agent.stop()
    link.start()
    wait_for_state(qtbot, link, "absent")
    agent.start()
    wait_for_state(qtbot, link, "connected")


def test_a_person_who_asks_does_not_wait(link: AgentLink, agent: LocalAgent, qtbot: QtBot) -> None:
    agent.stop()
    link.start()
    wait_for_state(qtbot, link, "absent")
    for _ in range(4):
        link._backoff.next_seconds()
    link._wait()
    agent.start()
    link.retry()
    qtbot.waitUntil(lambda: link.state.kind == "connected", timeout=1000)


def test_it_comes_back_after_the_agent_was_away(
    connected: AgentLink, agent: LocalAgent, qtbot: QtBot
) -> None:
    agent.stop()
    wait_for_state(qtbot, connected, "absent")
    agent.answers["subscribe"] = examples.with_violation()
    agent.start()
    with qtbot.waitSignal(connected.snapshot_came) as came:
        wait_for_state(qtbot, connected, "connected")
    assert came.args == [examples.with_violation()]


@pytest.mark.parametrize(
    "garbage",
    [
        b"not json\n",
        b"\xff\xfe\n",
        b"[" * 5000 + b"\n",
        b'{"jsonrpc":"1.0"}\n',
        reply_line("snapshot", {"at": "yesterday"}),
        reply_line("reminder", {"reminder": "not an identity"}),
        b"x" * (LINE_LIMIT_BYTES + 1),
        b'{"jsonrpc":"2.0","method":"snapshot","params":"' + b"x" * LINE_LIMIT_BYTES + b'"}\n',
    ],
    ids=["text", "bytes", "deep", "version", "snapshot", "reminder", "endless", "long"],
)
def test_malformed_data_ends_the_connection_and_is_said(
    connected: AgentLink, agent: LocalAgent, qtbot: QtBot, garbage: bytes
) -> None:
    states: list[LinkState] = []
    connected.state_changed.connect(states.append)
    agent.send(garbage)
    qtbot.waitUntil(lambda: bool(states))
    assert states[0].kind == "malformed"
    assert states[0].detail


def test_a_malformed_answer_ends_the_connection_too(
    connected: AgentLink, agent: LocalAgent, qtbot: QtBot
) -> None:
    agent.garbage = b'{"id":3,"jsonrpc":"2.0","result":{"title":7}}\n'
    failures: list[Failure] = []
    connected.ask("policy", PolicyQuery(), lambda _: None, failures.append)
    wait_for_state(qtbot, connected, "malformed")
    assert failures[0].code is None


def test_what_is_unknown_but_well_formed_is_let_pass(
    connected: AgentLink, agent: LocalAgent, qtbot: QtBot
) -> None:
    agent.send(reply_line("something.new", {"a": 1}))
    agent.send(b'{"id":99,"jsonrpc":"2.0","result":{}}\n')
    with qtbot.waitSignal(connected.snapshot_came):
        agent.tell(examples.with_violation())
    assert connected.state.kind == "connected"


def test_a_line_may_come_in_pieces(connected: AgentLink, agent: LocalAgent, qtbot: QtBot) -> None:
    line = reply_line("snapshot", examples.with_violation())
    with qtbot.waitSignal(connected.snapshot_came) as came:
        for start in range(0, len(line), 100):
            agent.send(line[start : start + 100])
    assert came.args == [examples.with_violation()]


@pytest.mark.parametrize(
    ("version", "kind"), [(LOCAL_VERSION - 1, "agent_older"), (LOCAL_VERSION + 1, "agent_newer")]
)
def test_another_version_has_a_face_of_its_own(
    link: AgentLink, agent: LocalAgent, qtbot: QtBot, version: int, kind: str
) -> None:
    agent.answers["hello"] = HelloReply("9.9.9", version)
    link.start()
    assert "9.9.9" in wait_for_state(qtbot, link, kind).detail
    assert agent.subscribers == 0


@pytest.mark.parametrize("code", [-32602, -32002])
def test_an_agent_that_does_not_know_our_version_is_older(
    link: AgentLink, agent: LocalAgent, qtbot: QtBot, code: int
) -> None:
    agent.errors["hello"] = ErrorBody(code=code, message="This agent speaks version 0.")
    link.start()
    assert wait_for_state(qtbot, link, "agent_older").detail == "This agent speaks version 0."


def test_a_refused_user_is_told(link: AgentLink, agent: LocalAgent, qtbot: QtBot) -> None:
    agent.errors["subscribe"] = ErrorBody(code=-32001, message="You may not ask this.")
    link.start()
    assert wait_for_state(qtbot, link, "refused").detail == "You may not ask this."


def test_an_agent_that_turns_everybody_away_is_refusing(
    link: AgentLink, agent: LocalAgent, qtbot: QtBot
) -> None:
    error = ErrorBody(code=-32001, message="Too many connections.")
    agent.garbage = wire.encode(Reply(jsonrpc="2.0", error=error)) + b"\n"
    link.start()
    assert wait_for_state(qtbot, link, "refused").detail == "Too many connections."


def test_a_stranger_at_the_socket_hears_nothing(agent: LocalAgent, qtbot: QtBot) -> None:
    asked: list[tuple[str, int | None]] = []

    def trusts(place: str, uid: int | None) -> bool:
        asked.append((place, uid))
        return False

    link = AgentLink((str(agent.path),), trusts)
    link.start()
    state = wait_for_state(qtbot, link, "untrusted")
    link.stop()
    assert asked == [(str(agent.path), os.getuid())]
    assert state.detail == f"user {os.getuid()} listens at {agent.path}."
    assert agent.asked == []


def test_the_likeliest_place_is_tried_first_and_then_the_next(
    agent: LocalAgent, tmp_path: Path, qtbot: QtBot
) -> None:
    link = AgentLink((str(tmp_path / "nobody.sock"), str(agent.path)), lambda *_: True)
    link.start()
    wait_for_state(qtbot, link, "connected")
    link.stop()


def test_of_several_troubles_the_one_worth_telling_is_told(
    agent: LocalAgent, tmp_path: Path, qtbot: QtBot
) -> None:
    link = AgentLink((str(agent.path), str(tmp_path / "nobody.sock")), lambda *_: False)
    link.start()
    wait_for_state(qtbot, link, "untrusted")
    link.stop()


def connect_at_once(way: QLocalSocket, place: str) -> bool:
    """As on Windows, where the pipe is open before Qt has it."""
    way.blockSignals(True)
    way.connectToServer(place)
    assert way.waitForConnected(5000)
    way.blockSignals(False)
    return True


def test_a_way_that_connects_at_once_is_greeted_like_any_other(
    agent: LocalAgent, link: AgentLink, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.agent_link.conversation.connect", connect_at_once)
    with qtbot.waitSignal(link.snapshot_came):
        link.start()
    assert agent.methods() == ["hello", "subscribe"]


def test_a_way_that_finds_nobody_is_told_as_absent(
    link: AgentLink, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_way: QLocalSocket, _place: str) -> bool:
        raise FileNotFoundError(2, "nobody")

    monkeypatch.setattr("ui.agent_link.conversation.connect", refuse)
    link.start()
    wait_for_state(qtbot, link, "absent")


@pytest.mark.parametrize("is_trusted", [True, False])
def test_what_is_said_before_the_listener_is_known_waits_until_they_are(
    owner: QObject, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, is_trusted: object
) -> None:
    monkeypatch.setattr("ui.agent_link.conversation.connect", connect_at_once)
    server = QLocalServer(owner)
    assert server.listen(str(tmp_path / "hasty.sock"))
    conversation = Conversation(server.fullServerName(), lambda *_: bool(is_trusted), owner)
    told: list[str] = []
    conversation.told.connect(lambda method, _: told.append(method))
    conversation.open()
    server.waitForNewConnection(5000)
    listener = server.nextPendingConnection()
    listener.write(reply_line("snapshot", examples.in_line()))
    assert listener.waitForBytesWritten(5000)
    assert conversation._socket.waitForReadyRead(5000)
    assert told == []
    with qtbot.waitSignal(conversation.opened if is_trusted else conversation.ended):
        pass
    assert told == (["snapshot"] if is_trusted else [])
    conversation.end("absent")


def test_the_system_names_the_peer(agent: LocalAgent) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(agent.path))
        assert peer_uid(connection.fileno()) == os.getuid()
        assert connection.getpeername() == str(agent.path)  # the descriptor is still the caller's
        number = connection.fileno()
    assert peer_uid(number) is None


@pytest.mark.parametrize(
    ("variable", "option", "expected"),
    [
        ({}, None, ("/run/decorum/agent.sock", "/run/user/9/decorum/agent.sock")),
        ({"DECORUM_SOCKET": "/tmp/x"}, None, ("/tmp/x",)),
        ({"DECORUM_SOCKET": "/tmp/x"}, "/tmp/y", ("/tmp/y",)),
    ],
)
def test_where_the_agent_is_looked_for(
    owner: QObject,
    monkeypatch: pytest.MonkeyPatch,
    variable: dict[str, str],
    option: str | None,
    expected: tuple[str, ...],
) -> None:
    monkeypatch.setattr("os.getuid", lambda: 9)
    link = make_link(option, variable, owner)
    assert link._places == expected


def test_the_composition_trusts_only_the_agents_own_users(owner: QObject) -> None:
    trusts: Callable[[str, int | None], bool] = make_link("/tmp/x", {}, owner)._trusts
    assert trusts("/tmp/x", os.getuid())
    assert trusts("/run/decorum/agent.sock", 0)
    assert not trusts("/tmp/x", 54321)
    assert not trusts("/run/decorum/agent.sock", 54321)
    assert not trusts("/tmp/x", None)
