"""The rhythm of checking in: together, apart, later and later, and at once when a person asks. Time is advanced, never slept."""

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import RefusedError
from agent.problems import Problems
from agent.reporting.backoff import Backoff
from agent.reporting.enrolment import Enrolment
from agent.reporting.reporter import Reporter, Rhythm
from tests.fakes.device import Device, policy
from tests.fakes.hand_loop import HandLoop


class Rig:
    """A reporter that runs on a loop whose time is advanced by hand."""

    def __init__(
        self,
        folder: Path,
        *,
        enrolled: bool = True,
        fixed_seconds: int | None = None,
        device: Device | None = None,
    ) -> None:
        self.loop = HandLoop()
        self.device = device or Device(folder)
        if enrolled and device is None:
            self.device.enrol()
        self.problems = Problems()
        self.enrolled: list[Enrolment] = []
        self.policies = self.catalogues = self.changes = 0
        device = self.device
        self.reporter = Reporter(
            device.store,
            device.outbox,
            device.shelf,
            device.catalogues,
            device.check_ins,
            device.server,
            Backoff(random.Random(1)),
            device.clock,
            Rhythm(fixed_seconds or 300, is_fixed=fixed_seconds is not None),
            self.problems,
            self.enrolled.append,
            self._count_policy,
            self._count_catalogue,
            self._count_change,
        )
        self.task = self.loop.create_task(self.reporter.run())

    def _count_policy(self) -> None:
        self.policies += 1

    def _count_catalogue(self) -> None:
        self.catalogues += 1

    def _count_change(self) -> None:
        self.changes += 1

    def after(self, seconds: float) -> int:
        """Let time go by; return how many check-ins have come."""
        self.loop.advance(seconds)
        return len(self.device.server.check_ins)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def build(**options: object) -> Rig:
        made.append(Rig(tmp_path, **options))  # type: ignore[arg-type]  # passed on
        return made[-1]

    yield build
    for rig in made:
        rig.loop.finish(rig.task)


def test_the_server_says_how_often_unless_the_administrator_fixed_it(make: Callable[..., Rig]) -> None:
    rig = make()
    assert rig.after(1) == 1
    assert rig.after(260) == 1
    assert rig.after(80) == 2


def test_an_interval_that_the_administrator_fixed_stays(make: Callable[..., Rig]) -> None:
    rig = make(fixed_seconds=60)
    assert rig.after(1) == 1
    assert rig.after(75) == 2


def test_what_happens_together_is_reported_together_and_soon(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.after(10)
    for word in ("one", "two"):
        rig.device.report(word)
        rig.reporter.wake()
    assert rig.after(0.1) == 1
    assert rig.after(0.1) == 2
    assert len(rig.device.server.check_ins[-1].observations) == 2


def test_two_check_ins_are_never_closer_than_half_a_second(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.after(10)
    for _ in range(20):
        rig.reporter.ask()
        rig.loop.advance(0.1)
    assert len(rig.device.server.check_ins) <= 1 + 2 / 0.5


def test_what_the_outbox_holds_beyond_one_message_follows_piece_by_piece(make: Callable[..., Rig]) -> None:
    rig = make()
    for number in range(520):
        rig.device.report(f"number {number}")
    assert rig.after(0.5) == 1
    assert 2 <= rig.after(5) <= 6
    rig.after(40)
    assert len(rig.device.server.taken) == 520


def test_a_server_that_is_down_for_a_week_gets_everything_once_and_is_not_flooded(
    make: Callable[..., Rig],
) -> None:
    rig = make()
    rig.after(1)
    rig.device.server.is_down = True
    for hour in range(7 * 24):
        for part in range(5):
            rig.device.report(f"hour {hour}, part {part}")
            rig.reporter.wake()
        rig.device.clock.advance(timedelta(hours=1))
        rig.loop.advance(3600)
    rig.device.server.is_down = False
    before = rig.after(0)
    rig.after(900)
    taken = rig.device.server.taken
    assert sorted(taken) == list(range(1, 7 * 24 * 5 + 1))
    assert [getattr(taken[number], "detail", "") for number in (1, 840)] == [
        "hour 0, part 0",
        "hour 167, part 4",
    ]
    assert rig.device.server.forks == []
    assert len(rig.device.server.check_ins) - before <= 20


def test_a_fleet_is_spread_as_the_server_asks_at_every_start(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.device.server.spread_seconds = 600
    assert rig.after(1) == 1
    rig.loop.finish(rig.task)
    again = make(device=rig.device)
    assert again.after(5) == 1
    assert again.reporter.server == "connecting"
    assert again.after(595) >= 2


def test_nothing_becomes_due_on_a_clock_that_nobody_believes(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.after(1)
    rig.device.clock.boot, rig.device.clock.at = "boot-2", rig.device.clock.at - timedelta(days=400)
    rig.device.server.is_down = True
    rig.device.report("made while in doubt")
    rig.reporter.ask()
    rig.after(5)
    assert rig.device.check_ins.time() is None
    assert rig.device.outbox.count_due(rig.device.check_ins.time()) == 0


def test_a_server_that_does_not_answer_is_tried_later_and_later_and_news_do_not_hurry(
    make: Callable[..., Rig],
) -> None:
    rig = make()
    rig.device.server.is_down = True
    tries: list[float] = []
    real = rig.device.server.post

    def post(url: str, body: bytes) -> bytes:
        tries.append(rig.loop.time())
        return real(url, body)

    rig.device.server.post = post  # type: ignore[method-assign]  # counted
    for _ in range(600):
        rig.reporter.wake()
        rig.loop.advance(1)
    states = [rig.reporter.server]
    gaps = [b - a for a, b in itertools.pairwise(tries)]
    assert len(tries) < 15
    assert all(later > earlier * 0.9 for earlier, later in itertools.pairwise(gaps))
    rig.device.server.is_down = False
    rig.reporter.ask()
    rig.loop.advance(0.2)
    states.append(rig.reporter.server)
    assert states == ["unreachable", "reachable"]


def test_a_refusal_is_shown_with_its_remedy_and_gone_when_it_works_again(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.after(1)
    rig.device.server.refusal = RefusedError("This device was revoked.", "Ask your administrator.", "revoked")
    rig.reporter.ask()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agent.problems._log.error", lambda *_: None)
        rig.after(1)
    (problem,) = rig.problems.all()
    assert (problem.remedy, rig.reporter.server) == ("Ask your administrator.", "refused")
    rig.device.server.refusal = None
    rig.reporter.ask()
    rig.after(1)
    assert rig.problems.all() == ()


def test_a_new_policy_is_told_once(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.device.server.publish(policy())
    rig.after(1)
    rig.reporter.ask()
    rig.after(1)
    assert rig.policies == 1


def test_an_enrolment_by_another_program_is_noticed(make: Callable[..., Rig]) -> None:
    rig = make(enrolled=False)
    assert rig.after(10) == 0
    assert rig.reporter.server == "not_enrolled"
    rig.device.enrol()
    assert rig.after(3) == 1
    assert [one.company for one in rig.enrolled] == ["Acme"]


def test_a_report_that_waits_for_its_hour_leaves_when_it_is_over(make: Callable[..., Rig]) -> None:
    rig = make(fixed_seconds=86_400)
    rig.after(1)
    cleared = rig.device.door.clear_sighting(rig.device.seen(), "consumer", rig.device.clock.at, 0)
    assert cleared is not None
    cleared.not_before = rig.device.clock.at.replace(minute=59)
    with rig.device.store.transaction():
        rig.device.outbox.add(cleared)
    rig.reporter.ask()
    assert rig.after(1) == 2
    assert rig.device.server.taken == {}
    rig.device.clock.at = rig.device.clock.at.replace(minute=59)
    rig.after(60 * 60)
    assert [one.type for one in rig.device.ledger.rows(None, 5, None)][:2] == ["sighting", "heartbeat"]
    assert len(rig.device.server.taken) == 1
