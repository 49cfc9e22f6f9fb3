"""What is erased when, and what never is."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from contract import wire
from contract.envelope import Address, unseal
from contract.messages import CheckIn
from contract.observations import NoticeRecord, Trouble
from server import chores
from server.access import audit
from server.access.models import AuditEntry
from server.errors import RequestError
from server.fleet import partitions, retention
from server.fleet.models import CheckInRecord, Device, ReceivedObservation, Sighting
from server.fleet.retention import Erased, Limits
from server.identity import Identity
from server.locks import only_one
from server.policies import publishing
from server.policies.models import Publication
from server.policies.templates import template
from tests.server.conftest import FakeClock, Run, seen
from tests.server.simulated_device import SimulatedDevice

KEPT = Limits(1, records_days=200, personal_data_days=30)
SIGHTING = "5e" * 16


def folder() -> Path:
    """Return the state folder of this test's server."""
    assert settings.STATE is not None
    return settings.STATE


@pytest.fixture(autouse=True)
def _checks(clock: FakeClock, db: None) -> None:
    """Tests run in one transaction; a server's check-ins each are one, and end their checks with it."""
    clock.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def device_with_past(device: SimulatedDevice, clock: FakeClock) -> SimulatedDevice:
    """A device that has reported a sighting from start to end, its notice, and a trouble, on 1 March 2026."""
    at = clock.now
    device.check_in(
        device.report(NoticeRecord(version=1, how="shown", at=at)),
        device.report(seen(SIGHTING, "started", "violation", at)),
        device.report(seen(SIGHTING, "ended", "violation", at)),
        device.report(Trouble(code="t", detail="", at=at)),
        device.report(b'{"type":"hologram","who":"Anna"}'),
    )
    return device


def erase(now: datetime, kept: Limits = KEPT) -> Erased:
    told = retention.overdue(kept, now)
    erased = retention.apply(kept, now, audit.COMMAND_LINE, folder())
    assert erased == told, "a dry run tells what happens"
    return erased


def test_personal_bodies_go_in_time_and_not_before(
    device_with_past: SimulatedDevice, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=30))
    assert erase(clock.now) == Erased()
    clock.advance(timedelta(seconds=1))
    assert erase(clock.now) == Erased(bodies=4, sightings=1)
    kept = ReceivedObservation.objects.exclude(body=None)
    assert [row.kind for row in kept] == ["trouble"]
    erased = ReceivedObservation.objects.filter(body=None)
    assert {(row.salt, row.subject) for row in erased} == {("", "")}
    assert not Sighting.objects.exists()
    assert erase(clock.now) == Erased()


def test_after_erasing_the_seal_still_holds_and_lists_what_was_there(
    device_with_past: SimulatedDevice, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=31))
    erase(clock.now)
    record = CheckInRecord.objects.get()
    address = Address(type="check-in", tenant="acme", device=device_with_past.id, direction="to_server")
    payload = unseal(record.sealed, address, device_with_past.key.public)
    listed = wire.decode(CheckIn, payload, limit_bytes=2**16).observations
    rows = ReceivedObservation.objects.order_by("sequence").values_list("sequence", "digest")
    assert [(one.sequence, one.digest) for one in listed] == list(rows)


def test_what_is_erased_can_come_again_and_is_neither_stored_nor_a_fork(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    report = device.report(seen(SIGHTING, "started", "violation", clock.now))
    device.check_in(report)
    for days in (31, 400):
        clock.advance(timedelta(days=days))
        erase(clock.now)
        acknowledgement, _ = device.check_in(report)
        assert (acknowledgement.taken_up_to, acknowledgement.forks) == (1, ())
        assert not ReceivedObservation.objects.exclude(body=None).exists()


def test_records_go_when_the_law_no_longer_asks_for_them_and_not_before(
    device_with_past: SimulatedDevice, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=200))
    assert erase(clock.now).observations == 0
    assert ReceivedObservation.objects.count() == 5
    clock.advance(timedelta(seconds=1))
    erase(clock.now)
    assert not ReceivedObservation.objects.exclude(body=None).exists(), (
        "what is no personal data goes now, too"
    )
    clock.advance(timedelta(days=31))  # where records go by the month, the last of March's may go only now
    erase(clock.now)
    assert not ReceivedObservation.objects.exists()
    assert not CheckInRecord.objects.exists()


def test_a_check_in_of_the_same_month_stays_with_its_observations(
    device_with_past: SimulatedDevice, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=10))
    device_with_past.check_in(device_with_past.report(Trouble(code="later", detail="", at=clock.now)))
    clock.advance(timedelta(days=191))
    erase(clock.now)
    assert ReceivedObservation.objects.filter(kind="trouble", sequence=6).exists()
    assert CheckInRecord.objects.filter(reported=1).exists()


def test_a_heartbeat_and_what_is_known_of_the_device_stay(
    device_with_past: SimulatedDevice, clock: FakeClock
) -> None:
    device_with_past.check_in(policy_serial=1)
    clock.advance(timedelta(days=300))
    erase(clock.now)
    assert list(CheckInRecord.objects.values_list("reported", flat=True)) == [0]
    assert device_with_past.check_in(policy_serial=1)[0].taken_up_to == 5
    assert Device.objects.get().state == "compliant", (
        "that its employee was told is not forgotten with the report of it"
    )


def test_what_is_open_on_a_device_that_is_heard_from_stays(device: SimulatedDevice, clock: FakeClock) -> None:
    device.check_in(device.report(seen(SIGHTING, "started", "violation", clock.now)))
    clock.advance(timedelta(days=31))
    device.check_in()
    assert erase(clock.now) == Erased(bodies=1)
    assert Sighting.objects.get().is_open
    clock.advance(timedelta(days=31))
    assert erase(clock.now) == Erased(sightings=1)


def test_many_rows_are_erased_in_portions(
    device: SimulatedDevice, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    device.check_in(*(device.report(seen(f"{n:032x}", "ended", "compliant", clock.now)) for n in range(10)))
    clock.advance(timedelta(days=31))
    assert erase(clock.now) == Erased(bodies=10, sightings=10)


def test_each_run_is_one_line_of_the_audit_log(device_with_past: SimulatedDevice, clock: FakeClock) -> None:
    clock.advance(timedelta(days=31))
    erase(clock.now)
    (entry,) = AuditEntry.objects.filter(action__startswith="retention.")
    assert (entry.action, entry.actor) == ("retention.applied", "command line")
    assert entry.detail.startswith(
        "4 bodies, 1 sightings, 0 installed messengers, 0 days of exposure; 0 observations and 0 check-ins"
    )


def test_a_run_that_breaks_off_is_written_down_and_tried_again(
    device_with_past: SimulatedDevice,
    clock: FakeClock,
    publish: Callable[..., Publication],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish()
    clock.advance(timedelta(days=31))
    with monkeypatch.context() as patch:
        patch.setattr(retention, "_erase", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            retention.apply_daily(clock.now, folder())
    assert AuditEntry.objects.filter(action="retention.interrupted").count() == 1
    assert retention.apply_daily(clock.now, folder()) == Erased(bodies=4, sightings=1)


def test_the_policy_in_force_says_how_long(identity: Identity, clock: FakeClock) -> None:
    assert retention.limits() is None
    text = template("ban", "Acme")
    assert "[retention]" in text
    publishing.publish(text, "alice", identity, clock.now)
    kept = retention.limits()
    assert kept is not None
    assert kept.records_days >= 180


def test_a_running_server_does_it_once_a_day(
    device_with_past: SimulatedDevice, clock: FakeClock, publish: Callable[..., Publication]
) -> None:
    runs = AuditEntry.objects.filter(action="retention.applied", actor="server")
    chores.do(folder(), clock.now)
    assert runs.count() == 0, "without a policy nobody knows how long"
    publish(valid_days=366)
    for hours, expected in ((0, 1), (23, 1), (1, 2), (1, 2)):
        clock.advance(timedelta(hours=hours))
        chores.do(folder(), clock.now)
        assert runs.count() == expected


def test_only_one_process_erases_at_a_time(
    identity: Identity, clock: FakeClock, publish: Callable[..., object]
) -> None:
    publish()
    with only_one("retention", folder()) as is_mine:
        assert is_mine
        assert retention.apply_daily(clock.now, folder()) is None
        with pytest.raises(RequestError, match="Another process"):
            retention.apply(KEPT, clock.now, "x", folder())
    assert not AuditEntry.objects.filter(action__startswith="retention.").exists()
    assert retention.apply_daily(clock.now, folder()) is not None


@pytest.mark.expected_warnings("could not erase what is too old")
def test_one_chore_that_fails_keeps_no_other_from_being_done(
    identity: Identity, clock: FakeClock, publish: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish()
    with monkeypatch.context() as patch:
        patch.setattr(retention, "limits", lambda: 1 / 0)
        chores.do(folder(), clock.now)
    chores.do(folder(), clock.now)
    assert AuditEntry.objects.filter(action="retention.applied").count() == 1


@pytest.mark.only_postgresql
def test_a_running_server_makes_its_months(identity: Identity, clock: FakeClock) -> None:
    chores.do(folder(), datetime(2031, 7, 1, tzinfo=UTC))
    assert {(month.year, month.month) for month in partitions.months()} >= {(2031, 7), (2031, 8), (2031, 9)}


def test_the_story_says_that_something_was_erased(
    console: Client, device_with_past: SimulatedDevice, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=31))
    erase(clock.now)
    text = console.get(f"/fleet/device/{device_with_past.id}/change/").content.decode()
    assert "4 erased reports" in text


def test_on_the_command_line(run: Run, tmp_path: Path) -> None:
    said = run("retention")
    assert (said.returncode, "No policy is published" in said.stdout) == (0, True)
    assert json.loads(run("retention", "--json").stdout) == {"policy": None}
    text = run("policy", "template", "records").stdout
    assert run("policy", "apply", "-", given=text).returncode == 0
    told = json.loads(run("retention", "--dry-run", "--json").stdout)
    assert told["dry_run"] is True
    assert (told["policy"], told["records_days"] >= 180, told["bodies"]) == (1, True, 0)
    said = run("retention")
    assert (said.returncode, "Erased: 0 bodies" in said.stdout) == (0, True)


def test_portions_never_go_back_to_what_they_have_passed(
    device_with_past: SimulatedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each portion of millions would read again all that were erased before it."""
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    rows = ReceivedObservation.objects.all()
    portions = [
        list(portion.order_by("pk").values_list("pk", flat=True)) for portion in retention._portions(rows)
    ]
    assert [len(portion) for portion in portions] == [2, 2, 1]
    assert [pk for portion in portions for pk in portion] == list(
        rows.order_by("pk").values_list("pk", flat=True)
    )
