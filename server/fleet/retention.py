"""What is kept for how long, as the policy in force says; what is older is erased.

Personal data goes first: the bodies of observations and the sightings, installed messengers and days of exposure made from them, after
`personal_data_days`. What stays is the number, the digest and the seal, so that a check-in can still be verified. After `records_days` the
rest goes: on SQLite row by row, on PostgreSQL a whole month at a time (see `server.fleet.partitions`). Nothing goes before that, and
without a policy nothing goes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
from django.db import transaction
from django.db.models import Q, QuerySet

from contract.errors import MalformedError
from contract.observations import DISCLOSURES
from contract.policy import parse_published
from server.access import audit
from server.access.models import AuditEntry
from server.conduct import requests
from server.errors import RequestError
from server.fleet import partitions
from server.fleet.models import (
    ChannelSeen,
    CheckInRecord,
    Device,
    ExposureDay,
    InstalledMessenger,
    ReceivedObservation,
    Sighting,
    UnlistedMessenger,
)
from server.locks import only_one
from server.policies.publishing import current

APPLIED, INTERRUPTED = "retention.applied", "retention.interrupted"
EVERY = timedelta(days=1)
_AT_ONCE = 2000
"""How many rows one transaction erases, so that devices never wait long."""
_IMPERSONAL = tuple(disclosure.type for disclosure in DISCLOSURES if not disclosure.personal)
"""Kinds without personal data. One that this server does not know, or cannot read, may hold some."""
_CHANNEL = ("device", "messenger", "profile")
_Row = TypeVar("_Row", ReceivedObservation, Sighting, InstalledMessenger, ExposureDay, CheckInRecord)


class Limits(msgspec.Struct, frozen=True):
    """How many days the policy in force keeps what."""

    policy: int
    """The policy's serial."""
    records_days: int
    personal_data_days: int


class Erased(msgspec.Struct, kw_only=True):
    """How much was erased, or would be."""

    bodies: int = 0
    sightings: int = 0
    installed: int = 0
    """Messengers that are installed no longer, or on a device that is not heard from."""
    exposure: int = 0
    """Days of which was told for how long a messenger was open."""
    observations: int = 0
    check_ins: int = 0

    def in_words(self) -> str:
        """Return the counts as a line."""
        return (
            f"{self.bodies} bodies, {self.sightings} sightings, {self.installed} installed messengers, "
            f"{self.exposure} days of exposure; "
            f"{self.observations} observations and {self.check_ins} check-ins altogether"
        )


def limits() -> Limits | None:
    """Return what the policy in force says; None without one.

    Raises:
        RequestError: this version of the server cannot read it.
    """
    publication = current()
    if publication is None:
        return None
    try:
        kept = parse_published(publication.text).retention
    except MalformedError as error:
        raise RequestError(
            f"{publication} cannot be read by this version of the server: {error.detail}", "Publish it anew."
        ) from error
    return Limits(publication.serial, kept.records_days, kept.personal_data_days)


def overdue(kept: Limits, now: datetime) -> Erased:
    """Return how much is older than it may be."""
    bodies, sightings, installed, exposure, observations, check_ins = _overdue(kept, now)
    gone = observations.count()
    return Erased(
        # A body that goes with its whole record is counted there.
        bodies=bodies.exclude(received_at__lt=_records_end(kept, now)).count(),
        sightings=sightings.count(),
        installed=installed.count(),
        exposure=exposure.count(),
        observations=gone,
        check_ins=check_ins.count(),
    )


def apply(kept: Limits, now: datetime, actor: str, folder: Path) -> Erased:
    """Erase what is older than it may be, and write it down.

    Raises:
        RequestError: another process is at it.
        OperationalError: the database could not go on; what was erased until then is written down.
    """
    with only_one("retention", folder) as is_mine:
        if not is_mine:
            raise RequestError("Another process is erasing at this moment.", "Wait for it.")
        return _apply(kept, now, actor)


def apply_daily(now: datetime, folder: Path) -> Erased | None:
    """Erase unless that was done within a day or is being done; None if so, or if there is no policy."""
    if _is_done(now):
        return None
    with only_one("retention", folder) as is_mine:
        if not is_mine or _is_done(now):
            return None
        kept = limits()
        return None if kept is None else _apply(kept, now, audit.SERVER)


def _is_done(now: datetime) -> bool:
    return AuditEntry.objects.filter(action=APPLIED, at__gt=now - EVERY).exists()


def _apply(kept: Limits, now: datetime, actor: str) -> Erased:
    erased = Erased()
    with _written_down(kept, now, actor, erased):
        partitions.ensure(now)  # what lies in no month's partition is given one, which can be dropped
        _erase(kept, now, erased)
    return erased


def _erase(kept: Limits, now: datetime, erased: Erased) -> None:
    bodies, sightings, installed, exposure, observations, check_ins = _overdue(kept, now)
    if partitions.is_partitioned():
        for month in partitions.before(_records_end(kept, now)):
            erased.observations += partitions.drop(month)
    else:
        for rows in _portions(observations):
            erased.observations += rows.delete()[0]
    for records in _portions(check_ins):
        erased.check_ins += records.delete()[0]
    for rows in _portions(bodies):
        # The salt goes too: with it, whoever guesses a body could tell from the digest that the guess is right.
        erased.bodies += rows.update(body=None, salt="", subject="")
    for seen in _portions(sightings):
        erased.sightings += _forget(seen)
    for there in _portions(installed):
        erased.installed += there.delete()[0]
    requests.forget_before(now - timedelta(days=kept.personal_data_days))
    for days in _portions(exposure):
        erased.exposure += days.delete()[0]
    # One that was reported just now may have no sighting yet that this transaction sees.
    old = UnlistedMessenger.objects.filter(
        last_reported_on__lt=now.date() - timedelta(days=kept.personal_data_days)
    )
    old.exclude(messenger__in=ChannelSeen.objects.values("messenger")).delete()


def _forget(sightings: QuerySet[Sighting]) -> int:
    """Erase sightings, and of their devices the channels that no sighting is left of; return how many sightings that were."""
    with transaction.atomic():
        devices = set(sightings.order_by().values_list("device", flat=True).distinct())
        # A check-in locks its device first, too: none adds a sighting of a channel while that channel is being let go of.
        list(Device.objects.select_for_update().filter(pk__in=devices).order_by("pk").values_list("pk"))
        count = sightings.delete()[0]
        there = Sighting.objects.filter(device__in=devices).order_by().values_list(*_CHANNEL).distinct()
        left = {(device, messenger or "", profile) for device, messenger, profile in there}
        noted = ChannelSeen.objects.filter(device__in=devices).values_list("pk", *_CHANNEL)
        gone = [pk for pk, *channel in noted if tuple(channel) not in left]
        ChannelSeen.objects.filter(pk__in=gone).delete()
    return count


def _overdue(
    kept: Limits, now: datetime
) -> tuple[
    QuerySet[ReceivedObservation],
    QuerySet[Sighting],
    QuerySet[InstalledMessenger],
    QuerySet[ExposureDay],
    QuerySet[ReceivedObservation],
    QuerySet[CheckInRecord],
]:
    personal, records = now - timedelta(days=kept.personal_data_days), now - timedelta(days=kept.records_days)
    end = _records_end(kept, now)
    is_overdue = Q(received_at__lt=records) | Q(received_at__lt=personal) & ~Q(kind__in=_IMPERSONAL)
    # What is open or installed on a device that is heard from is how things stand, however long ago it began.
    is_unheard = Q(device__last_check_in_at__lt=personal)
    return (
        ReceivedObservation.objects.filter(is_overdue, body__isnull=False),
        Sighting.objects.filter(Q(is_open=False) | is_unheard, reported_at__lt=personal),
        InstalledMessenger.objects.filter(Q(is_there=False) | is_unheard, reported_at__lt=personal),
        ExposureDay.objects.filter(reported_at__lt=personal),
        ReceivedObservation.objects.filter(received_at__lt=end),
        CheckInRecord.objects.filter(received_at__lt=end, reported__gt=0),
    )


def _records_end(kept: Limits, now: datetime) -> datetime:
    """Return the time before which whole records go: where they go by the month, when the last such month ended."""
    end = now.astimezone(UTC) - timedelta(days=kept.records_days)
    if partitions.is_partitioned():
        return end.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return end


def _portions(rows: QuerySet[_Row]) -> Iterator[QuerySet[_Row]]:
    """Yield the rows in portions, oldest first. Each begins where the last one ended, and passes over nothing that is erased already."""
    end = 0
    while portion := list(rows.filter(pk__gt=end).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
        end = portion[-1]
        yield rows.model.objects.filter(pk__in=portion)


@contextmanager
def _written_down(kept: Limits, now: datetime, actor: str, erased: Erased) -> Iterator[None]:
    action = INTERRUPTED
    try:
        yield
        action = APPLIED
    finally:
        days = f"personal data after {kept.personal_data_days} days, records after {kept.records_days}"
        audit.record(now, actor, action, f"Policy number {kept.policy}", f"{erased.in_words()}: {days}")
