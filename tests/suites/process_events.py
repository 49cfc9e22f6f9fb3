"""What every way of being told of processes does, real or not; a rig lets things happen."""

from typing import Protocol

from agent.sensing.process_events import NOTED_AT_MOST, NOTHING, ProcessEvents
from tests.fakes.hand_loop import HandLoop


class Rig(Protocol):
    """A system that tells, in a loop whose time is advanced."""

    @property
    def events(self) -> ProcessEvents:
        """What is under test; not open yet."""

    @property
    def loop(self) -> HandLoop:
        """Where it is opened."""

    def start(self, pid: int) -> None:
        """Let a process execute a program."""

    def end(self, pid: int) -> None:
        """Let a process end."""

    def lose(self) -> None:
        """Let more happen at once than there is room for."""


class Listener:
    """Counts how often it is woken."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.woken, self._counted = rig, 0, 0
        self.in_loop("open", self.wake)

    def wake(self) -> None:
        self.woken += 1

    def in_loop(self, method: str, *arguments: object) -> object:
        async def call() -> object:
            result: object = getattr(self.rig.events, method)(*arguments)
            return result

        return self.rig.loop.run_until_complete(call())

    def settle(self) -> int:
        """Let happen what is due; return how often it was woken since this was last asked."""
        self.rig.loop.advance(0)
        before, self._counted = self._counted, self.woken
        return self.woken - before

    def take(self) -> tuple[dict[int, str], bool]:
        told = self.in_loop("take")
        assert isinstance(told, type(NOTHING))
        return dict(told.happened), told.lost


class ProcessEventsSuite:
    """Run for every implementation by a class that gives the fixture `rig`."""

    def test_a_start_wakes_and_is_told_once(self, rig: Rig) -> None:
        listener = Listener(rig)
        rig.start(7)
        assert listener.settle() == 1
        assert listener.take() == ({7: "started"}, False)
        assert (listener.settle(), listener.take()) == (0, ({}, False))

    def test_it_tells_again_after_it_was_taken(self, rig: Rig) -> None:
        listener = Listener(rig)
        for pid in (7, 8, 9):
            rig.start(pid)
            assert listener.settle() == 1
            assert listener.take()[0] == {pid: "started"}

    def test_what_comes_before_it_is_taken_comes_together_in_order(self, rig: Rig) -> None:
        listener = Listener(rig)
        rig.start(7)
        listener.settle()
        for pid in (9, 8, 9, 7):
            rig.start(pid)
        listener.settle()
        rig.end(9)
        listener.settle()
        assert list(listener.take()[0].items()) == [(7, "started"), (9, "passed"), (8, "started")]

    def test_a_pid_used_again_has_started(self, rig: Rig) -> None:
        listener = Listener(rig)
        rig.end(7)
        rig.start(7)
        listener.settle()
        assert listener.take()[0] == {7: "started"}

    def test_all_ends_are_told_until_it_is_said_whose_count(self, rig: Rig) -> None:
        listener = Listener(rig)
        for followed, told in ((None, {7, 8}), (frozenset({8}), {8}), (frozenset(), set()), (None, {7, 8})):
            listener.in_loop("follow", followed)
            rig.end(7)
            rig.end(8)
            assert listener.settle() == bool(told)
            assert set(listener.take()[0]) == told

    def test_opened_anew_it_tells_of_all_ends_again(self, rig: Rig) -> None:
        listener = Listener(rig)
        listener.in_loop("follow", frozenset())
        listener.in_loop("close")
        listener.in_loop("open", listener.wake)
        rig.end(7)
        assert listener.settle() == 1
        assert listener.take()[0] == {7: "ended"}

    def test_what_was_lost_is_told_with_what_was_not(self, rig: Rig) -> None:
        listener = Listener(rig)
        rig.start(7)
        rig.lose()
        listener.settle()
        assert listener.take() == ({7: "started"}, True)
        assert listener.take() == ({}, False)

    def test_more_than_is_noted_at_once_is_told_in_turns_or_as_a_loss(self, rig: Rig) -> None:
        listener = Listener(rig)
        for pid in range(1, NOTED_AT_MOST + 11):
            rig.start(pid)
        listener.settle()
        first, has_lost = listener.take()
        assert len(first) <= NOTED_AT_MOST + 10
        listener.settle()
        assert has_lost or set(first) | set(listener.take()[0]) == set(range(1, NOTED_AT_MOST + 11))
