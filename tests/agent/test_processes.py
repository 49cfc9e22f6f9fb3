"""Noticing what starts, changes and ends, at the price of asking about nothing else."""

import os

import psutil
import pytest

from agent.sensing.linux_source import LinuxSource
from agent.sensing.process_events import Kind, Told
from agent.sensing.process_source import GoneError, ProcessKey, Reading
from agent.sensing.processes import (
    ENDING_SECONDS,
    LISTED_AT_LEAST_EVERY_SECONDS,
    TRUSTING_LISTED_EVERY_SECONDS,
    Changes,
    ProcessWatch,
)
from agent.sensing.this_system import process_source
from tests.fakes.process_source import FakeProcessSource

SHELL, TELEGRAM = "/usr/bin/bash", "/usr/bin/telegram-desktop"


class Look:
    """A watch, and a clock that only moves when it is told to."""

    def __init__(self, source: FakeProcessSource) -> None:
        self.source = source
        self.watch = ProcessWatch(source)
        self.seconds = 50.0
        self.wall = source.wall
        self.tracked: tuple[int, ...] = ()

    def after(self, seconds: float = 0.75) -> Changes:
        self.seconds += seconds
        self.wall += seconds
        self.source.wall += seconds
        return self.watch.look(self.seconds, self.wall, self.tracked)

    def quiet(self) -> Changes:
        """Look until every process is old, so that what follows is about the change alone."""
        for _ in range(30):
            changes = self.after(1.0)
        self.source.asked.clear()
        return changes


@pytest.fixture
def look() -> Look:
    source = FakeProcessSource()
    source.start("/sbin/init", pid=1, started=1.0)
    return Look(source)


def exes(changes: Changes) -> list[str | None]:
    return [reading.image.exe for reading in changes.appeared]


def test_what_runs_already_is_met_at_the_first_look(look: Look) -> None:
    pid = look.source.start(TELEGRAM)
    changes = look.after()
    assert sorted(reading.key.pid for reading in changes.appeared) == [1, pid]
    assert changes.gone == ()
    assert look.after() == Changes((), ())


def test_a_start_is_noticed_once_with_its_facts(look: Look) -> None:
    look.after()
    pid = look.source.start(TELEGRAM)
    (reading,) = look.after().appeared
    assert reading == look.source.read(look.source.key(pid))
    assert reading.facts.name == "telegram-deskto"
    assert look.after().appeared == ()


def test_an_end_is_noticed_at_once_for_what_is_relied_on(look: Look) -> None:
    # Several at once: checking one in turn would find only one of them.
    pids = [look.source.start(TELEGRAM) for _ in range(5)]
    look.quiet()
    keys = {look.source.key(pid) for pid in pids[:4]}
    look.tracked = tuple(pids)
    for pid in pids[:4]:
        look.source.end(pid)
    assert set(look.after().gone) == keys
    assert look.after().gone == ()


def test_an_end_of_what_nobody_relies_on_is_noticed_with_the_next_list(look: Look) -> None:
    pid = look.source.start(SHELL)
    look.quiet()
    key = look.source.key(pid)
    look.source.end(pid)
    gone = [key for _ in range(12) for key in look.after(1.0).gone]
    assert gone == [key]


def test_a_zombie_of_what_is_relied_on_has_ended(look: Look) -> None:
    pid = look.source.start(TELEGRAM)
    look.quiet()
    key = look.source.key(pid)
    look.tracked = (pid,)
    look.source.die(pid)
    assert look.after().gone == (key,)


def test_a_zombie_and_a_process_that_ends_while_it_is_read_are_nobody(look: Look) -> None:
    look.after()
    zombie = look.source.start(TELEGRAM)
    look.source.die(zombie)
    assert look.after() == Changes((), (), 0)


@pytest.mark.parametrize("changes_after", [0.5, 2.0, 8.0])
def test_a_program_started_by_a_fork_is_seen_when_its_executable_changes(
    look: Look, changes_after: float
) -> None:
    look.after()
    pid = look.source.start(SHELL)
    assert exes(look.after(0.2)) == [SHELL]
    assert exes(look.after(changes_after)) in ([], [SHELL])
    look.source.become(pid, TELEGRAM)
    seen = [exe for _ in range(60) for exe in exes(look.after(0.2))]
    assert seen == [TELEGRAM]


def test_another_script_of_the_same_interpreter_is_seen(look: Look) -> None:
    look.after()
    pid = look.source.start("/usr/bin/python3")
    look.after(0.2)
    look.source.become(pid, "/usr/bin/python3", "/usr/bin/gajim")
    seen = [reading.facts.cmdline for _ in range(10) for reading in look.after(0.2).appeared]
    assert seen == [("/usr/bin/python3", "/usr/bin/gajim")]


def test_each_program_that_a_young_process_becomes_is_seen(look: Look) -> None:
    look.after()
    pid = look.source.start("/bin/a")
    seen = exes(look.after(0.1))
    for seconds, exe in ((0.5, "/bin/b"), (1.5, "/bin/c"), (3.0, "/bin/d")):
        look.source.become(pid, exe)
        seen += [one for _ in range(20) for one in exes(look.after(seconds / 10))]
    assert seen[0] == "/bin/a"
    assert seen[-1] == "/bin/d"


def test_an_old_process_is_not_asked_again(look: Look) -> None:
    pids = [look.source.start(SHELL) for _ in range(50)]
    look.quiet()
    for _ in range(100):
        look.after(0.01)
    assert look.source.asked["image"] == look.source.asked["read"] == 0
    assert look.source.asked["newest"] == 100
    assert len(pids) == 50


def test_while_nothing_starts_the_list_is_read_only_now_and_then(look: Look) -> None:
    look.quiet()
    for _ in range(100):
        look.after(1.0)
    assert look.source.asked["pids"] == pytest.approx(100 / LISTED_AT_LEAST_EVERY_SECONDS, abs=1)


def test_on_a_system_that_does_not_tell_the_newest_pid_the_list_is_read_each_time() -> None:
    look = Look(FakeProcessSource(tells_newest=False))
    look.quiet()
    pid = look.source.start(TELEGRAM)
    assert [reading.key.pid for reading in look.after().appeared] == [pid]
    assert look.source.asked["pids"] == 1


def test_a_start_costs_one_reading_and_three_glances(look: Look) -> None:
    look.quiet()
    look.source.start(SHELL)
    for _ in range(14):
        look.after(1.0)
    assert look.source.asked["read"] == 1
    assert look.source.asked["image"] == 3


def test_a_pid_used_again_is_another_process(look: Look) -> None:
    pid = look.source.start(TELEGRAM)
    look.quiet()
    old = look.source.key(pid)
    look.tracked = (pid,)
    look.source.end(pid)
    look.source.start(SHELL, pid=pid)
    changes = look.after()
    assert changes.gone == (old,)
    assert [reading.key for reading in changes.appeared] == [look.source.key(pid)]
    assert look.source.key(pid) != old


def test_of_what_nobody_relies_on_a_pid_used_again_is_found_in_turn(look: Look) -> None:
    pids = [look.source.start(SHELL) for _ in range(3)]
    look.quiet()
    look.source.end(pids[1])
    look.source.start(TELEGRAM, pid=pids[1])
    seen = [exe for _ in range(100) for exe in exes(look.after(1.0))]
    assert seen == [TELEGRAM]


def test_setting_the_clock_back_or_forward_keeps_a_new_process_young(look: Look) -> None:
    for step in (3600.0, -7200.0):
        look.quiet()
        look.wall += step  # what the system says of start times does not follow
        pid = look.source.start(SHELL)
        look.after(0.2)
        look.source.become(pid, TELEGRAM)
        assert [exe for _ in range(20) for exe in exes(look.after(0.75))] == [TELEGRAM]


def test_a_key_stays_the_same_when_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    source = LinuxSource()
    assert source.newest() is not None
    before = source.key(os.getpid())
    real = psutil._pslinux.boot_time
    # Linux tells the time of the boot as the wall clock minus the time since: it moves with the clock.
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: real() + 3600.0)
    assert psutil.boot_time() == pytest.approx(real() + 3600.0)
    assert source.key(os.getpid()) == before
    reading: Reading = source.read(before)
    assert reading.key == before


def test_what_is_not_there_is_gone() -> None:
    source = process_source()
    nobody = 2**22 + 1  # above the largest pid of Linux (proc_sys_kernel(5), pid_max)
    with pytest.raises(GoneError):
        source.key(nobody)
    with pytest.raises(GoneError):
        source.read(ProcessKey(nobody, 0.0))


class ToldLook(Look):
    """A watch that is told of what happens, and relies on it."""

    def told(self, happened: dict[int, Kind], after: float = 0.001, *, lost: bool = False) -> Changes:
        self.seconds += after
        self.wall += after
        self.source.wall += after
        return self.watch.look(self.seconds, self.wall, self.tracked, Told(happened, lost), trusts=True)

    def settled(self) -> None:
        """Look until nothing is due for a long time, so that what follows is about the change alone."""
        self.quiet()
        self.told({}, after=TRUSTING_LISTED_EVERY_SECONDS)
        self.source.asked.clear()


@pytest.fixture
def told_look() -> ToldLook:
    source = FakeProcessSource()
    source.start("/sbin/init", pid=1, started=1.0)
    look = ToldLook(source)
    look.settled()
    return look


def test_told_of_a_start_it_asks_about_that_one_alone(told_look: ToldLook) -> None:
    pid = told_look.source.start(TELEGRAM)
    assert exes(told_look.told({pid: "started"})) == [TELEGRAM]
    assert told_look.source.asked == {"key": 1, "read": 1}
    assert told_look.watch.due > told_look.seconds + 20


def test_told_of_nothing_it_asks_about_nothing_until_it_is_time_for_all(told_look: ToldLook) -> None:
    pid = told_look.source.start(TELEGRAM)
    for _ in range(20):
        assert told_look.told({}, after=1.0) == Changes((), ())
    assert not told_look.source.asked
    changes = told_look.told({}, after=told_look.watch.due - told_look.seconds)
    assert [reading.key.pid for reading in changes.appeared] == [pid]
    assert changes.untold == 1


def test_a_chain_of_programs_is_judged_by_each_it_is_seen_as_and_by_the_last(told_look: ToldLook) -> None:
    pid = told_look.source.start(SHELL)
    assert exes(told_look.told({pid: "started"})) == [SHELL]
    told_look.source.become(pid, "/usr/bin/env", "telegram")
    told_look.source.become(pid, TELEGRAM)
    assert exes(told_look.told({pid: "started"})) == [TELEGRAM]
    assert told_look.told({pid: "started"}) == Changes((), ())
    # The young are not looked at again: a change would be told.
    told_look.source.asked.clear()
    for _ in range(12):
        told_look.told({}, after=1.0)
    assert not told_look.source.asked


def test_what_started_and_ended_meanwhile_costs_nothing(told_look: ToldLook) -> None:
    pids = [told_look.source.start(SHELL) for _ in range(50)]
    for pid in pids:
        told_look.source.end(pid)
    assert told_look.told(dict.fromkeys(pids, "passed")) == Changes((), ())
    assert not told_look.source.asked


def test_an_end_that_is_told_is_an_end_at_once(told_look: ToldLook) -> None:
    pid = told_look.source.start(TELEGRAM)
    told_look.told({pid: "started"})
    key = told_look.source.key(pid)
    told_look.source.die(pid)
    assert told_look.told({pid: "ended"}).gone == (key,)
    told_look.source.end(pid)
    assert told_look.told({}, after=told_look.watch.due - told_look.seconds).gone == ()


def test_a_process_whose_other_threads_go_on_has_not_ended_and_is_looked_at_again(
    told_look: ToldLook,
) -> None:
    pid = told_look.source.start(TELEGRAM)
    told_look.told({pid: "started"})
    key = told_look.source.key(pid)
    assert told_look.told({pid: "ended"}).gone == ()
    assert told_look.watch.due == pytest.approx(told_look.seconds + ENDING_SECONDS[0])
    assert told_look.told({}, after=ENDING_SECONDS[0]).gone == ()
    told_look.source.end(pid)
    assert told_look.told({}, after=ENDING_SECONDS[1] - ENDING_SECONDS[0]).gone == (key,)
    assert told_look.watch.due > told_look.seconds + 20


def test_looking_again_for_an_end_late_finds_it_once(told_look: ToldLook) -> None:
    pid = told_look.source.start(TELEGRAM)
    told_look.told({pid: "started"})
    key = told_look.source.key(pid)
    told_look.told({pid: "ended"})
    told_look.source.end(pid)
    assert told_look.told({}, after=ENDING_SECONDS[-1] + 1).gone == (key,)


def test_what_goes_on_in_the_background_when_its_first_half_ends_is_found(told_look: ToldLook) -> None:
    pid = told_look.source.start(TELEGRAM)
    told_look.told({pid: "started"})
    told_look.tracked = (pid,)
    child = told_look.source.start(TELEGRAM)  # it only forked, which nobody tells
    told_look.source.end(pid)
    changes = told_look.told({pid: "ended"}, after=2.0)
    assert [key.pid for key in changes.gone] == [pid]
    assert [reading.key.pid for reading in changes.appeared] == [child]


def test_an_end_before_it_was_asked_for_is_found_soon(told_look: ToldLook) -> None:
    pid = told_look.source.start(TELEGRAM)
    told_look.told({pid: "started"})
    key = told_look.source.key(pid)
    told_look.source.end(pid)
    told_look.watch.expect_ends({pid, 4711}, told_look.seconds)
    changes = told_look.told({}, after=told_look.watch.due - told_look.seconds)
    assert changes.gone == (key,)


def test_told_of_a_pid_used_again_it_is_another_process(told_look: ToldLook) -> None:
    pid = told_look.source.start(TELEGRAM)
    told_look.told({pid: "started"})
    old = told_look.source.key(pid)
    told_look.source.end(pid)
    told_look.source.start(SHELL, pid=pid)
    changes = told_look.told({pid: "started"})
    assert changes.gone == (old,)
    assert exes(changes) == [SHELL]


def test_told_of_what_is_gone_already_nothing_happens(told_look: ToldLook) -> None:
    assert told_look.told({4711: "started", 4712: "ended", 4713: "passed"}) == Changes((), ())


def test_after_a_loss_all_are_listed_and_the_young_are_looked_at_again(told_look: ToldLook) -> None:
    old = told_look.source.start(SHELL)
    told_look.told({old: "started"})
    told_look.told({}, after=20.0)
    young = told_look.source.start(SHELL)
    told_look.told({young: "started"})
    for pid in (old, young):
        told_look.source.become(pid, TELEGRAM)
    new = told_look.source.start("/usr/bin/slack")
    changes = told_look.told({}, lost=True)
    assert [(one.key.pid, one.image.exe) for one in changes.appeared] == [
        (young, TELEGRAM),
        (new, "/usr/bin/slack"),
    ]
    assert changes.untold == 1
    assert told_look.source.asked["image"] == 1


def test_losses_one_after_the_other_list_no_more_than_once_a_second(told_look: ToldLook) -> None:
    told_look.told({}, after=5.0, lost=True)
    told_look.source.asked.clear()
    for _ in range(80):
        told_look.told({}, after=0.125, lost=True)
    assert told_look.source.asked["pids"] == 10
    told_look.source.asked.clear()
    told_look.told({}, after=1.0)
    told_look.told({}, after=20.0)
    assert told_look.source.asked["pids"] <= 1


def test_what_is_remembered_of_those_that_ended_untold_does_not_grow(told_look: ToldLook) -> None:
    for _ in range(40):
        for _ in range(50):
            pid = told_look.source.start(SHELL)
            told_look.told({pid: "started"})
            told_look.source.end(pid)
        told_look.told({}, after=TRUSTING_LISTED_EVERY_SECONDS)
    watch = told_look.watch
    assert len(watch._known) + len(watch._young) + len(watch._ending) + len(tuple(watch._turn)) <= 5


def test_without_trust_what_is_told_is_taken_and_looking_goes_on(told_look: ToldLook) -> None:
    pid, untold = told_look.source.start(TELEGRAM), told_look.source.start(SHELL)
    changes = told_look.watch.look(told_look.seconds + 1, told_look.wall + 1, (), Told({pid: "started"}))
    assert sorted(reading.key.pid for reading in changes.appeared) == [pid, untold]
