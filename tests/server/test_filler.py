"""The fleet that the console is measured with: its originals are a real fleet's records, and its copies hold together as these do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from bench.filler.copies import multiply
from bench.filler.originals import Originals, last_afternoon
from contract.messages import salted_digest
from contract.observations import ReminderReceipt, SightingObserved, decode
from server.fleet import partitions
from server.fleet.models import ChannelSeen, CheckInRecord, Device, ReceivedObservation, Sighting
from server.identity import Identity
from tests.server.conftest import FakeClock

DEVICES, DAYS, TIMES = 4, 4, 3
THEIR_OWN = {"id", "device", "identity", "check_in", "digest", "salt", "body", "subject", "sealed"}
"""What a copy has of its own; all else is the original's."""


@pytest.fixture
def originals(identity: Identity, clock: FakeClock) -> Originals:
    made = Originals(DEVICES, DAYS, identity, clock.now)
    made.live()
    return made


def test_the_originals_are_records_of_check_ins(originals: Originals, clock: FakeClock) -> None:
    said = {device.device.id: device.expected for device in originals.devices}
    assert Device.objects.count() == len(said) == DEVICES
    assert all(len(expected) > 5 for expected in said.values())
    for device in Device.objects.all():
        rows = ReceivedObservation.objects.filter(device=device)
        assert set(rows.values_list("sequence", "digest")) == said[device.pk]
        numbers = {number for number, _ in said[device.pk]}
        assert (device.taken.up_to, device.policy_serial) == (len(numbers), 2)
        assert (device.forked_at is not None) == (len(numbers) < len(said[device.pk]))
    times = set(ReceivedObservation.objects.values_list("received_at", flat=True))
    assert len(times) > DEVICES * DAYS
    assert min(times) >= originals.first
    assert max(times) <= originals.last
    assert Device.objects.filter(silent_from__gt=clock.now).count() == DEVICES
    assert Device.objects.filter(revoked_at__isnull=False).count() == 1
    assert Device.objects.filter(forked_at__isnull=False).count() == 1


@pytest.mark.parametrize("day", range(9))
def test_work_ends_on_the_last_afternoon_of_a_working_day(day: int) -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(days=day, hours=day)
    last = last_afternoon(now)
    assert last <= now
    assert (last.weekday() < 5, last.hour) == (True, 14)
    assert now - last < timedelta(days=4)


def kept(device: str) -> Iterator[list[tuple[object, ...]]]:
    """Yield what is kept of a device, without what only it has."""
    for model in (CheckInRecord, ReceivedObservation, Sighting, ChannelSeen):
        names = [field.name for field in model._meta.concrete_fields if field.name not in THEIR_OWN]
        order = ("messenger", "profile") if model is ChannelSeen else ("pk",)
        yield list(model.objects.filter(device=device).order_by(*order).values_list(*names))


@pytest.mark.only_postgresql
def test_copies_hold_together_as_their_originals_do(originals: Originals, clock: FakeClock) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # each check-in of a server ends its checks with its transaction
    partitions.ensure(clock.now)
    ids = [device.device.id for device in originals.devices]
    indexes = set(connection.introspection.get_constraints(connection.cursor(), "fleet_sighting"))
    multiply(TIMES)
    assert set(connection.introspection.get_constraints(connection.cursor(), "fleet_sighting")) == indexes
    assert Device.objects.count() == DEVICES * TIMES
    by_original = [list(kept(one)) for one in ids]
    for copy in Device.objects.exclude(pk__in=ids):
        assert list(kept(copy.pk)) in by_original
        sightings = set(Sighting.objects.filter(device=copy).values_list("identity", flat=True))
        told = set()
        for row in ReceivedObservation.objects.filter(device=copy):
            body = bytes(row.body or b"")
            assert row.digest == salted_digest(row.salt, body)
            assert row.check_in.device_id == copy.pk
            observation = decode(body)
            if isinstance(observation, SightingObserved):
                told.add(observation.sighting)
                assert row.subject == observation.sighting
            elif isinstance(observation, ReminderReceipt):
                assert row.subject == observation.reminder
        assert told == sightings
    for name in ("digest", "salt"):
        assert (
            len(set(ReceivedObservation.objects.values_list(name, flat=True)))
            == ReceivedObservation.objects.count()
        )
    assert len(set(Device.objects.values_list("public_key", flat=True))) == DEVICES * TIMES
    names = [name for name in Device.objects.values_list("name", flat=True) if name is not None]
    assert len(set(names)) == len(names)
    Sighting.objects.create(
        device_id=ids[0],
        identity="f" * 32,
        profile="work",
        detail="exact",
        verdict="pending",
        rule="",
        policy_serial=1,
        day=clock.now.date(),
        last_sequence=1,
        reported_at=clock.now,
    )  # the next number is free
