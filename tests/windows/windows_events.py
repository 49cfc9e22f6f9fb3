"""What Windows tells of processes, or why it does not: Wine refuses, Windows tells administrators."""

import asyncio
import ctypes
import sys

import pytest

from agent.sensing.noticing import PROOF_SECONDS, Noticing
from agent.sensing.own_child import OwnChild
from agent.sensing.this_system import events_offered
from agent.this_user import is_administrator
from agent.windows import trace
from contract.local import Noticing as Means

assert sys.platform == "win32"


def test_structures_are_as_windows_has_them() -> None:
    assert {kind: ctypes.sizeof(kind) for kind in trace._SIZES} == trace._SIZES
    assert (trace._Record.provider.offset, trace._Record.number.offset) == (24, 40)
    assert (trace._Record.data_bytes.offset, trace._Record.data.offset) == (86, 96)
    assert (trace._LogFile.mode.offset, trace._LogFile.callback.offset) == (28, 424)
    assert (trace._Properties.mode.offset, trace._Properties.name_offset.offset) == (64, 116)


def test_the_child_starts_ends_and_leaves_nothing() -> None:
    child = OwnChild(trace.idle_program())
    assert child.start() != child.start()
    child.collect()


def test_it_tells_administrators_and_says_why_it_does_not_tell_others() -> None:
    async def decide() -> Means:
        noticing, seconds = Noticing(events_offered(), lambda: None), 0.0
        while seconds <= PROOF_SECONDS + 1:
            noticing.take(seconds, lambda: None)
            await asyncio.sleep(0.05)
            seconds += 0.05
        means = noticing.means
        noticing.close()
        return means

    means = asyncio.run(decide())
    if means.by == "polling":
        assert means.why == "Windows tells of processes only to administrators."
        assert means.remedy
    else:
        assert is_administrator()


def test_ending_what_never_began_is_no_error_and_leaves_no_thread() -> None:
    session = trace.ProcessTrace()
    session.stop()
    session.stop()
    assert session._thread is None


def test_a_refusal_is_an_error() -> None:
    with pytest.raises(PermissionError):
        trace._check(5)
