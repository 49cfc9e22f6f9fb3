"""Visits: what devices say once they are let in, stored for one or for many in the same few statements."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from django.conf import settings

from contract.messages import CheckIn
from server.conduct import requests
from server.fleet import exposure, installed, intake, projection, rows, unlisted
from server.fleet.models import CheckInRecord, Device


class Visit(msgspec.Struct):
    """A check-in whose seal holds, with its device's row, which is locked."""

    device: Device
    said: CheckIn
    sealed: str
    taken: intake.Taken
    next_key: str | None = None


class CheckInRow(msgspec.Struct, frozen=True, kw_only=True):
    """A `CheckInRecord` to be stored."""

    device_id: str
    received_at: datetime
    sealed: str
    reported: int


class DeviceRow(msgspec.Struct, frozen=True):
    """What a check-in may change in a `Device`."""

    id: str
    public_key: str
    next_public_key: str | None
    key_since: datetime
    key_change_asked_at: datetime | None
    ownership: str
    platform: str
    version: str
    last_check_in_at: datetime
    acknowledged_at: datetime
    silent_from: datetime
    clock_behind_seconds: float
    policy_serial: int
    catalogue_version: int | None
    journal_head: str
    waiting: int
    noticed_at: datetime | None
    taken_highest: int
    taken_gaps: list[list[int]]
    lost_in_restore: int
    forked_at: datetime | None
    state: str


def take(visits: Sequence[Visit], now: datetime) -> None:
    """Store what the devices say, in the caller's transaction."""
    records = _keep(visits, now)
    reports = [(visit.device.pk, records[visit.device.pk], visit.taken) for visit in visits]
    intake.store(reports, now)
    taken = [(device_id, one) for device_id, _, one in reports]
    projection.project(taken, now)
    installed.project(taken, now)
    requests.project(taken, now)
    exposure.project([(visit.device, visit.taken) for visit in visits], now)
    unlisted.note((one for _, one in taken), now)
    verdicts = projection.open_verdicts(records)
    for visit in visits:
        _note(visit, verdicts[visit.device.pk], now)
    rows.update(Device, [rows.of(DeviceRow, visit.device) for visit in visits])


def _keep(visits: Iterable[Visit], now: datetime) -> Mapping[str, int]:
    """Keep the sealed texts, and return the record of each device; a heartbeat that reports nothing takes the place of the one before."""
    new = [
        CheckInRow(
            device_id=visit.device.pk,
            received_at=now,
            sealed=visit.sealed,
            reported=len(visit.said.observations),
        )
        for visit in visits
    ]
    return dict(rows.insert_returning(CheckInRecord, new, _HEARTBEAT_AGAIN, "device_id, id"))


_HEARTBEAT_AGAIN = "ON CONFLICT (device_id) WHERE reported = 0 " + rows.overwriting(("received_at", "sealed"))


def _note(visit: Visit, verdicts: set[str], now: datetime) -> None:
    device, said = visit.device, visit.said
    intake.note(device, visit.taken, now)
    device.last_check_in_at = now
    device.version, device.platform, device.ownership = said.version, said.platform, said.ownership
    device.clock_behind_seconds = (now - said.clock.wall).total_seconds()
    device.policy_serial, device.journal_head = said.policy_serial, said.journal.digest
    device.catalogue_version, device.waiting = said.catalogue_version, said.waiting
    # A server's clock may be set back; the device would refuse a time before the last one it was told.
    device.acknowledged_at = now if device.acknowledged_at is None else max(now, device.acknowledged_at)
    device.expect_next(now, settings.CONFIGURATION.check_in_seconds)
    device.state = projection.state_of(device, verdicts)
