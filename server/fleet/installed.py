"""Installed messengers as they stand now: made from the observations, in whatever order these come, and told from those in use."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Literal

import msgspec
from django.db import connection
from django.db.models import Max
from django.db.models.functions import Coalesce

from contract.observations import InstalledObserved
from server.fleet import rows
from server.fleet.intake import Taken
from server.fleet.models import ChannelSeen, Device, InstalledMessenger, Sighting

Use = Literal["open", "in_use", "earlier", "never", "untold"]
"""`open`: in use now; `in_use`: a sighting of it is kept; `earlier`: there was one, which is erased; `never`: there was none;
`untold`: which messenger it is may not be told, so nor may this."""
AT_MOST = 100
"""How many a device's page lists."""


class InstalledRow(msgspec.Struct, kw_only=True):
    """An `InstalledMessenger` to be stored."""

    device_id: str
    identity: str
    messenger: str = ""
    name: str | None = None
    kind: str | None = None
    is_listed: bool | None = None
    profile: str = ""
    detail: str = ""
    day: date
    found_at: datetime | None = None
    removed_at: datetime | None = None
    is_there: bool = True
    is_started: bool = False
    last_sequence: int = 0
    reported_at: datetime


class Installed(msgspec.Struct, frozen=True):
    """An installed messenger and its use, for a device's page."""

    record: InstalledMessenger
    use: Use
    last_used: datetime | None = None
    last_day: date | None = None
    """The last day on which it was started, where the device may tell no time."""


_TABLE = InstalledMessenger._meta.db_table  # noqa: SLF001 - Django's documented way to a table's name
_KEY = ("device_id", "identity")
_KEPT = (*_KEY, "is_started")
"""What another report does not change; that it was started is noted by the database."""
_OVERWRITE = f"ON CONFLICT ({', '.join(_KEY)}) " + rows.overwriting(
    name for name in InstalledRow.__struct_fields__ if name not in _KEPT
)


def project(reports: Iterable[tuple[str, Taken]], now: datetime) -> None:
    """Bring the installed messengers of devices up to date with what was taken of each, in the caller's transaction."""
    told = [
        ((device_id, one.observation.installation), one.sequence, one.observation)
        for device_id, taken in reports
        for one in taken.fresh
        if isinstance(one.observation, InstalledObserved)
    ]
    if not told:
        return
    devices = {device for (device, _), _, _ in told}
    identities = {identity for (_, identity), _, _ in told}
    stored = InstalledMessenger.objects.filter(device__in=devices, identity__in=identities)
    found = {(one.device_id, one.identity): rows.of(InstalledRow, one) for one in stored}
    for name, sequence, observed in told:
        one = found.get(name)
        if one is None:
            one = found[name] = InstalledRow(
                device_id=name[0], identity=name[1], day=observed.day, reported_at=now
            )
        _apply(one, sequence, observed)
        one.reported_at = now
    rows.insert(InstalledMessenger, list(found.values()), _OVERWRITE)
    _end_former(devices)
    _note_started(devices)


def _apply(one: InstalledRow, sequence: int, observed: InstalledObserved) -> None:
    # A device may write a time with a zone that PostgreSQL does not know.
    at = None if observed.at is None else observed.at.astimezone(UTC)
    one.day = min(one.day, observed.day)
    if observed.change == "found":
        one.found_at = at if one.found_at is None else one.found_at
    else:
        one.removed_at = at
    if sequence < one.last_sequence:
        return  # an older one that comes late says nothing new about how it stands
    one.is_there, one.last_sequence = observed.change == "found", sequence
    one.messenger, one.name, one.kind = observed.messenger or "", observed.name, observed.kind
    one.is_listed, one.profile, one.detail = observed.listed, observed.profile, observed.detail


def _end_former(devices: Iterable[str]) -> None:
    """Let a messenger be there once on a device: one that lost its state finds all of it anew, under other numbers."""
    _mark(
        devices,
        "is_there = FALSE",
        f"is_there AND EXISTS (SELECT 1 FROM {_TABLE} AS newer WHERE newer.device_id = {_TABLE}.device_id AND newer.is_there "  # noqa: S608 - our own names
        f"AND newer.messenger = {_TABLE}.messenger AND newer.last_sequence > {_TABLE}.last_sequence)",
    )


def _note_started(devices: Iterable[str]) -> None:
    """Note which of them was started before it was reported as installed."""
    seen = ChannelSeen._meta.db_table  # noqa: SLF001 - as above
    _mark(
        devices,
        "is_started = TRUE",
        f"NOT is_started AND EXISTS (SELECT 1 FROM {seen} WHERE {seen}.device_id = {_TABLE}.device_id "  # noqa: S608 - our own names
        f"AND {seen}.messenger = {_TABLE}.messenger)",
    )


def _mark(devices: Iterable[str], change: str, where: str) -> None:
    """Change those installed on devices, and named, of which something holds; both in SQL."""
    named = list(devices)
    places = ", ".join(["%s"] * len(named))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_TABLE} SET {change} WHERE messenger <> '' AND device_id IN ({places}) AND {where}",  # noqa: S608 - our own names
            named,
        )


def installed_on(device: Device) -> tuple[Installed, ...]:
    """Return what is installed on a device, and which of it is in use."""
    there = list(InstalledMessenger.objects.filter(device=device, is_there=True)[:AT_MOST])
    used = _used(device, [one.messenger for one in there if one.messenger])
    return tuple(_with_use(one, used) for one in there)


class _Used(msgspec.Struct, frozen=True):
    is_open: bool
    at: datetime | None
    day: date | None


def _used(device: Device, messengers: list[str]) -> Mapping[str, _Used]:
    if not messengers:
        return {}
    of_each = Sighting.objects.filter(device=device, messenger__in=messengers).order_by()
    found = of_each.values("messenger").annotate(
        at=Max(Coalesce("ended_at", "judged_at", "started_at")), last_day=Max("day")
    )
    open_now = set(of_each.filter(is_open=True).values_list("messenger", flat=True))
    return {
        row["messenger"]: _Used(row["messenger"] in open_now, row["at"], row["last_day"]) for row in found
    }


def _with_use(one: InstalledMessenger, used: Mapping[str, _Used]) -> Installed:
    if not one.messenger:
        return Installed(one, "untold")
    seen = used.get(one.messenger)
    if seen is None:
        return Installed(one, "earlier" if one.is_started else "never")
    return Installed(one, "open" if seen.is_open else "in_use", seen.at, seen.day)
