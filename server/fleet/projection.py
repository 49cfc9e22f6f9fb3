"""Sightings as they read now, made from the observations, in whatever order these come."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime

import msgspec
from django.db import connection

from contract.judge import SEVERITY, VerdictState, worst
from contract.observations import SightingObserved
from server.fleet import rows
from server.fleet.intake import Taken
from server.fleet.models import Device, Sighting

_Name = tuple[str, str]
"""A sighting's device and identity."""


class SightingRow(msgspec.Struct, kw_only=True):
    """A `Sighting` to be stored."""

    device_id: str
    identity: str
    messenger: str | None = None
    name: str | None = None
    kind: str | None = None
    is_listed: bool | None = None
    profile: str = ""
    detail: str = ""
    verdict: str = ""
    rule: str = ""
    policy_serial: int = 0
    day: date
    started_at: datetime | None = None
    judged_at: datetime | None = None
    ended_at: datetime | None = None
    is_open: bool = True
    last_sequence: int = 0
    reported_at: datetime


_KEY = ("device_id", "identity")
_OVERWRITE = f"ON CONFLICT ({', '.join(_KEY)}) " + rows.overwriting(
    name for name in SightingRow.__struct_fields__ if name not in _KEY
)


def project(reports: Iterable[tuple[str, Taken]], now: datetime) -> None:
    """Bring the sightings of devices up to date with what was taken of each, in the caller's transaction."""
    seen = [
        ((device_id, one.observation.sighting), one.sequence, one.observation)
        for device_id, taken in reports
        for one in taken.fresh
        if isinstance(one.observation, SightingObserved)
    ]
    if not seen:
        return
    sightings = {
        (stored.device_id, stored.identity): stored for stored in _stored({name for name, _, _ in seen})
    }
    for name, sequence, observed in seen:
        sighting = sightings.get(name)
        if sighting is None:
            sighting = sightings[name] = SightingRow(
                device_id=name[0], identity=name[1], day=observed.day, reported_at=now
            )
        _apply(sighting, sequence, observed)
        sighting.reported_at = now
    rows.insert(Sighting, list(sightings.values()), _OVERWRITE)


def state_of(device: Device, verdicts: Collection[str]) -> VerdictState:
    """Return the worst verdict of the device's open sightings; without a policy, or before the notice, nothing is known."""
    if not verdicts and (device.policy_serial == 0 or device.noticed_at is None):
        return "pending"
    return worst([state for state in SEVERITY if state in verdicts])


def open_verdicts(devices: Iterable[str]) -> Mapping[str, set[str]]:
    """Return the verdicts of devices' open sightings."""
    found: dict[str, set[str]] = {device: set() for device in devices}
    if not found:
        return found
    table, places = Sighting._meta.db_table, ", ".join(["%s"] * len(found))  # noqa: SLF001 - Django's documented way to its name
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT device_id, verdict FROM {table} WHERE is_open AND device_id IN ({places})",  # noqa: S608 - our own names
            list(found),
        )
        for device, verdict in cursor.fetchall():
            found[device].add(verdict)
    return found


def _stored(wanted: Collection[_Name]) -> Iterable[SightingRow]:
    """Return those of the wanted sightings that are there already."""
    table, columns = Sighting._meta.db_table, SightingRow.__struct_fields__  # noqa: SLF001 - Django's documented way to its name
    if connection.vendor == "postgresql":
        names = msgspec.json.encode([dict(zip(_KEY, name, strict=True)) for name in wanted]).decode()
        given = rows.given_as(Sighting, _KEY)
        # LIMIT keeps the planner to one look at the index for each: by its guess it would read the table from end to end.
        one = f"SELECT * FROM {table} WHERE device_id = new.device_id AND identity = new.identity LIMIT 1"  # noqa: S608 - our own names
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(f'kept.{name}' for name in columns)} FROM {given}, LATERAL ({one}) AS kept",  # noqa: S608 - as above
                [names],
            )
            return [SightingRow(**dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]
    places = ", ".join(["(%s, %s)"] * len(wanted))
    found = Sighting.objects.raw(
        f"SELECT * FROM {table} WHERE (device_id, identity) IN (VALUES {places})",  # noqa: S608 - our own names
        [part for name in wanted for part in name],
    )
    return [rows.of(SightingRow, one) for one in found]


def _apply(sighting: SightingRow, sequence: int, observed: SightingObserved) -> None:
    # A device may write a time with a zone that PostgreSQL does not know.
    at = None if observed.at is None else observed.at.astimezone(UTC)
    sighting.day = min(sighting.day, observed.day)
    if observed.transition == "started":
        sighting.started_at = at
    if observed.transition == "ended":
        sighting.ended_at, sighting.is_open = at, False
    if sequence < sighting.last_sequence:
        return  # an older one that comes late says nothing new about the verdict
    if sighting.verdict != observed.verdict:
        sighting.judged_at = at
    sighting.messenger, sighting.name, sighting.kind = observed.messenger, observed.name, observed.kind
    sighting.is_listed, sighting.profile, sighting.detail = observed.listed, observed.profile, observed.detail
    sighting.verdict, sighting.rule = observed.verdict, observed.rule
    sighting.policy_serial, sighting.last_sequence = observed.policy_serial, sequence
