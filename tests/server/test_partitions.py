"""Observations on PostgreSQL: by month, nothing refused for lack of one, each number once across all of them."""

import importlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from contract.observations import Trouble
from server.fleet import partitions
from server.fleet.models import Device, ReceivedObservation
from tests.server.conftest import FakeClock
from tests.server.simulated_device import SimulatedDevice

pytestmark = pytest.mark.only_postgresql
MID_MARCH = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _march(clock: FakeClock, db: None) -> None:
    """Start in March, with the partitions that belong to it."""
    clock.now = MID_MARCH
    partitions.ensure(MID_MARCH)
    with connection.cursor() as cursor:
        # Tests run inside one transaction; in a server each check-in is one, and ends its checks with it.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def places() -> list[tuple[str, int]]:
    """Return in which partition each number is."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text, sequence FROM {partitions.TABLE} ORDER BY id")
        return list(cursor.fetchall())


def trouble(at: datetime, code: str = "t") -> Trouble:
    return Trouble(code=code, detail="", at=at)


def test_this_month_and_the_next_ones_are_made_ahead_and_only_once() -> None:
    assert partitions.months() == (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1))
    assert partitions.ensure(MID_MARCH) == ()
    assert partitions.ensure(MID_MARCH + timedelta(days=31)) == (date(2026, 6, 1),)


def test_each_report_goes_to_the_month_in_which_it_came(device: SimulatedDevice, clock: FakeClock) -> None:
    device.check_in(device.report(trouble(clock.now)))
    clock.advance(timedelta(days=31))
    device.check_in(device.report(trouble(clock.now)))
    assert places() == [("fleet_receivedobservation_2026_03", 1), ("fleet_receivedobservation_2026_04", 2)]


def test_a_month_without_a_partition_loses_nothing_and_gets_one(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    clock.advance(timedelta(days=365))
    device.check_in(device.report(trouble(clock.now)), device.report(trouble(clock.now)))
    assert places() == [(partitions.REST, 1), (partitions.REST, 2)]
    clock.advance(timedelta(days=62))  # somebody looks only now
    assert date(2027, 3, 1) in partitions.ensure(clock.now)
    assert places() == [("fleet_receivedobservation_2027_03", 1), ("fleet_receivedobservation_2027_03", 2)]
    assert partitions.ensure(clock.now) == ()


def test_a_number_is_taken_once_across_months_and_another_digest_is_a_fork(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    report = device.report(trouble(clock.now))
    device.check_in(report)
    clock.advance(timedelta(days=40))
    assert device.check_in(report)[0].forks == ()
    assert len(places()) == 1
    acknowledgement, _ = device.check_in(device.report(trouble(clock.now, "of the clone"), sequence=1))
    assert acknowledgement.forks == (1,)
    assert [row.is_fork for row in ReceivedObservation.objects.order_by("id")] == [False, True]


def test_within_a_month_the_database_itself_refuses_a_number_twice(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    device.check_in(device.report(trouble(clock.now)))
    row = ReceivedObservation.objects.get()
    for digest in (row.digest, "0" * 64):
        row.pk, row.digest = None, digest
        with pytest.raises(IntegrityError, match="2026_03_"), transaction.atomic():
            row.save(force_insert=True)


def test_a_dropped_month_takes_its_reports_along_and_their_numbers_stay_taken(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    first = device.report(trouble(clock.now))
    device.check_in(first)
    clock.advance(timedelta(days=31))
    device.check_in(device.report(trouble(clock.now)))
    assert partitions.before(datetime(2026, 4, 1, tzinfo=UTC)) == (date(2026, 3, 1),)
    assert partitions.before(datetime(2026, 3, 31, tzinfo=UTC)) == ()
    assert partitions.drop(date(2026, 3, 1)) == 1
    assert places() == [("fleet_receivedobservation_2026_04", 2)]
    acknowledgement, _ = device.check_in(first)
    assert (acknowledgement.taken_up_to, acknowledgement.forks) == (2, ())
    assert len(places()) == 1


def test_a_plain_table_becomes_a_partitioned_one_with_what_is_in_it(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    reports = [device.report(trouble(clock.now)) for _ in range(3)]
    device.check_in(*reports)
    with connection.schema_editor(atomic=False) as editor:
        editor.execute(f"CREATE TABLE plain AS SELECT * FROM {partitions.TABLE}")
        editor.execute(f"DROP TABLE {partitions.TABLE}")
        editor.execute(f"ALTER TABLE plain RENAME TO {partitions.TABLE}")
        migration = importlib.import_module("server.fleet.migrations.0003_partitions")
        migration.partition(None, editor)
        migration.partition(None, editor)
    assert places() == [(partitions.REST, number) for number in (1, 2, 3)]
    assert partitions.ensure(clock.now)
    assert device.check_in(*reports, device.report(trouble(clock.now)))[0].taken_up_to == 4
    assert places() == [("fleet_receivedobservation_2026_03", number) for number in (1, 2, 3, 4)]
    ids = ReceivedObservation.objects.values_list("id", flat=True)
    assert len(set(ids)) == 4
    assert Device.objects.get().forked_at is None
