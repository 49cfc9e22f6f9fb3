"""macOS tells in two ways, neither of all: what becomes of each, and that looking goes on for the rest."""

import errno
import os
from collections.abc import Iterator

import pytest

from agent.sensing.macos_events import (
    FORKS_EVERY_SECONDS,
    LAUNCHD,
    LET_IN_EVERY_SECONDS,
    NO_APPLICATION,
    NOTE_EXEC,
    NOTE_EXIT,
    NOTE_FORK,
    ONLY_APPLICATIONS,
    READ_AT_MOST,
    MacosEvents,
    changes_between,
    told_by,
)
from agent.sensing.noticing import PROOF_SECONDS, Noticing, Offer
from agent.sensing.own_child import HeldChild
from agent.sensing.process_events import Gap, NoEventsError
from contract.local import Noticing as Means
from tests.fakes.hand_loop import HandLoop
from tests.fakes.macos import FakeQueue, FakeWorkspace, QueuesChild


class Mac:
    """A machine that tells, and who is told."""

    def __init__(self) -> None:
        self.loop, self.queue, self.workspace = HandLoop(), FakeQueue(), FakeWorkspace()
        self.events, self.woken = MacosEvents(self.queue, self.workspace), 0

    def wake(self) -> None:
        self.woken += 1

    def call(self, method: str, *arguments: object) -> object:
        async def call() -> object:
            result: object = getattr(self.events, method)(*arguments)
            return result

        return self.loop.run_until_complete(call())

    def open(self) -> None:
        self.call("open", self.wake)

    def follow(self, *pids: int) -> None:
        self.call("follow", frozenset(pids))

    def take(self) -> dict[int, str]:
        self.loop.advance(0)
        told = self.events_taken()
        assert not told[1]
        return told[0]

    def events_taken(self) -> tuple[dict[int, str], bool]:
        async def take() -> tuple[dict[int, str], bool]:
            told = self.events.take()
            return dict(told.happened), told.lost

        return self.loop.run_until_complete(take())


@pytest.fixture
def mac() -> Iterator[Mac]:
    mac = Mac()
    yield mac
    mac.call("close")
    mac.loop.close()


class App:
    def __init__(self, pid: int) -> None:
        self._pid = pid

    def processIdentifier(self) -> int:  # noqa: N802
        return self._pid


@pytest.mark.parametrize(
    ("notes", "told"),
    [
        (NOTE_EXIT, ("ended",)),
        (NOTE_EXEC, ("started",)),
        (NOTE_EXEC | NOTE_EXIT, ("started", "ended")),
        (NOTE_FORK, ()),
        (0x08000000, ()),  # NOTE_SIGNAL, which nobody asked for
    ],
)
def test_what_the_kernel_notes_becomes_events_in_order(notes: int, told: tuple[str, ...]) -> None:
    assert told_by(notes) == told


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ([], [7], [(7, "started")]),
        ([7], [], [(7, "ended")]),
        ([7, 8], [8, 9], [(7, "ended"), (9, "started")]),
        ([7], [7], []),
        ([], [-1], [(None, "started")]),
        ([None], [], [(None, "ended")]),
    ],
)
def test_a_list_of_applications_that_changes_says_who_started_and_ended(
    before: list[int | None], after: list[int | None], changes: list[tuple[int | None, str]]
) -> None:
    def apps(pids: list[int | None]) -> list[App | None]:
        return [None if pid is None else App(pid) for pid in pids]

    assert changes_between(apps(before), apps(after)) == changes


def test_who_is_followed_is_watched_and_who_is_no_more_is_forgotten(mac: Mac) -> None:
    mac.open()
    mac.follow(7, 8)
    mac.follow(8, 9)
    assert set(mac.queue.watched) == {LAUNCHD, 8, 9}
    assert sorted(mac.queue.asked) == [LAUNCHD, 7, 8, 9]
    mac.queue.do(8, NOTE_EXIT)
    mac.queue.do(7, NOTE_EXIT)
    assert mac.take() == {8: "ended"}


def test_a_program_that_is_executed_by_one_that_is_followed_is_looked_at_again(mac: Mac) -> None:
    mac.open()
    mac.follow(7)
    mac.queue.do(7, NOTE_EXEC)
    mac.loop.advance(0)
    assert (mac.woken, mac.take()) == (1, {7: "started"})
    mac.queue.do(7, NOTE_EXEC)
    mac.queue.do(7, NOTE_EXIT)
    assert mac.take() == {7: "passed"}


def test_one_that_ended_before_it_was_watched_is_told_once(mac: Mac) -> None:
    mac.open()
    mac.queue.refuses[7] = ProcessLookupError(errno.ESRCH, "No such process")
    mac.follow(7)
    assert (mac.woken, mac.take()) == (1, {7: "ended"})
    for _ in range(5):  # nobody has collected it yet, so it is still relied on
        mac.follow(7)
        assert (mac.woken, mac.take()) == (1, {})
    mac.follow()
    mac.follow(7)
    assert mac.take() == {7: "ended"}


def test_of_whom_the_kernel_refuses_to_tell_nothing_is_told(mac: Mac) -> None:
    mac.queue.refuses = {LAUNCHD: PermissionError(1, "no"), 7: PermissionError(1, "no")}
    mac.open()
    mac.follow(7, 8)
    mac.queue.do(8, NOTE_EXIT)
    assert mac.take() == {8: "ended"}


def test_what_launchd_starts_wakes_at_once_and_once_more_but_not_each_time(mac: Mac) -> None:
    mac.open()
    for _ in range(20):
        mac.queue.do(LAUNCHD, NOTE_FORK)
        mac.loop.advance(0.01)
    assert (mac.woken, mac.take()) == (1, {})
    mac.loop.advance(FORKS_EVERY_SECONDS)
    assert mac.woken == 2
    mac.loop.advance(60.0)
    assert mac.woken == 2
    mac.queue.do(LAUNCHD, NOTE_FORK)
    mac.loop.advance(0)
    assert mac.woken == 3


def test_applications_are_heard_of_as_soon_as_appkit_is_let_in(mac: Mac) -> None:
    mac.open()
    mac.loop.advance(0.1)
    mac.workspace.tell(7, "started")
    mac.loop.advance(LET_IN_EVERY_SECONDS - 0.11)
    assert mac.woken == 0
    mac.loop.advance(0.02)
    assert (mac.woken, mac.take()) == (1, {7: "started"})
    mac.workspace.let_in_times = 0
    mac.loop.advance(100 * LET_IN_EVERY_SECONDS)
    assert (mac.woken, mac.workspace.let_in_times) == (1, 100)


def test_an_application_that_is_not_named_means_looking_at_everything(mac: Mac) -> None:
    mac.open()
    mac.workspace.tell(None, "started")
    mac.loop.advance(LET_IN_EVERY_SECONDS)
    assert (mac.woken, mac.events_taken()) == (1, ({}, True))


def test_more_ends_than_are_read_at_once_wait_in_the_kernel_and_none_is_lost(mac: Mac) -> None:
    mac.open()
    pids = range(10, 10 + 3 * READ_AT_MOST)
    mac.follow(*pids)
    for pid in pids:
        mac.queue.do(pid, NOTE_EXIT)
    for _ in range(5):
        mac.loop.advance(0)
    assert (mac.woken, mac.queue.waiting) == (1, 2 * READ_AT_MOST)
    told = list(mac.take())
    assert len(told) == 2 * READ_AT_MOST  # and what can be read without waiting
    mac.loop.advance(0)
    assert mac.woken == 2
    told += mac.take()
    assert sorted(told) == list(pids)
    assert mac.take() == {}


def test_a_kernel_without_a_queue_is_no_events(mac: Mac) -> None:
    mac.queue.refusal = OSError(errno.EMFILE, "Too many open files")
    with pytest.raises(NoEventsError, match=r"does not tell of processes: Too many open files\."):
        mac.open()
    mac.follow(7)
    assert mac.take() == {}
    assert not mac.workspace.is_open


def test_in_a_session_it_tells_of_applications_and_of_ends(mac: Mac) -> None:
    mac.open()
    assert mac.events.gap == Gap(("applications", "ends"), ONLY_APPLICATIONS)


def test_without_a_session_it_tells_of_ends_alone_and_says_why(mac: Mac) -> None:
    mac.workspace.refusal = NoEventsError("There is no screen.", "Give it one.")
    mac.open()
    assert mac.events.gap == Gap(("ends",), "There is no screen.", "Give it one.")
    mac.follow(7)
    mac.queue.do(7, NOTE_EXIT)
    assert mac.take() == {7: "ended"}
    mac.loop.advance(60.0)
    assert mac.workspace.let_in_times == 0


def test_a_session_that_knows_of_no_application_counts_once_it_tells_of_one(mac: Mac) -> None:
    mac.workspace.running = 0
    mac.open()
    assert mac.events.gap == Gap(("ends",), NO_APPLICATION)
    mac.workspace.tell(7, "started")
    mac.loop.advance(LET_IN_EVERY_SECONDS)
    assert mac.events.gap.at_once == ("applications", "ends")


def test_closed_it_lets_nothing_in_and_leaves_no_timer(mac: Mac) -> None:
    mac.open()
    mac.queue.do(LAUNCHD, NOTE_FORK)
    mac.loop.advance(0)
    mac.call("close")
    mac.call("close")
    mac.loop.advance(10.0)
    assert (mac.queue.is_open, mac.workspace.is_open) == (False, False)
    assert (mac.workspace.let_in_times, mac.woken) == (1, 1)  # from before
    assert mac.loop._next_due() is None
    mac.open()
    assert mac.take() == {}


@pytest.mark.parametrize(
    ("notes", "means"),
    [
        (NOTE_EXEC | NOTE_EXIT, Means("polling", ONLY_APPLICATIONS, at_once=("applications", "ends"))),
        (NOTE_EXEC, None),
        (NOTE_EXIT, None),
    ],
)
def test_it_counts_once_the_kernel_told_of_a_child_that_it_watched(
    mac: Mac, notes: int, means: Means | None
) -> None:
    child = QueuesChild(mac.events, mac.queue, notes)
    noticing = Noticing(Offer(mac.events, child), lambda: None)

    async def take(seconds: float) -> None:
        noticing.take(seconds, mac.wake)
        noticing.follow(frozenset())

    mac.loop.run_until_complete(take(1.0))
    assert not noticing.tells_applications
    mac.loop.advance(0)
    mac.loop.run_until_complete(take(1.0 + PROOF_SECONDS))
    if means is None:
        assert (noticing.means.by, noticing.means.at_once) == ("polling", ())
        assert "tells nothing of a child" in (noticing.means.why or "")
        assert not noticing.tells_applications
    else:
        assert noticing.means == means
        assert (noticing.by_events, noticing.tells_applications) == (False, True)
        assert QueuesChild.PID not in mac.queue.watched
    assert child.left == 0


def test_the_held_child_does_nothing_before_it_is_watched_and_then_ends() -> None:
    met: list[tuple[int, int]] = []

    def watch(pid: int) -> None:
        met.append((pid, os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None))

    child = HeldChild(watch)
    pid = child.start()
    assert met == [(pid, True)]
    process = child._process
    assert process is not None
    assert process.wait(timeout=60) == 0
    child.collect()
    assert child._process is None
    child.collect()


def test_a_held_child_that_ends_by_itself_is_no_error() -> None:
    def watch(pid: int) -> None:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    child = HeldChild(watch, ("/bin/sh", "-c", ":"))
    assert child.start() > 0
    child.collect()


def test_a_held_child_is_let_go_also_when_it_is_started_anew() -> None:
    child = HeldChild(lambda _: None)
    assert child.start() != child.start()
    child.collect()
