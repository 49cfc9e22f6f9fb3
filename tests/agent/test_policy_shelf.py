from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import DistrustError
from agent.policy_shelf import PolicyShelf
from agent.reporting.enrolment import current_enrolment
from agent.trust import Trust
from tests.fakes.device import Device, policy


@pytest.fixture
def device(tmp_path: Path) -> Device:
    device = Device(tmp_path)
    device.enrol()
    return device


def trust_of(device: Device) -> Trust:
    enrolment = current_enrolment(device.store)
    assert enrolment is not None
    return enrolment.trust


def test_without_a_policy_the_serial_is_zero_and_nothing_has_expired(device: Device) -> None:
    assert device.shelf.serial == 0
    assert device.shelf.in_force is None
    assert device.shelf.is_expired(device.clock.now()) is False
    assert device.shelf.refused() is None


def test_the_policy_in_force_survives_a_new_start(device: Device) -> None:
    published = device.server.publish(policy())
    device.check_in()
    again = PolicyShelf(device.store, device.journal)
    assert again.in_force is None
    again.load(trust_of(device))
    assert again.in_force == published


def test_only_the_newest_is_kept(device: Device) -> None:
    for version in (1, 2, 3):
        device.server.publish(policy(version=version))
        device.check_in()
    assert device.store.execute("SELECT serial FROM bundle").fetchall() == [(3,)]


def test_it_expires_at_its_very_end_and_never_on_a_clock_in_doubt(device: Device) -> None:
    published = device.server.publish(policy())
    device.check_in()
    end = published.expires_at
    assert device.shelf.is_expired(end - timedelta(microseconds=1)) is False
    assert device.shelf.is_expired(end) is True
    assert device.shelf.is_expired(None) is False


def test_the_same_bundle_again_is_no_news(device: Device) -> None:
    device.server.publish(policy())
    device.check_in()
    before = [entry for entry in device.journal.entries() if entry.kind == "policy"]
    device.check_in()
    assert [entry for entry in device.journal.entries() if entry.kind == "policy"] == before


def test_what_was_refused_is_remembered_until_a_good_one_comes(device: Device) -> None:
    error = DistrustError("It was changed.", "seal_signature")
    now = device.clock.now()
    with device.store.transaction():
        first, second = device.shelf.refuse("a", error, now), device.shelf.refuse("a", error, now)
        other = device.shelf.refuse("b", error, now)
    assert first is not None
    assert (first.outcome, first.reason, first.serial) == ("refused", "seal_signature", None)
    assert second is None
    assert other is not None
    refused = device.shelf.refused()
    assert refused is not None
    assert refused.sentence == "It was changed."
    device.server.publish(policy())
    device.check_in()
    assert device.shelf.refused() is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE bundle SET certificates = 'no json'",
        "UPDATE bundle SET certificates = '[1]'",
        "UPDATE bundle SET certificates = '[]'",
        "UPDATE bundle SET sealed = substr(sealed, 2)",
        "UPDATE bundle SET sealed = x'ff'",
    ],
)
def test_a_damaged_shelf_puts_nothing_in_force_and_says_so(device: Device, damage: str) -> None:
    device.server.publish(policy())
    device.check_in()
    device.store.execute(damage)
    with pytest.raises(DistrustError):
        device.shelf.load(trust_of(device))
    assert device.shelf.in_force is None
    assert device.shelf.serial == 0
