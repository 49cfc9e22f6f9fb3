"""Events count only after they were proven, and looking goes on until then."""

import asyncio
from itertools import pairwise

import pytest

from agent.sensing.linux_events import LinuxEvents
from agent.sensing.noticing import AGAIN_AT_MOST_SECONDS, AGAIN_SECONDS, PROOF_SECONDS, Noticing, Offer
from agent.sensing.own_child import OwnChild, idle_program
from agent.sensing.process_events import Gap, NoEventsError, Told
from agent.sensing.processes import Changes
from contract.local import Noticing as Means
from tests.fakes.process_events import FakeChild, FakeEvents, NoChild

NOTHING_NEW, FOUND_UNTOLD = Changes((), (), 0), Changes((), (), 2)


class Trial:
    """Events in memory, and a clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.events = FakeEvents()
        self.child = FakeChild(self.events)
        self.seconds, self.changes = 100.0, 0
        self.noticing = Noticing(Offer(self.events, self.child), self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def take(self, after: float = 0.75) -> Told:
        self.seconds += after
        return self.noticing.take(self.seconds, lambda: None)

    def prove(self) -> None:
        self.take()
        assert self.noticing.by_events


@pytest.fixture
def trial() -> Trial:
    return Trial()


def test_without_events_it_looks_and_says_why() -> None:
    noticing = Noticing(Offer(None, NoChild(), "There are none."), lambda: None)
    assert noticing.take(1.0, lambda: None) == Told({})
    assert not noticing.by_events
    assert noticing.means == Means("polling", "There are none.")
    noticing.close()


def test_events_count_once_start_and_end_of_a_child_were_told(trial: Trial) -> None:
    assert trial.noticing.means.why == "Whether the system tells of starts is being tried."
    assert (trial.noticing.means.by, trial.changes) == ("polling", 0)
    assert trial.take().happened == {FakeChild.PID: "passed"}
    assert (trial.noticing.means, trial.changes) == (Means("events"), 1)
    assert (trial.child.started, trial.child.left) == (1, 0)


@pytest.mark.parametrize("told", [{}, {"started"}, {"ended"}, {"another"}])
def test_events_that_do_not_tell_of_it_do_not_count(trial: Trial, told: set[str]) -> None:
    trial.events.is_deaf = True
    trial.take()
    trial.events.is_deaf = False
    if "started" in told:
        trial.events.tell(FakeChild.PID, "started")
    if "ended" in told:
        trial.events.tell(FakeChild.PID, "ended")
    if "another" in told:  # as in a pid namespace, where the kernel tells the numbers of another one
        trial.events.tell(FakeChild.PID + 1, "started")
        trial.events.tell(FakeChild.PID + 1, "ended")
    trial.take(PROOF_SECONDS - 0.01)
    assert (trial.events.is_open, trial.child.left) == (True, 1)
    trial.take(0.01)
    assert (trial.events.is_open, trial.child.left) == (False, 0)
    assert (trial.noticing.means.by, trial.child.left) == ("polling", 0)
    assert "tells nothing of a child" in (trial.noticing.means.why or "")
    assert trial.noticing.means.remedy


def test_start_and_end_may_come_one_after_the_other(trial: Trial) -> None:
    trial.events.is_deaf = True
    trial.take()
    trial.events.is_deaf = False
    trial.events.tell(FakeChild.PID, "started")
    trial.take(0.1)
    assert not trial.noticing.by_events
    trial.events.tell(FakeChild.PID, "ended")
    trial.take(0.1)
    assert trial.noticing.by_events


def test_while_it_is_tried_the_end_of_any_process_is_told(trial: Trial) -> None:
    trial.events.is_deaf = True
    trial.take()
    trial.noticing.follow(frozenset({7}))
    assert trial.events.followed is None
    trial.events.is_deaf = False
    trial.events.tell(FakeChild.PID, "started")
    trial.events.tell(FakeChild.PID, "ended")
    trial.take()
    trial.noticing.follow(frozenset({7}))
    assert trial.events.followed == {7}


def test_it_tries_again_less_and_less_often(trial: Trial) -> None:
    trial.events.refusal = NoEventsError("They are refused.", "Allow them.")
    tried = []
    for second in range(0, 8 * 3600, 10):
        before = trial.events.opened
        trial.take(10.0)
        tried += [second] * (trial.events.opened - before)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[0] == AGAIN_SECONDS
    assert pauses == sorted(pauses)
    assert pauses[-1] == AGAIN_AT_MOST_SECONDS
    assert trial.noticing.means == Means("polling", "They are refused.", "Allow them.")
    assert trial.changes == 1
    trial.events.refusal = None
    trial.take(AGAIN_AT_MOST_SECONDS)
    trial.take()
    assert (trial.noticing.means, trial.changes) == (Means("events"), 2)


def test_a_child_that_cannot_be_started_proves_nothing(trial: Trial) -> None:
    trial.noticing = Noticing(Offer(trial.events, NoChild()), lambda: None)
    trial.take()
    assert trial.noticing.means.by == "polling"
    assert "not permitted" in (trial.noticing.means.why or "")
    assert not trial.events.is_open


def test_silence_while_looking_finds_something_is_doubted(trial: Trial) -> None:
    trial.prove()
    trial.noticing.compare(NOTHING_NEW, trial.seconds)
    trial.take()
    trial.noticing.compare(NOTHING_NEW, trial.seconds)
    assert trial.child.started == 1
    trial.events.is_deaf = True
    trial.take()
    trial.noticing.compare(FOUND_UNTOLD, trial.seconds)
    assert trial.child.started == 2
    trial.take(PROOF_SECONDS)
    assert trial.noticing.means.by == "polling"
    assert trial.child.left == 0


def test_what_only_forked_is_no_reason_to_stop_believing(trial: Trial) -> None:
    trial.prove()
    trial.noticing.follow(frozenset({7}))
    trial.noticing.compare(NOTHING_NEW, trial.seconds)
    trial.take()
    trial.noticing.compare(FOUND_UNTOLD, trial.seconds)
    trial.take(PROOF_SECONDS)
    assert trial.noticing.by_events
    assert trial.child.started == 2


def test_events_that_are_heard_are_not_doubted(trial: Trial) -> None:
    trial.prove()
    trial.noticing.compare(NOTHING_NEW, trial.seconds)
    trial.events.tell(7, "started")
    trial.take()
    trial.noticing.compare(FOUND_UNTOLD, trial.seconds)
    assert trial.child.started == 1
    # Only lists compare: a look that listed nothing leaves what was heard as it was.
    trial.events.tell(7, "started")
    trial.take()
    trial.noticing.compare(Changes((), (), None), trial.seconds)
    trial.noticing.compare(FOUND_UNTOLD, trial.seconds)
    assert trial.child.started == 1


APPLICATIONS, ENDS = (
    Gap(("applications", "ends"), "Of the rest nobody tells."),
    Gap(("ends",), "No screen.", "Add one."),
)


def test_events_with_a_gap_are_looked_beside_and_said_to_be(trial: Trial) -> None:
    trial.events.gap = APPLICATIONS
    assert not trial.noticing.tells_applications
    trial.take()
    assert trial.noticing.means == Means(
        "polling", "Of the rest nobody tells.", at_once=("applications", "ends")
    )
    assert (trial.noticing.by_events, trial.noticing.tells_applications, trial.changes) == (False, True, 1)


def test_a_gap_that_changes_is_told_once(trial: Trial) -> None:
    trial.events.gap = ENDS
    trial.take()
    assert trial.noticing.means == Means("polling", "No screen.", "Add one.", at_once=("ends",))
    assert (trial.noticing.tells_applications, trial.changes) == (False, 1)
    trial.events.gap = APPLICATIONS
    for _ in range(3):
        trial.take()
    assert (trial.noticing.tells_applications, trial.changes) == (True, 2)


def test_a_gap_is_no_reason_to_believe_what_was_not_proven(trial: Trial) -> None:
    trial.events.gap, trial.events.is_deaf = APPLICATIONS, True
    trial.take()
    trial.take(PROOF_SECONDS)
    assert (trial.noticing.means.by, trial.noticing.means.at_once) == ("polling", ())
    assert "tells nothing of a child" in (trial.noticing.means.why or "")
    assert not trial.noticing.tells_applications


def test_what_looking_finds_in_the_gap_is_no_reason_to_doubt(trial: Trial) -> None:
    trial.events.gap = APPLICATIONS
    trial.take()
    for _ in range(3):
        trial.noticing.compare(FOUND_UNTOLD, trial.seconds)
        trial.take()
    assert (trial.child.started, trial.noticing.tells_applications) == (1, True)


def test_events_without_a_gap_tell_of_applications_too(trial: Trial) -> None:
    trial.prove()
    assert trial.noticing.tells_applications


def test_losses_are_counted(trial: Trial) -> None:
    trial.prove()
    for _ in range(3):
        trial.events.lose()
        assert trial.take().lost
    assert trial.noticing.means == Means("events", lost=3)


def test_closing_leaves_nothing_behind(trial: Trial) -> None:
    trial.take()
    trial.noticing.close()
    assert (trial.events.is_open, trial.child.left) == (False, 0)
    trial.noticing.close()


def test_the_real_child_starts_ends_and_leaves_nothing() -> None:
    child = OwnChild(idle_program())
    pids = {child.start() for _ in range(3)}
    assert len(pids) == 3
    child.collect()
    child.collect()


@pytest.mark.parametrize(
    ("programs", "chosen"),
    [([("/none",), ("/bin/sh", "-c", ":")], ("/bin/sh", "-c", ":")), ([("/none",)], ("/none",))],
)
def test_the_first_program_that_is_there_is_taken(
    programs: list[tuple[str, ...]], chosen: tuple[str, ...]
) -> None:
    assert idle_program(programs) == chosen


def kernel_tells() -> str | None:
    """Return None if the kernel tells this very process of a child's start, and why not otherwise; found out without `Noticing`."""

    async def ask() -> str | None:
        events, child, woken = LinuxEvents(), OwnChild(idle_program()), asyncio.Event()
        try:
            events.open(woken.set)
        except NoEventsError as error:
            return error.why
        pid = child.start()
        try:
            async with asyncio.timeout(PROOF_SECONDS):
                while events.take().happened.get(pid) not in {"ended", "passed"}:
                    await woken.wait()
                    woken.clear()
        except TimeoutError:
            return "silence"
        finally:
            child.collect()
            events.close()
        return None

    return asyncio.run(ask())


def test_with_the_real_kernel_it_is_as_the_kernel_has_it() -> None:
    why_not = kernel_tells()

    async def decide() -> Means:
        woken = asyncio.Event()
        noticing = Noticing(Offer(LinuxEvents(), OwnChild(idle_program())), lambda: None)
        second = 1.0
        noticing.take(second, woken.set)
        while noticing.means.why == "Whether the system tells of starts is being tried.":
            await woken.wait()
            woken.clear()
            second += 0.001
            noticing.take(second, woken.set)
        means = noticing.means
        noticing.close()
        return means

    means = asyncio.run(decide())
    assert means.by == ("events" if why_not is None else "polling")
    assert (means.why is None) == (why_not is None)
