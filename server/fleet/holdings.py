"""What the server holds of a device, told to the device itself and to whoever answers its user: the very bytes, and how much was made of them."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q

from contract import wire
from contract.messages import (
    HeldCheckIn,
    HeldDevice,
    HeldReport,
    Holdings,
    HoldingsReply,
    HoldingsRequest,
    SealedRequest,
)
from server.access.models import AuditEntry
from server.conduct.models import EmployeeRequest
from server.fleet.models import (
    CheckInRecord,
    Device,
    ExposureDay,
    InstalledMessenger,
    ReceivedObservation,
    Sighting,
)
from server.fleet.questions import asked_by
from server.fleet.seals import answered
from server.identity import Identity

PART_BYTES = 300 * 1024
"""How much one part holds at most: sealed and with certificates it must fit into a reply."""
_AT_ONCE = 200


def holdings(message: SealedRequest, identity: Identity, now: datetime, _address: str) -> HoldingsReply:
    """Tell a device what is held of it.

    Raises:
        TooOftenError: the device hurries.
        RefusedError: a device that nobody knows or that was taken out, or a seal that does not hold.
    """
    device, asked = asked_by(HoldingsRequest, "holdings-request", message, identity, now)
    told = part(device, asked.after, now, wire.digest(message.sealed.encode()))
    return HoldingsReply(
        sealed=answered(told, "holdings", device.pk, identity), certificates=identity.certificates
    )


def part(device: Device, after: int, now: datetime, request: str) -> Holdings:
    """Return a part of what is held.

    Args:
        device: of whom.
        after: the number of the check-in after which the part begins.
        now: the time.
        request: digest of what it answers.
    """
    told, more_after = _checked_in(device, after)
    return Holdings(
        request=request,
        at=now,
        about=None if after else _about(device),
        check_ins=tuple(told),
        more_after=more_after,
    )


def as_json(device: Device) -> Iterator[bytes]:
    """Give the same as one JSON object, `about` and `check_ins`, for whoever has to answer the device's user."""
    yield b'{"about":' + wire.encode(_about(device)) + b',"check_ins":['
    is_first, after = True, 0
    while True:
        told, more_after = _checked_in(device, after)
        for one in told:
            yield (b"" if is_first else b",\n") + wire.encode(one)
            is_first = False
        if more_after is None:
            break
        after = more_after
    yield b"]}\n"


def _checked_in(device: Device, after: int) -> tuple[list[HeldCheckIn], int | None]:
    """Return as many check-ins as fit into a part, oldest first, and the number after which the next part begins; None after the last."""
    records = list(CheckInRecord.objects.filter(device=device, pk__gt=after).order_by("pk")[:_AT_ONCE])
    reports: dict[int, list[ReceivedObservation]] = {record.pk: [] for record in records}
    listed = ReceivedObservation.objects.filter(device=device, check_in__in=records).order_by("pk")
    for report in listed:
        reports[report.check_in_id].append(report)
    told: list[HeldCheckIn] = []
    size_bytes = 0
    for record in records:
        one = _held(record, reports[record.pk])
        size_bytes += len(wire.encode(one))
        if told and size_bytes > PART_BYTES:
            break
        told.append(one)
    is_last = len(told) == len(records) < _AT_ONCE
    return told, None if is_last else told[-1].number


def _held(record: CheckInRecord, reports: list[ReceivedObservation]) -> HeldCheckIn:
    return HeldCheckIn(
        number=record.pk,
        received_at=record.received_at,
        sealed=record.sealed,
        reports=tuple(
            HeldReport(
                sequence=report.sequence,
                digest=report.digest,
                body=None if report.body is None else bytes(report.body).decode(),
            )
            for report in reports
        ),
    )


def _about(device: Device) -> HeldDevice:
    names = Q(subject=f"device {device.pk}") | Q(actor=f"device {device.pk[:8]}")
    return HeldDevice(
        name=device.name,
        ownership=device.ownership,
        assurance=device.assurance,
        platform=device.platform,
        version=device.version,
        public_key=device.public_key,
        hardware=device.hardware,
        enrolled_at=device.enrolled_at,
        last_check_in_at=device.last_check_in_at,
        sightings=Sighting.objects.filter(device=device).count(),
        requests=EmployeeRequest.objects.filter(device=device).count(),
        installed=InstalledMessenger.objects.filter(device=device).count(),
        exposure=ExposureDay.objects.filter(device=device).count(),
        audit_entries=AuditEntry.objects.filter(names).count(),
    )
