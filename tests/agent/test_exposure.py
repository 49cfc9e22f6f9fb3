"""Exposure is counted right across sleep, set clocks, crashes, restarts and reboots; against an oracle that knows what really went by."""

import itertools
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.exposure import KEPT, KEPT_TOLD, Day, Going, Meter, Reading, Session
from contract.ceiling import Detail
from contract.observations import ExposureObserved

START = datetime(2026, 3, 2, 22, 30, tzinfo=timezone(timedelta(hours=1)))
UID = 1000
MESSENGERS = ("signal", "telegram")


class World:
    """A machine with its clocks and messengers, the agent's count, and what truly went by."""

    def __init__(self) -> None:
        self.awake, self.wall, self.boot, self.believed = 1000.0, START, 1, True
        self.captured: set[str] = set()
        self.detail: Detail = "exact"
        self.open: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._pending: dict[str, float] = defaultdict(float)
        self._captured_then: set[str] = set()
        self.true: dict[str, float] = defaultdict(float)
        self.true_uncaptured: dict[str, float] = defaultdict(float)
        self.meter = self._meter(Going(), ())
        self._save()

    def _meter(self, going: Going, days: Iterable[Day]) -> Meter:
        return Meter(
            going,
            days,
            lambda: f"{next(self._numbers):032x}",
            lambda messenger: messenger in self.captured,
            lambda _: self.detail,
        )

    def _save(self) -> None:
        self._saved = self.meter.going, tuple(self.meter.days().values())

    def reading(self) -> Reading:
        return Reading(self.awake, f"boot-{self.boot}", self.wall, is_believed=self.believed)

    def session(self, messenger: str) -> Session:
        return Session(
            sighting=self.open[messenger], uid=UID, messenger=messenger, name=messenger, listed=True
        )

    def run(self, seconds: float) -> None:
        """Let time go by while the machine is awake."""
        self.awake += seconds
        self.wall += timedelta(seconds=seconds)
        for messenger in self.open:
            self._pending[messenger] += seconds

    def sleep(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)

    def set_clock(self, hours: float) -> None:
        """Set it so far from the beginning."""
        self.wall = START + timedelta(hours=hours)

    def capture(self, messenger: str) -> None:
        """Let a messenger be captured, or be so no more."""
        self.captured ^= {messenger}

    def doubt(self) -> None:
        self.believed = not self.believed

    def tick(self) -> None:
        self.meter.count(self.reading())
        if self.believed:
            self.meter.tidy(self.wall.date())
        self._read()

    def _read(self) -> None:
        """What was pending at a reading is true now, captured or not as it was at the reading before."""
        for messenger, seconds in self._pending.items():
            self.true[messenger] += seconds
            if messenger not in self._captured_then:
                self.true_uncaptured[messenger] += seconds
        self._pending.clear()
        self._captured_then = set(self.captured)
        self._save()

    def start(self, messenger: str) -> None:
        if messenger not in self.open:
            self.tick()
            self.open[messenger] = f"{next(self._numbers):032x}"
            self.meter.begin(self.session(messenger), self.reading())
            self._save()

    def end(self, messenger: str) -> None:
        if messenger in self.open:
            self.tick()
            self.meter.end(self.open.pop(messenger), self.reading())
            self._save()

    def crash(self, gap: float, survivors: Iterable[str]) -> None:
        """Kill the agent; after a while it runs again. Whoever survived was open all along, and of the others nothing is known."""
        self.run(gap)
        for messenger in set(self.open) - set(survivors):
            del self.open[messenger]
            self._pending.pop(messenger, None)
        self.meter = self._meter(*self._saved)
        there = [self.session(messenger) for messenger in self.open]
        self.meter.go_on(there, there, self.reading())
        self._read()

    def reboot(self) -> None:
        self.boot += 1
        self.awake = 5.0
        self.wall += timedelta(minutes=2)
        self.crash(0.0, ())

    def rows(self) -> list[Day]:
        return sorted(self.meter.days().values(), key=lambda one: one.key)

    def seconds(self, of: str = "telegram") -> dict[date, float]:
        return {one.day: one.seconds for one in self.rows() if one.messenger == of}

    def sessions(self, of: str = "telegram") -> dict[date, int]:
        return {one.day: one.sessions for one in self.rows() if one.messenger == of}


SECONDS = st.integers(0, 20_000).map(float)
STEPS = st.one_of(
    st.tuples(st.just("run"), SECONDS),
    st.tuples(st.just("sleep"), st.integers(0, 200_000).map(float)),
    st.tuples(st.just("set_clock"), st.integers(-240, 240)),
    st.tuples(st.just("start"), st.sampled_from(MESSENGERS)),
    st.tuples(st.just("end"), st.sampled_from(MESSENGERS)),
    st.tuples(st.just("capture"), st.sampled_from(MESSENGERS)),
    st.tuples(st.just("doubt"), st.none()),
    st.tuples(st.just("tick"), st.none()),
    st.tuples(st.just("crash"), st.tuples(SECONDS, st.sets(st.sampled_from(MESSENGERS)))),
    st.tuples(st.just("reboot"), st.none()),
)


def act(world: World, step: str, value: Any) -> None:
    getattr(world, step)(*(() if value is None else value if isinstance(value, tuple) else (value,)))


@given(st.lists(STEPS, max_size=30))
def test_no_time_is_made_and_none_is_lost_whatever_happens(steps: list[tuple[str, object]]) -> None:
    world = World()
    for step, value in steps:
        act(world, step, value)
    world.tick()
    for messenger in MESSENGERS:
        rows = [one for one in world.rows() if one.messenger == messenger]
        assert sum(one.seconds for one in rows) == pytest.approx(world.true[messenger], abs=1e-3)
        uncaptured = sum(one.uncaptured_seconds for one in rows)
        assert uncaptured == pytest.approx(world.true_uncaptured[messenger], abs=1e-3)
    for one in world.rows():
        assert 0 <= one.uncaptured_seconds <= one.seconds + 1e-6
        assert 0 <= one.uncaptured_sessions <= one.sessions
        assert one.sessions >= 1
    assert (world.meter.going.reading is None) is (not world.open), "nothing is written while nothing is open"


AWAKE = st.one_of(
    st.tuples(st.just("run"), st.integers(0, 9_000).map(float)),
    st.tuples(st.just("start"), st.sampled_from(MESSENGERS)),
    st.tuples(st.just("end"), st.sampled_from(MESSENGERS)),
    st.tuples(st.just("tick"), st.none()),
    st.tuples(st.just("crash"), st.tuples(SECONDS, st.just(set(MESSENGERS)))),
)


@given(st.lists(AWAKE, max_size=25))
def test_every_second_is_of_the_day_on_which_it_was(steps: list[tuple[str, object]]) -> None:
    """The oracle asks of each second of an even clock what was open then."""
    world = World()
    open_on: dict[tuple[date, str], int] = defaultdict(int)
    open_at: set[tuple[date, str, str]] = set()
    for step, value in steps:
        before, was_open = world.wall, dict(world.open)
        act(world, step, value)
        began = dict(world.open) if step == "start" else {}
        open_at |= {(world.wall.date(), messenger, one) for messenger, one in began.items()}
        for second in range(int((world.wall - before).total_seconds())):
            day = (before + timedelta(seconds=second)).date()
            for messenger, one in was_open.items():
                open_on[day, messenger] += 1
                open_at.add((day, messenger, one))
    world.tick()
    assert {(one.day, one.messenger): round(one.seconds) for one in world.rows() if one.seconds} == open_on
    counted: dict[tuple[date, str], int] = defaultdict(int)
    for day, messenger, _ in open_at:
        counted[day, messenger] += 1
    assert {(one.day, one.messenger): one.sessions for one in world.rows()} == counted


def test_an_even_day_with_a_night_of_sleep_counts_only_what_was_awake() -> None:
    world = World()
    world.start("telegram")
    world.run(3600)
    world.tick()
    world.sleep(9 * 3600)
    world.run(60)
    world.tick()
    assert world.seconds() == {date(2026, 3, 2): 3600, date(2026, 3, 3): 60}
    assert world.sessions() == {date(2026, 3, 2): 1, date(2026, 3, 3): 1}


def test_midnight_divides_what_is_open_and_both_days_have_the_session() -> None:
    world = World()
    world.start("telegram")
    world.run(2 * 3600)
    world.tick()
    assert world.seconds() == {date(2026, 3, 2): 5400, date(2026, 3, 3): 1800}
    assert world.sessions() == {date(2026, 3, 2): 1, date(2026, 3, 3): 1}


def test_what_is_open_until_midnight_and_no_longer_is_not_of_the_next_day() -> None:
    world = World()
    world.start("telegram")
    world.run(90 * 60)
    world.end("telegram")
    assert world.wall.time() == datetime.min.time()
    assert world.sessions() == {date(2026, 3, 2): 1}


def test_a_day_is_the_devices_own_not_that_of_universal_time() -> None:
    world = World()
    world.start("telegram")
    world.run(45 * 60)
    world.tick()
    assert world.wall.astimezone(UTC).hour == 22
    assert world.seconds() == {date(2026, 3, 2): 2700}


def test_setting_the_clock_moves_the_day_and_nothing_else() -> None:
    world = World()
    world.start("telegram")
    world.run(600)
    world.set_clock(-48)
    world.tick()
    world.run(60)
    world.set_clock(0.2)
    world.tick()
    assert sum(world.seconds().values()) == 660


def test_on_a_clock_in_doubt_time_is_of_the_last_day_that_was_believed() -> None:
    world = World()
    world.start("telegram")
    world.run(60)
    world.tick()
    world.believed = False
    world.set_clock(50_000)
    world.run(60)
    world.tick()
    assert world.seconds() == {date(2026, 3, 2): 120}


def test_days_to_come_are_todays_once_the_clock_is_right_again() -> None:
    world = World()
    world.start("telegram")
    world.set_clock(9_600)
    world.run(60)
    world.tick()
    world.set_clock(0)
    world.run(60)
    world.tick()
    assert world.seconds() == {date(2026, 3, 2): 120}


@pytest.mark.parametrize("gap", [30.0, 7200.0])
def test_a_killed_agent_counts_what_ran_on_and_nothing_of_what_ended_meanwhile(gap: float) -> None:
    world = World()
    world.start("telegram")
    world.start("signal")
    world.run(60)
    world.tick()
    world.run(40)
    world.crash(gap, ["telegram"])
    world.tick()
    assert sum(world.seconds().values()) == 100 + gap
    assert world.seconds("signal") == {date(2026, 3, 2): 60}
    assert sum(world.sessions("signal").values()) == 1
    assert world.sessions()[date(2026, 3, 2)] == 1, "it is the same session"


def test_of_a_page_that_nobody_watched_the_gap_is_not_counted() -> None:
    world = World()
    world.start("telegram")
    world.run(60)
    world.tick()
    world.run(500)
    world.meter = world._meter(*world._saved)
    world.meter.go_on([], [world.session("telegram")], world.reading())
    world.run(10)
    world.tick()
    assert world.seconds() == {date(2026, 3, 2): 70}
    assert world.sessions() == {date(2026, 3, 2): 1}


def test_a_reboot_ends_everything() -> None:
    world = World()
    world.start("telegram")
    world.run(60)
    world.tick()
    world.reboot()
    world.run(600)
    world.tick()
    assert world.seconds() == {date(2026, 3, 2): 60}


def test_what_is_captured_counts_as_time_and_not_as_exposure() -> None:
    world = World()
    world.captured = {"telegram"}
    world.start("telegram")
    world.run(100)
    world.tick()
    world.captured = set()
    world.run(1)
    world.tick()
    (row,) = world.rows()
    assert (row.seconds, row.uncaptured_seconds, row.uncaptured_sessions) == (101, 0, 0)
    world.run(50)
    world.tick()
    (row,) = world.rows()
    assert (row.seconds, row.uncaptured_seconds, row.sessions, row.uncaptured_sessions) == (151, 50, 1, 1)


def test_what_may_not_be_told_is_not_counted_at_all() -> None:
    world = World()
    world.detail = "nothing"
    world.start("telegram")
    world.run(600)
    world.tick()
    assert world.rows() == []
    world.detail = "kind"
    world.run(7)
    world.tick()
    assert world.rows() == [], "it was not allowed when that began"
    world.detail = "exact"
    world.run(60)
    world.tick()
    (row,) = world.rows()
    assert (row.seconds, row.sessions, row.detail) == (60, 1, "kind")


def told(one: Day) -> ExposureObserved:
    return ExposureObserved(exposure=one.id, detail="exact", day=one.day, sessions=one.sessions)


def test_days_are_forgotten_sooner_once_they_were_told() -> None:
    world = World()
    for messenger in MESSENGERS:
        world.start(messenger)
        world.run(60)
        world.end(messenger)
    first, second = world.rows()
    world.meter.tell({first.id: told(first)})
    today = world.wall.date()
    world.meter.tidy(today + KEPT_TOLD)
    assert len(world.rows()) == 2
    world.meter.tidy(today + KEPT_TOLD + timedelta(days=1))
    assert [one.id for one in world.rows()] == [second.id]
    world.meter.tidy(today + KEPT + timedelta(days=1))
    assert world.rows() == []


def test_years_of_use_leave_as_little_as_a_month() -> None:
    world, chance = World(), random.Random(7)
    for _ in range(400):
        for messenger in MESSENGERS:
            world.start(messenger)
            world.run(chance.randrange(3600))
            if chance.random() < 0.5:
                world.end(messenger)
        world.run(86_400)
        world.tick()
    assert len(world.rows()) <= 2 * (KEPT.days + 1)
    assert all(len(one.days) <= KEPT.days + 1 for one in world.meter.going.sessions)
