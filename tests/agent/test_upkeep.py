"""Once a minute: nothing grows without bound, nothing is kept for longer than it is needed, and a full disk is survived."""

from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import StateError
from agent.problems import Problems
from agent.reporting.outbox import Bounds, Outbox
from agent.upkeep import Upkeep
from contract.policy import Retention
from tests.fakes.device import Device, policy

DAY = timedelta(days=1)


class Kept(Device):
    """A device whose outbox holds little, with its upkeep."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.problems = Problems()
        self.outbox = Outbox(self.store, Bounds(rows=20))
        self.upkeep = Upkeep(
            self.store,
            self.journal,
            self.ledger,
            self.outbox,
            self.shelf,
            self.door,
            self.clock,
            self.check_ins.time,
            self.problems,
            self.counts,
        )


@pytest.fixture
def device(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_the_outbox_is_trimmed_and_the_journal_says_so(device: Kept) -> None:
    for number in range(30):
        device.report(str(number))
    device.upkeep.do()
    assert device.outbox.count_due(device.clock.at) == 19
    assert [entry.body for entry in device.journal.entries()] == [b'{"dropped":12}']


def test_records_are_kept_as_long_as_the_policy_says(device: Kept) -> None:
    device.enrol()
    device.server.publish(policy(retention=Retention(records_days=200)), days=366)
    device.check_in()
    device.check_in()
    device.clock.advance(200 * DAY)
    device.upkeep.do()
    assert len(device.ledger.rows(None, 10, None)) == 4
    device.clock.advance(DAY)
    device.upkeep.do()
    assert device.ledger.rows(None, 10, None) == ()
    assert list(device.journal.entries()) == []
    assert device.journal.first_broken() is None


def test_without_a_policy_they_are_kept_for_180_days(device: Kept) -> None:
    device.enrol()
    device.clock.advance(180 * DAY)
    device.upkeep.do()
    assert len(device.ledger.rows(None, 10, None)) == 1
    device.clock.advance(DAY)
    device.upkeep.do()
    assert device.ledger.rows(None, 10, None) == ()


def test_nothing_grows_old_on_a_clock_in_doubt(device: Kept) -> None:
    device.enrol()
    device.check_in()
    device.clock.at += 4000 * DAY
    device.upkeep.do()
    assert len(device.ledger.rows(None, 10, None)) == 2


@pytest.mark.expected_warnings("The disk is full")
def test_a_disk_that_is_full_is_told_and_survived(device: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> int:
        raise StateError("The disk is full.", "Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(device.outbox, "trim", full)
        device.upkeep.do()
    assert [problem.code for problem in device.problems.all()] == ["upkeep"]
    device.upkeep.do()
    assert device.problems.all() == ()
