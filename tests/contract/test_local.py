"""The local interface: who may ask what, and that every line is whole, bounded and one line."""

from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.inspect import StructType, type_info

from contract import local, wire
from contract.errors import MalformedError
from contract.local import (
    LINE_LIMIT_BYTES,
    MAY,
    METHODS,
    ErrorBody,
    ErrorCode,
    Hello,
    HelloReply,
    IdentifyQuery,
    LedgerQuery,
    Permission,
    PolicyQuery,
    Reminder,
    ReminderAnswer,
    Reply,
    Request,
    Role,
    Section,
    Snapshot,
)
from tests.contract.strategies import values_of

METHODS_AND_ROLES = {
    "hello": {"owner", "person", "stranger"},
    "status": {"owner", "person"},
    "subscribe": {"owner", "person"},
    "policy": {"owner", "person"},
    "disclosure": {"owner", "person"},
    "notice.shown": {"owner", "person"},
    "reminder.answer": {"owner", "person"},
    "ledger": {"owner", "person"},
    "ledger.compare": {"owner", "person"},
    "identify": {"owner"},
    "web.pages": {"owner", "person"},
    "ask": {"owner", "person"},
    "unretained": {"owner"},
    "unretained.handed_over": {"owner"},
    "work": {"owner", "person"},
    "check_in": {"owner", "person"},
}


def test_every_method_is_in_the_table_of_who_may_call_it() -> None:
    assert set(METHODS) == set(METHODS_AND_ROLES)


@pytest.mark.parametrize("name", METHODS)
def test_each_method_is_open_to_these_roles_and_no_others(name: str) -> None:
    method = METHODS[name]
    assert method.name == name
    assert {role for role in get_args(Role) if method.permission in MAY[role]} == METHODS_AND_ROLES[name]


def test_a_stranger_may_do_nothing_but_say_hello() -> None:
    assert MAY["stranger"] == {"anyone"}
    assert [name for name, method in METHODS.items() if method.permission == "anyone"] == ["hello"]


def test_each_role_may_all_that_the_one_below_may() -> None:
    assert set(MAY) == set(get_args(Role))
    assert MAY["stranger"] < MAY["person"] < MAY["owner"] == set(get_args(Permission))


class OlderNoticing(msgspec.Struct, frozen=True):
    """As a tray of before knows it."""

    by: str
    why: str | None = None


def test_an_older_tray_reads_what_is_told_at_once_as_looking_and_an_older_agent_tells_of_none() -> None:
    newer = local.Noticing("polling", "Of the rest nobody tells.", at_once=("applications", "ends"))
    assert msgspec.json.decode(wire.encode(newer), type=OlderNoticing) == OlderNoticing(
        "polling", "Of the rest nobody tells."
    )
    assert msgspec.json.decode(b'{"by":"polling"}', type=local.Noticing).at_once == ()


SHAPES = sorted({kind for method in METHODS.values() for kind in (method.params, method.result)}, key=str)


@pytest.mark.parametrize("kind", SHAPES)
def test_parameters_and_results_come_back_as_they_went_on_one_line(kind: Any) -> None:
    @settings(max_examples=25)
    @given(values_of(kind))
    def comes_back(value: msgspec.Struct) -> None:
        encoded = wire.encode(value)
        assert b"\n" not in encoded
        assert wire.encode(wire.decode(kind, encoded, limit_bytes=10**6)) == encoded

    comes_back()


@given(values_of(Reminder))
def test_a_reminder_comes_back_as_it_went(reminder: Reminder) -> None:
    assert wire.decode(Reminder, wire.encode(reminder), limit_bytes=10**6) == reminder


@pytest.mark.parametrize(
    ("kind", "params", "path"),
    [
        (Hello, {"version": "1"}, "$.version"),
        (Hello, {}, "$"),
        (LedgerQuery, {"limit": 0}, "$.limit"),
        (LedgerQuery, {"limit": 501}, "$.limit"),
        (LedgerQuery, {"limit": True}, "$.limit"),
        (LedgerQuery, {"before": -1}, "$.before"),
        (LedgerQuery, {"before": 2**63}, "$.before"),
        (LedgerQuery, {"before": "1; DROP TABLE ledger"}, "$.before"),
        (PolicyQuery, {"language": None}, "$.language"),
        (IdentifyQuery, {"pid": 0}, "$.pid"),
        (IdentifyQuery, {"pid": -1}, "$.pid"),
        (IdentifyQuery, {"pid": 2**31 + 1}, "$.pid"),
        (IdentifyQuery, {"pid": 1.0}, "$.pid"),
        (ReminderAnswer, {"reminder": "a" * 31, "outcome": "shown"}, "$.reminder"),
        (ReminderAnswer, {"reminder": "../../../../../etc/passwd", "outcome": "shown"}, "$.reminder"),
        (ReminderAnswer, {"reminder": "a" * 32, "outcome": "expired"}, "$.outcome"),
        (Request, {"jsonrpc": "1.0", "id": 1, "method": "hello"}, "$.jsonrpc"),
        (Request, {"jsonrpc": "2.0", "method": "hello"}, "$"),
        (Request, {"jsonrpc": "2.0", "id": "1", "method": "hello"}, "$.id"),
        (Request, {"jsonrpc": "2.0", "id": None, "method": "hello"}, "$.id"),
        (Request, {"jsonrpc": "2.0", "id": 1, "method": "x" * 65}, "$.method"),
        (Request, [{"jsonrpc": "2.0", "id": 1, "method": "hello"}], "$"),
    ],
)
def test_a_parameter_of_the_wrong_type_or_size_is_refused_by_its_path(
    kind: Any, params: Any, path: str
) -> None:
    with pytest.raises(MalformedError) as refused:
        wire.decode(kind, wire.encode(params), limit_bytes=10**6)
    assert refused.value.path == path


def test_the_example_at_the_top_of_the_module_is_what_is_said() -> None:
    said = [
        line.strip() for line in (local.__doc__ or "").splitlines() if line.strip().startswith(("->", "<-"))
    ]
    hello, answer = said[0].removeprefix("-> "), said[1].removeprefix("<- ")
    request = wire.decode(Request, hello.encode(), limit_bytes=LINE_LIMIT_BYTES)
    assert request.method in METHODS
    assert wire.decode(Hello, bytes(request.params), limit_bytes=100) == Hello(version=1)
    result = msgspec.Raw(wire.encode(HelloReply(agent="0.1.0", version=1)))
    assert wire.encode(Reply(jsonrpc="2.0", id=request.id, result=result)).decode() == answer
    subscribe = wire.decode(Request, said[2].removeprefix("-> ").encode(), limit_bytes=LINE_LIMIT_BYTES)
    assert METHODS[subscribe.method].result is Snapshot


def test_a_request_without_parameters_has_an_empty_object() -> None:
    line = b'{"jsonrpc": "2.0", "id": 1, "method": "status"}'
    assert bytes(wire.decode(Request, line, limit_bytes=100).params) == b"{}"


@given(
    st.integers(-(2**53), 2**53), st.sampled_from(get_args(ErrorCode)), st.text(st.characters(codec="utf-8"))
)
def test_a_refusal_comes_back_as_it_went_and_carries_no_result(number: int, code: int, words: str) -> None:
    line = wire.encode(
        Reply(jsonrpc="2.0", id=number, error=ErrorBody(code=code, message=words, remedy=words))
    )
    assert b"\n" not in line
    assert b"result" not in line.split(b'"error"')[0]
    reply = wire.decode(Reply, line, limit_bytes=10**6)
    assert reply.error == ErrorBody(code=code, message=words, remedy=words)
    assert reply.id == number
    assert bytes(reply.result) == b""
    assert reply.method is None


def test_no_snapshot_and_no_reminder_has_room_for_content() -> None:
    # Names of fields that would carry what people write, to whom, or in which window.
    forbidden = {
        "message",
        "messages",
        "contact",
        "contacts",
        "title_of_window",
        "window",
        "account",
        "chat",
        "body",
    }
    for kind in (Snapshot, local.MessengerRow):
        info = type_info(kind)
        assert isinstance(info, StructType)
        assert not {field.name for field in info.fields} & forbidden


def test_a_section_keeps_its_order_and_its_paragraphs() -> None:
    section = Section("Office hours", ("Monday.", "Tuesday."))
    assert wire.decode(Section, wire.encode(section), limit_bytes=1000) == section


def test_times_are_told_with_their_zone() -> None:
    row = local.LedgerRow(
        number=1,
        type="heartbeat",
        sentence="x",
        literal="{}",
        first_attempt=datetime(2026, 3, 2, tzinfo=UTC),
        attempts=1,
        acknowledged=None,
    )
    assert b'"first_attempt":"2026-03-02T00:00:00Z"' in wire.encode(row)
