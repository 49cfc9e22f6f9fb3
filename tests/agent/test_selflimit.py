"""The agent keeps to its own limits: it slows down when it costs too much, says so once, and recovers by itself."""

from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import StateError
from agent.problems import Problems
from agent.rhythm import LONGEST_PAUSE_SECONDS
from agent.selflimit import (
    EVERY_SECONDS,
    SLOWEST,
    Limits,
    Meter,
    Pace,
    SelfLimit,
    Usage,
    paced,
)
from contract.observations import Trouble
from tests.fakes.device import Device, HandClock
from tests.fakes.running_agent import RunningAgent

SMALL, LARGE = 30 * 2**20, 201 * 2**20
USUAL_PAUSE = 0.75
LOGGED = "more than a tenth of a processor|more than 200 MB"


class Body:
    """What a process costs, lived through second by second."""

    def __init__(self) -> None:
        self.pace = Pace()
        self._at = self._busy = 0.0

    def live(self, seconds: float, share: float = 0.0, memory: int = SMALL) -> Pace:
        for _ in range(round(seconds / EVERY_SECONDS)):
            self._at += EVERY_SECONDS
            self._busy += EVERY_SECONDS * share
            self.pace = paced(self.pace, Usage(self._at, self._busy, memory))
        return self.pace


def test_a_tenth_of_a_processor_for_twelve_seconds_is_too_much() -> None:
    body = Body()
    assert body.live(60, share=0.099).reason is None
    assert body.live(12, share=0.12).slower == 2
    assert body.pace.reason == "processor"


def test_a_short_burst_is_not() -> None:
    body = Body()
    body.live(20)
    body.live(4, share=0.29)
    assert body.live(60).reason is None


def test_memory_counts_only_if_it_stays() -> None:
    body = Body()
    body.live(20)
    body.live(8, memory=LARGE)
    assert body.live(20).reason is None
    assert body.live(16, memory=LARGE).reason == "memory"


def test_it_goes_slower_and_slower_while_that_does_not_help_but_never_stops() -> None:
    body = Body()
    assert body.live(28, share=0.5).slower == 4
    assert body.live(600, share=0.5).slower == SLOWEST


def test_it_recovers_step_by_step_only_after_it_was_quiet() -> None:
    body = Body()
    assert body.live(28, share=0.5).slower == 4
    assert body.live(56).slower == 4
    assert body.live(16).slower == 2
    assert body.live(60).slower == 1
    assert body.pace.reason == "processor"
    assert body.live(60).reason is None


def test_just_below_the_limit_it_does_not_recover() -> None:
    body = Body()
    body.live(16, share=0.2)
    assert body.live(600, share=0.09).slower == 2


def test_what_it_remembers_is_bounded() -> None:
    body = Body()
    assert len(body.live(3600).recent) <= 12 / EVERY_SECONDS + 1


def test_sleep_counts_as_time() -> None:
    """A device that slept for hours has used what it used over hours."""
    pace = Pace()
    for at, busy in ((0.0, 0.0), (4.0, 1.0), (8.0, 2.0), (36_000.0, 2.5)):
        pace = paced(pace, Usage(at, busy, SMALL), Limits())
    assert pace.reason is None


class Limited(Device):
    """A device whose agent watches itself."""

    def __init__(self, folder: Path, *, told: bool = True) -> None:
        super().__init__(folder, told=told)
        self.problems = Problems()
        self.busy, self.changes = 0.0, 0
        self.limit = SelfLimit(
            lambda: Usage(self.clock.monotonic(), self.busy, SMALL),
            self.store,
            self.journal,
            self.outbox,
            self.door,
            self.clock,
            self.problems,
            self._changed,
        )

    def _changed(self) -> None:
        self.changes += 1

    def live(self, seconds: float, share: float) -> None:
        for _ in range(round(seconds / EVERY_SECONDS)):
            self.clock.advance(timedelta(seconds=EVERY_SECONDS))
            self.busy += EVERY_SECONDS * share
            self.limit.check()

    def told(self) -> list[str]:
        """Return what the server was told."""
        self.check_in()
        return [one.detail for one in self.server.taken.values() if isinstance(one, Trouble)]


@pytest.mark.expected_warnings(LOGGED)
def test_an_episode_is_told_once_and_shown_until_it_is_over(tmp_path: Path) -> None:
    device = Limited(tmp_path)
    device.enrol()
    device.live(20, share=0.02)
    assert (device.limit.slowed(USUAL_PAUSE), device.problems.all()) == (USUAL_PAUSE, ())
    device.live(300, share=0.4)
    assert device.limit.slowed(USUAL_PAUSE) == LONGEST_PAUSE_SECONDS
    assert [problem.code for problem in device.problems.all()] == ["over_limit"]
    assert len(device.told()) == 1
    assert "more than a tenth of a processor" in device.told()[0]
    assert [entry.kind for entry in device.journal.entries()].count("trouble") == 1
    device.live(600, share=0.01)
    assert (device.limit.slowed(USUAL_PAUSE), device.problems.all(), device.changes) == (USUAL_PAUSE, (), 2)
    device.live(20, share=0.4)
    assert len(device.told()) == 2


@pytest.mark.expected_warnings(LOGGED)
def test_before_the_notice_nothing_is_reported_of_it(tmp_path: Path) -> None:
    device = Limited(tmp_path, told=False)
    device.enrol()
    device.live(40, share=0.4)
    assert [problem.code for problem in device.problems.all()] == ["over_limit"]
    assert device.told() == []


@pytest.mark.expected_warnings(LOGGED)
def test_a_full_disk_puts_the_report_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise StateError("The disk is full.", "Free some space.")

    device = Limited(tmp_path)
    device.enrol()
    with monkeypatch.context() as patch:
        patch.setattr(device.outbox, "add", full)
        device.live(40, share=0.4)
    assert device.told() == []
    device.live(4, share=0.4)
    assert len(device.told()) == 1


def test_the_meter_tells_this_process() -> None:
    meter = Meter(HandClock())
    first = meter()
    sum(number * number for number in range(300_000))
    second = meter()
    assert second.processor_seconds > first.processor_seconds
    assert 2**20 < second.memory_bytes < 2**33
    assert first.at_seconds == 1000.0


@pytest.mark.expected_warnings(LOGGED)
def test_the_agent_looks_at_the_pace_that_its_limits_allow(tmp_path: Path) -> None:
    """The composition: what is measured reaches the pause between looks, and the snapshot."""
    with RunningAgent(tmp_path) as agent:
        _be_busy(agent, seconds=40, share=0.5)
        assert agent.agent._self_limit.slowed(USUAL_PAUSE) > USUAL_PAUSE
        assert [problem.code for problem in agent.agent._view().problems] == ["over_limit"]


def _be_busy(agent: RunningAgent, seconds: float, share: float) -> None:
    async def live() -> None:
        for _ in range(round(seconds / EVERY_SECONDS)):
            agent.seconds_of_work += EVERY_SECONDS * share
            agent.device.clock.seconds += EVERY_SECONDS
            agent.agent._self_limit.check()

    agent._loop.run_until_complete(live())
