"""The rhythm of looking: told of starts it waits for them, otherwise it looks again and again, and its work is bounded."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from agent.catalogue import load as load_catalogue
from agent.catalogue import shipped_entries
from agent.desk import Desk
from agent.lookout import Lookout
from agent.rhythm import LONGEST_PAUSE_SECONDS, SLOWER_AT_MOST, SLOWER_BESIDE_EVENTS, SLOWER_WITH_SOMEONE
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.noticing import AGAIN_SECONDS, PROOF_SECONDS, Noticing, Offer
from agent.sensing.process_events import Gap, NoEventsError
from agent.sensing.process_source import ProcessKey
from agent.sensing.processes import LISTED_AT_LEAST_EVERY_SECONDS, TRUSTING_LISTED_EVERY_SECONDS, ProcessWatch
from agent.sensing.signals.linux_signals import LinuxSignals
from agent.sides import Sides
from contract.catalogue import Catalogue
from contract.matching import Matcher
from contract.overlay import merge, parse
from tests.fakes.hand_loop import HandLoop
from tests.fakes.process_events import FakeChild, FakeEvents
from tests.fakes.process_source import FakeProcessSource

PIDGIN, SHELL, BROWSER = "/usr/bin/pidgin", "/usr/bin/bash", "/usr/lib/chromium/chromium"
SET_SECONDS = 0.75
BUSY_SECONDS_EACH = 0.0002
"""What asking about one process takes, as these tests have it."""


class LoopClock:
    """Clocks that go with the loop."""

    def __init__(self, loop: HandLoop) -> None:
        self._loop, self.rate = loop, 1.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(1000.0 + self._loop.time(), UTC)

    def monotonic(self) -> float:
        return self._loop.time() * self.rate

    def awake(self) -> float:
        return self.monotonic()

    def boot_id(self) -> str:
        return "a test"


class FakeDesk:
    """Keeps what it was handed, and when."""

    def __init__(self, loop: HandLoop) -> None:
        self._loop = loop
        self.open: dict[ProcessKey, str] = {}
        self.log: list[tuple[float, str]] = []

    def tracked_pids(self) -> frozenset[int]:
        return frozenset(key.pid for key in self.open)

    def take(self, found: Any, gone: Any, became_other: Any = ()) -> None:
        at = round(self._loop.time(), 3)
        for key in (*gone, *became_other):
            if key in self.open:
                self.log.append((at, f"-{self.open.pop(key)}"))
        for one in found:
            self.open[one.key] = one.match.messenger
            self.log.append((at, one.match.messenger))


class Scene:
    """A lookout at work, on a machine in memory that tells what starts."""

    def __init__(self, matcher: Matcher) -> None:
        self.loop, self.matcher = HandLoop(), matcher
        self.source, self.events = FakeProcessSource(), FakeEvents()
        self.source.start("/sbin/init", pid=1, started=1.0)
        self.child = FakeChild(self.events)
        self.desk = FakeDesk(self.loop)
        self.noticing = Noticing(Offer(self.events, self.child), lambda: None)
        self.slower, self.someone_there = 1.0, False
        self.clock = LoopClock(self.loop)
        self.lookout = Lookout(
            ProcessWatch(self.source),
            self.noticing,
            self.source,
            DesktopIndex(()),
            lambda: self.matcher,
            cast("Desk", self.desk),
            self.clock,
            Sides(
                self.source,
                LinuxSignals(self.source, Path("/nowhere")),
                lambda reading: self.matcher.match(reading.facts),
                lambda: Catalogue({}),
                "company",
                None,
                lambda: None,
            ),
            SET_SECONDS,
            lambda: self.someone_there,
            lambda: BUSY_SECONDS_EACH * self.source.asked["read"] + self.busy_before,
            None,
        )
        self.looks, self.busy_before = 0, 0.0
        look = self.lookout.look

        def counted() -> None:
            self.looks += 1
            look()

        self.lookout.look = counted  # type: ignore[method-assign]

    def run(self, *, settle_seconds: float = 65.0) -> None:
        """Begin, and let the first minute go by."""
        self.task = self.loop.create_task(self.lookout.run(self._slowed))
        self.advance(settle_seconds)
        self.forget()

    def _slowed(self, seconds: float) -> float:
        return seconds * self.slower

    def advance(self, seconds: float) -> None:
        self.loop.advance(seconds)
        if self.task.done():
            self.task.result()

    def forget(self) -> None:
        self.busy_before += BUSY_SECONDS_EACH * self.source.asked["read"]
        self.source.asked.clear()
        self.desk.log.clear()
        self.looks = 0

    def start(self, exe: str) -> int:
        pid = self.source.start(exe, started=1000.0 + self.loop.time())
        self.events.tell(pid, "started")
        return pid

    def end(self, pid: int) -> None:
        self.source.end(pid)
        self.events.tell(pid, "ended")


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(load_catalogue())


@pytest.fixture
def scene(matcher: Matcher) -> Iterator[Scene]:
    scene = Scene(matcher)
    yield scene
    scene.loop.finish(scene.task)


def test_told_of_a_start_and_an_end_it_hands_them_on_at_once(scene: Scene) -> None:
    scene.run()
    assert scene.noticing.by_events
    at = scene.loop.time()
    pid = scene.start(PIDGIN)
    scene.advance(0.001)
    scene.advance(1.0)
    scene.end(pid)
    scene.advance(0.001)
    assert scene.desk.log == [(at, "pidgin"), (at + 1.001, "-pidgin")]


def test_told_of_nothing_it_looks_only_to_be_safe(scene: Scene) -> None:
    scene.run()
    scene.advance(600.0)
    assert scene.looks == 600 / TRUSTING_LISTED_EVERY_SECONDS
    assert scene.source.asked["newest"] == scene.source.asked["pids"] == scene.looks


def test_an_alarm_that_comes_a_little_early_is_set_again(scene: Scene) -> None:
    scene.clock.rate = 0.999  # the device's clock and the loop's are two, and never quite agree
    scene.run()
    scene.advance(600.0)
    assert scene.source.asked["pids"] == pytest.approx(600 / TRUSTING_LISTED_EVERY_SECONDS, abs=1)


def test_ends_are_asked_for_of_what_is_relied_on_alone(scene: Scene) -> None:
    scene.run()
    assert scene.events.followed == frozenset()
    pid = scene.start(PIDGIN)
    other = scene.start(SHELL)
    scene.advance(1.0)
    assert scene.events.followed == frozenset({pid})
    scene.forget()
    scene.end(other)
    scene.advance(1.0)
    assert scene.looks == 0


def test_an_end_just_before_it_was_asked_for_is_noticed(scene: Scene) -> None:
    scene.run()
    pid = scene.start(PIDGIN)
    follow = scene.events.follow

    def ends_first(pids: frozenset[int] | None) -> None:
        if pids == frozenset({pid}) and pid in scene.source.pids():
            scene.end(pid)
        follow(pids)

    scene.events.follow = ends_first  # type: ignore[method-assign]
    scene.advance(0.5)
    assert [what for _, what in scene.desk.log] == ["pidgin", "-pidgin"]


def test_the_end_of_a_browser_is_asked_for_once_a_page_is_told_of(scene: Scene) -> None:
    scene.run()
    browser = scene.start(BROWSER)
    scene.advance(1.0)
    assert browser not in (scene.events.followed or ())
    scene.desk.open[scene.source.key(browser)] = "a page"
    scene.lookout.wake()
    scene.advance(1.0)
    assert scene.events.followed == frozenset({browser})
    scene.forget()
    scene.end(browser)
    scene.advance(0.05)
    assert [what for _, what in scene.desk.log] == ["-a page"]


def test_what_is_no_messenger_troubles_the_desk_with_nothing(scene: Scene) -> None:
    scene.run()
    taken: list[object] = []
    scene.desk.take = lambda found, gone, became_other=(): taken.append((found, gone))  # type: ignore[method-assign]
    pid = scene.start(SHELL)
    scene.advance(1.0)
    scene.source.become(pid, "/usr/bin/env")
    scene.events.tell(pid, "started")
    scene.advance(1.0)
    scene.end(pid)
    scene.advance(100.0)
    assert taken == []


def test_a_messenger_that_becomes_something_else_has_ended(scene: Scene) -> None:
    scene.run()
    pid = scene.start(PIDGIN)
    scene.advance(1.0)
    scene.source.become(pid, SHELL)
    scene.events.tell(pid, "started")
    scene.advance(1.0)
    assert [what for _, what in scene.desk.log] == ["pidgin", "-pidgin"]


def test_a_burst_is_taken_together_and_a_flood_costs_a_bounded_number_of_looks(scene: Scene) -> None:
    scene.run()
    for _ in range(1000):
        scene.start(SHELL)
        scene.advance(0.0005)
    assert scene.looks <= 1 + 0.5 / 0.01
    scene.advance(10.0)
    assert scene.source.asked["read"] == 1000


def test_after_a_look_that_cost_much_it_rests_nineteen_times_as_long(scene: Scene) -> None:
    scene.run()
    for _ in range(100):
        scene.start(SHELL)
    scene.advance(0.0)
    assert scene.source.asked["read"] == 100  # 20 ms, as these tests have it
    scene.start(SHELL)
    scene.advance(0.37)
    assert (scene.source.asked["read"], scene.looks) == (100, 1)
    scene.advance(0.02)
    assert (scene.source.asked["read"], scene.looks) == (101, 2)


def test_over_its_limits_it_rests_longer(scene: Scene) -> None:
    scene.run()
    scene.slower = 16.0
    scene.start(SHELL)
    scene.advance(0.0)
    scene.forget()
    for _ in range(100):
        scene.start(SHELL)
        scene.advance(0.01)
    assert scene.looks <= 1 + 1.0 / 0.16


def test_what_was_lost_is_made_good_by_a_full_look(scene: Scene) -> None:
    scene.run()
    scene.source.start(PIDGIN, started=1000.0 + scene.loop.time())
    scene.events.lose()
    scene.advance(0.001)
    assert [what for _, what in scene.desk.log] == ["pidgin"]
    assert scene.noticing.means.lost == 1


def test_events_that_fall_silent_are_found_out_and_looking_begins(scene: Scene) -> None:
    scene.run()
    scene.events.is_deaf = True
    scene.start(PIDGIN)
    scene.advance(TRUSTING_LISTED_EVERY_SECONDS)
    assert [what for _, what in scene.desk.log] == ["pidgin"]
    scene.advance(TRUSTING_LISTED_EVERY_SECONDS)
    scene.start(SHELL)
    scene.advance(TRUSTING_LISTED_EVERY_SECONDS + PROOF_SECONDS + 4 * SET_SECONDS)
    assert not scene.noticing.by_events
    scene.forget()
    scene.start(PIDGIN)
    scene.advance(SLOWER_AT_MOST * SET_SECONDS)
    assert [what for _, what in scene.desk.log] == ["pidgin"]
    scene.events.is_deaf = False
    scene.advance(AGAIN_SECONDS + 4 * SET_SECONDS)
    assert scene.noticing.by_events


@pytest.fixture
def partly(scene: Scene) -> Scene:
    """A system that tells of applications, and of no other program."""
    scene.events.gap = Gap(("applications", "ends"), "Of the rest nobody tells.")
    return scene


def test_beside_events_with_a_gap_an_application_is_still_handed_on_at_once(partly: Scene) -> None:
    partly.run(settle_seconds=600.0)
    at = partly.loop.time()
    pid = partly.start(PIDGIN)
    partly.advance(0.001)
    assert partly.events.followed == frozenset({pid})
    partly.end(pid)
    partly.advance(0.1)
    assert [what for _, what in partly.desk.log] == ["pidgin", "-pidgin"]
    assert partly.desk.log[0][0] == at
    assert partly.desk.log[1][0] <= at + 0.1


@pytest.mark.parametrize(("someone_there", "times"), [(False, SLOWER_AT_MOST), (True, SLOWER_WITH_SOMEONE)])
def test_in_the_gap_programs_are_found_by_looking_at_half_the_pace(
    partly: Scene, *, someone_there: bool, times: float
) -> None:
    partly.someone_there = someone_there
    partly.run(settle_seconds=600.0)
    slowest = times * SLOWER_BESIDE_EVENTS * SET_SECONDS
    partly.advance(300.0)
    assert partly.looks == pytest.approx(300 / slowest, abs=2)
    partly.source.start(PIDGIN, started=1000.0 + partly.loop.time())
    partly.advance(slowest)
    assert [what for _, what in partly.desk.log] == ["pidgin"]
    assert partly.child.started == 1


def test_a_wake_that_tells_of_nobody_is_a_look_at_all_where_there_is_a_gap(partly: Scene) -> None:
    partly.run(settle_seconds=600.0)
    partly.source.start(PIDGIN, started=1000.0 + partly.loop.time())
    partly.lookout.wake()
    partly.advance(0.0)
    assert [what for _, what in partly.desk.log] == ["pidgin"]


@pytest.fixture
def looking(scene: Scene) -> Scene:
    scene.events.refusal = NoEventsError("They are refused.")
    return scene


def test_without_events_it_looks_as_often_as_set_while_things_start(looking: Scene) -> None:
    looking.run()
    for _ in range(40):
        looking.start(SHELL)
        looking.advance(SET_SECONDS)
    assert looking.looks == pytest.approx(40, abs=1)


@pytest.mark.parametrize(("someone_there", "times"), [(False, SLOWER_AT_MOST), (True, SLOWER_WITH_SOMEONE)])
def test_without_events_it_looks_less_often_while_nothing_starts(
    looking: Scene, *, someone_there: bool, times: float
) -> None:
    looking.someone_there = someone_there
    looking.run(settle_seconds=600.0)
    looking.advance(300.0)
    assert looking.looks == pytest.approx(300 / (times * SET_SECONDS), abs=2)
    looking.start(PIDGIN)
    looking.advance(times * SET_SECONDS)
    assert [what for _, what in looking.desk.log] == ["pidgin"]
    looking.forget()
    looking.advance(15.0)
    assert looking.looks == pytest.approx(20, abs=1)


def test_without_events_and_over_its_limits_it_looks_still_less_often(looking: Scene) -> None:
    looking.slower = 4.0
    looking.run(settle_seconds=600.0)
    looking.advance(120.0)
    assert looking.looks == pytest.approx(120 / (SLOWER_AT_MOST * SET_SECONDS * 4), abs=1)
    assert LISTED_AT_LEAST_EVERY_SECONDS < SLOWER_AT_MOST * SET_SECONDS * 4 <= LONGEST_PAUSE_SECONDS


def test_stopping_leaves_nothing_behind(scene: Scene) -> None:
    scene.run(settle_seconds=0.0)

    async def stop() -> None:
        scene.task.cancel()
        await asyncio.wait([scene.task])

    scene.loop.run_until_complete(stop())
    assert (scene.events.is_open, scene.child.left) == (False, 0)
    handles: list[Callable[[], None]] = scene.loop._scheduled  # type: ignore[attr-defined]
    assert not [handle for handle in handles if not handle.cancelled()]  # type: ignore[attr-defined]


def test_a_new_catalogue_counts_for_what_runs_already(scene: Scene) -> None:
    scene.run()
    scene.start("/opt/acme-chat")
    kept, other = scene.start(PIDGIN), scene.start("/usr/bin/telegram-desktop")
    scene.advance(1.0)
    scene.forget()
    overlay = """
[acme-chat]
name = "Acme Chat"
maker = "Acme"
kind = "business"
seen = [["linux", "Acme IT", { executable = "acme-chat" }]]
[telegram]
seen = [["macos", "Acme IT", { bundle_id = "org.example.telegram" }]]
"""
    scene.matcher = Matcher(merge(shipped_entries(), parse(overlay)))
    scene.lookout.look_again()
    scene.advance(1.0)
    assert sorted(what for _, what in scene.desk.log) == ["-telegram", "acme-chat", "pidgin"]
    assert {key.pid for key in scene.desk.open} >= {kept}
    assert other not in {key.pid for key in scene.desk.open}


def test_all_is_read_again_once_and_no_more(scene: Scene) -> None:
    scene.run()
    for _ in range(20):
        scene.start(SHELL)
    scene.advance(1.0)
    scene.forget()
    scene.lookout.look_again()
    scene.advance(5.0)
    assert scene.source.asked["read"] == len(list(scene.source.pids()))
