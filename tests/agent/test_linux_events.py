"""The kernel's process connector: what is read of its messages, what its filter drops, and why it may not tell."""

import asyncio
import errno
import socket
import struct

import pytest

from agent.sensing.linux_events import (
    FOLLOWED_AT_MOST,
    LISTEN,
    LinuxEvents,
    attach_filter,
    filter_program,
    parse,
    request,
)
from agent.sensing.process_events import NoEventsError, Told
from tests.fakes.connector import EXEC, EXIT, FORK, Connector, exec_of, exit_of, message

RECORDED = bytes.fromhex(
    """
    4c000000030000000000000000000000010000000100000000000000010000002800000000000000010000001a60609e81000000
    000000000000000000000000000000000000000000000000
    4c000000030000000100000000000000010000000100000001000000000000002800000001000000010000001b60609e81000000
    da380000da38000030390000303900000000000000000000
    4c000000030000000100000000000000010000000100000001000000000000002800000002000000000000003929b99e81000000
    303900003039000000000000000000000000000000000000
    4c00000003000000030000000000000001000000010000000300000000000000280000000000008000000000dc95d79e81000000
    223900007d1a000000000000ffffffff0000000000000000
    4c00000003000000020000000000000001000000010000000200000000000000280000000000008000000000f48abf9e81000000
    30390000303900000000000011000000da380000da380000
    """
)
ACKNOWLEDGED, FORKED, EXECUTED, THREAD_ENDED, ENDED = (RECORDED[at : at + 76] for at in range(0, 5 * 76, 76))
"""As Linux 6.18 sent them on a little-endian machine; the fork is made after them."""


def test_recorded_messages_are_understood() -> None:
    assert [parse(one) for one in (ACKNOWLEDGED, FORKED, EXECUTED, THREAD_ENDED, ENDED)] == [
        None,
        None,
        (14640, "started"),
        None,
        (14640, "ended"),
    ]


def test_what_is_cut_short_or_somebody_elses_is_passed_over() -> None:
    whole = exec_of(7)
    assert [parse(whole[:length]) for length in range(60)] == [None] * 60
    assert parse(whole[:60]) == (7, "started")
    other_index = whole[:16] + struct.pack("=I", 2) + whole[20:]
    assert parse(other_index) is None


def passed(followed: frozenset[int] | None, messages: list[bytes]) -> list[bytes]:
    """Return what the kernel itself lets through."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        attach_filter(here, filter_program(followed))
        here.setblocking(False)
        found = []
        for one in messages:
            there.send(one)
            try:
                found.append(here.recv(512))
            except BlockingIOError:
                continue
        return found


def test_the_kernel_drops_what_is_of_no_interest() -> None:
    dropped = [
        ACKNOWLEDGED,
        FORKED,
        THREAD_ENDED,
        message(FORK, 7, 7),
        message(EXIT, 7, 8),
        message(EXEC, 7, 8),
        message(4, 7, 7),  # a user id
        message(0x200, 7, 7),  # a name
        b"",
        EXECUTED[:50],
    ]
    assert passed(None, dropped) == []
    assert passed(None, [EXECUTED, ENDED]) == [EXECUTED, ENDED]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 249, FOLLOWED_AT_MOST])
def test_the_ends_of_those_that_are_followed_pass_and_no_others(count: int) -> None:
    followed = frozenset(range(1000, 1000 + count))
    theirs = [exit_of(pid) for pid in sorted(followed)]
    others = [exit_of(999), exit_of(1000 + count), exit_of(1)]
    assert passed(followed, [*others, *theirs, exec_of(5)]) == [*theirs, exec_of(5)]


def test_of_more_than_can_be_followed_all_ends_pass() -> None:
    followed = frozenset(range(1000, 1001 + FOLLOWED_AT_MOST))
    assert passed(followed, [exit_of(7)]) == [exit_of(7)]


def opened(connector: Connector) -> LinuxEvents:
    events = LinuxEvents(lambda: connector)
    events.open(lambda: None)
    return events


def test_it_asks_to_be_told_and_puts_the_filter_on_first() -> None:
    async def listen() -> None:
        connector = Connector()
        connector.refuses["bind"] = PermissionError(errno.EPERM, "Operation not permitted")
        with pytest.raises(NoEventsError):
            opened(connector)
        assert connector.fileno() == -1
        connector.close_both()
        connector = Connector()
        connector.tell(message(FORK, 7, 7))
        events = opened(connector)
        assert connector.asked == [request(LISTEN)]
        connector.tell(message(FORK, 8, 8))
        connector.setblocking(False)
        assert connector.recvfrom(512)[0] == message(FORK, 7, 7)  # it came before there was a filter
        with pytest.raises(BlockingIOError):
            connector.recvfrom(512)
        events.close()
        connector.close_both()

    asyncio.run(listen())


def test_a_made_up_event_of_another_process_is_not_believed() -> None:
    async def listen() -> Told:
        connector = Connector()
        events = opened(connector)
        connector.sender = (4711, 0)
        connector.tell(exec_of(7))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        told = events.take()
        events.close()
        connector.close_both()
        return told

    assert asyncio.run(listen()) == Told({})


def test_what_is_lost_is_told_as_often_as_all_that_waits_was_read() -> None:
    """The kernel tells of a loss once, and of the next only after the reader has caught up: so it has to catch up."""

    async def listen() -> list[tuple[bool, int]]:
        connector = Connector()
        events = opened(connector)
        taken = []
        for _ in range(3):
            for pid in range(1, 2000):
                connector.tell(exec_of(pid))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            told = events.take()
            taken.append((told.lost, len(told.happened)))
        events.close()
        connector.close_both()
        return taken

    taken = asyncio.run(listen())
    assert [lost for lost, _ in taken] == [True, True, True]
    assert min(told for _, told in taken) > 0


@pytest.mark.parametrize(
    ("call", "error", "why", "has_remedy"),
    [
        ("bind", PermissionError(errno.EPERM, "Operation not permitted"), "CAP_NET_ADMIN", True),
        ("send", PermissionError(errno.EPERM, "Operation not permitted"), "CAP_NET_ADMIN", True),
        ("send", ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "network namespace", True),
        ("bind", OSError(errno.EINVAL, "Invalid argument"), "Invalid argument", False),
    ],
)
def test_why_it_does_not_tell_is_said(call: str, error: OSError, why: str, *, has_remedy: bool) -> None:
    async def listen() -> NoEventsError:
        connector = Connector()
        connector.refuses[call] = error
        with pytest.raises(NoEventsError) as refused:
            opened(connector)
        connector.close_both()
        return refused.value

    refused = asyncio.run(listen())
    assert why in refused.why
    assert (refused.remedy is not None) == has_remedy


def test_a_kernel_without_the_connector_is_said() -> None:
    def refuse() -> socket.socket:
        raise OSError(errno.EPROTONOSUPPORT, "Protocol not supported")

    with pytest.raises(NoEventsError, match="Protocol not supported"):
        LinuxEvents(refuse).open(lambda: None)
