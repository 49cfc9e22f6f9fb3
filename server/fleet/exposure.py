"""Exposure: the share of the time for which messengers were open at work in which nothing was known to retain their messages.

Time is added up over messengers and devices: two that are open at once count twice, since either may carry a conversation. What is told without a
duration (a ceiling of `kind`) is in no share, and said beside it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec
from django.db.models import QuerySet, Sum
from django.utils import timezone

from contract.observations import ExposureObserved
from server.fleet import rows
from server.fleet.figures import is_large
from server.fleet.intake import Taken
from server.fleet.models import Device, ExposureDay
from server.moments import utc_now

DAYS = 30
"""Over how many days that are over exposure is told."""
KEPT_MINUTES = 15
"""For how long a large fleet's count is kept: what is told of days that are over changes slowly."""
AT_MOST = 50
"""How many messengers a device's page lists."""


class ExposureRow(msgspec.Struct, kw_only=True):
    """An `ExposureDay` to be stored."""

    device_id: str
    identity: str
    ownership: str
    day: date
    messenger: str
    name: str | None
    kind: str | None
    sessions: int
    seconds: int | None
    uncaptured_sessions: int | None
    uncaptured_seconds: int | None
    last_sequence: int
    reported_at: datetime


_TABLE = ExposureDay._meta.db_table  # noqa: SLF001 - Django's documented way to a table's name
_KEY = ("device_id", "identity")
_OVERWRITE = (
    f"ON CONFLICT ({', '.join(_KEY)}) "
    + rows.overwriting(name for name in ExposureRow.__struct_fields__ if name not in _KEY)
    + f" WHERE excluded.last_sequence > {_TABLE}.last_sequence"
)
"""An older report that comes late says nothing new."""


class Amount(msgspec.Struct, frozen=True):
    """Time on work channels, and how much of it was not captured."""

    seconds: int = 0
    uncaptured_seconds: int = 0

    @property
    def percent(self) -> int | None:
        """The share that was not captured; None where no time was told. What is between nothing and everything is called neither."""
        if not self.seconds:
            return None
        share = round(100 * self.uncaptured_seconds / self.seconds)
        if 0 < self.uncaptured_seconds < self.seconds:
            return min(99, max(1, share))
        return share

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.seconds + other.seconds, self.uncaptured_seconds + other.uncaptured_seconds)


class OfMessenger(msgspec.Struct, frozen=True):
    """A messenger's part of a device's exposure."""

    messenger: str
    name: str
    amount: Amount | None
    """None where no duration may be told."""
    days: int
    """On how many it was open."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What was told of the days that are over."""

    since: date
    until: date
    """The first and the last of the days."""
    total: Amount
    by_day: tuple[tuple[date, Amount], ...]
    """Every day, oldest first."""
    by_ownership: Mapping[str, Amount]
    by_messenger: Mapping[str, Amount]
    devices: int
    """How many told of any time that was not captured."""
    untold_devices: int
    """How many told that a messenger was open, and may not tell for how long."""
    counted_at: datetime | None = None
    """When that was, if it is not now."""


def project(reports: Iterable[tuple[Device, Taken]], now: datetime) -> None:
    """Store what devices told of days that are over, in the caller's transaction."""
    told: dict[tuple[str, str], ExposureRow] = {}
    for device, taken in reports:
        for one in taken.fresh:
            if isinstance(one.observation, ExposureObserved):
                row = _row(device, one.sequence, one.observation, now)
                key = (row.device_id, row.identity)
                if key not in told or told[key].last_sequence < row.last_sequence:
                    told[key] = row
    rows.insert(ExposureDay, list(told.values()), _OVERWRITE)


def _row(device: Device, sequence: int, told: ExposureObserved, now: datetime) -> ExposureRow:
    has_time = told.seconds is not None and told.uncaptured_seconds is not None
    return ExposureRow(
        device_id=device.pk,
        identity=told.exposure,
        ownership=device.ownership,
        day=told.day,
        messenger=told.messenger or "",
        name=told.name,
        kind=told.kind,
        sessions=told.sessions,
        seconds=told.seconds if has_time else None,
        uncaptured_sessions=told.uncaptured_sessions,
        # A part is no more than the whole, whatever a device says.
        uncaptured_seconds=min(told.uncaptured_seconds or 0, told.seconds or 0) if has_time else None,
        last_sequence=sequence,
        reported_at=now,
    )


def exposure(now: datetime) -> Exposure:
    """Return the exposure of the whole fleet."""
    return _kept(int(now.timestamp() // 60 // KEPT_MINUTES)) if is_large(now) else _counted(now)


@lru_cache(maxsize=1)
def _kept(_period: int) -> Exposure:
    at = utc_now()
    return msgspec.structs.replace(_counted(at), counted_at=at)


def _counted(now: datetime) -> Exposure:
    since, until = span(now)
    recent = of_the_fleet(now)
    by_day: dict[date, Amount] = {}
    by_ownership: dict[str, Amount] = {}
    by_messenger: dict[str, Amount] = {}
    found = recent.values("day", "messenger", "ownership").annotate(
        whole=Sum("seconds"), part=Sum("uncaptured_seconds")
    )
    for one in found.order_by():
        if one["whole"] is None:
            continue
        amount = Amount(int(one["whole"]), int(one["part"]))
        for sums, key in (
            (by_day, one["day"]),
            (by_ownership, one["ownership"]),
            (by_messenger, one["messenger"]),
        ):
            sums[key] = sums.get(key, Amount()) + amount
    every_day = [since + timedelta(days=number) for number in range((until - since).days + 1)]
    return Exposure(
        since=since,
        until=until,
        total=sum(by_day.values(), Amount()),
        by_day=tuple((day, by_day.get(day, Amount())) for day in every_day),
        by_ownership=by_ownership,
        by_messenger=by_messenger,
        devices=_devices(exposed(now)),
        untold_devices=_devices(recent.filter(seconds=None)),
    )


def _devices(told: "QuerySet[ExposureDay]") -> int:
    return told.order_by().values("device").distinct().count()


def span(now: datetime) -> tuple[date, date]:
    """Return the first and the last of the days that exposure is told of, both included; today is not over."""
    today = timezone.localtime(now).date()
    return today - timedelta(days=DAYS), today - timedelta(days=1)


def recent_days(now: datetime) -> "QuerySet[ExposureDay]":
    """Return what was told of those days."""
    since, until = span(now)
    return ExposureDay.objects.filter(day__gte=since, day__lte=until)


def of_the_fleet(now: datetime) -> "QuerySet[ExposureDay]":
    """Return the same, without devices that were taken out."""
    revoked = Device.objects.filter(revoked_at__isnull=False).order_by()
    return recent_days(now).exclude(device__in=revoked)


def exposed(now: datetime, messenger: str | None = None) -> "QuerySet[ExposureDay]":
    """Return what was told of time that was not captured; of one messenger, or of any."""
    open_ones = of_the_fleet(now).filter(uncaptured_seconds__gt=0).order_by()
    return open_ones.filter(messenger=messenger) if messenger else open_ones


def on_device(device: Device, now: datetime) -> tuple[Amount, tuple[OfMessenger, ...]]:
    """Return a device's exposure, and each messenger's part of it, the largest first."""
    found: list[OfMessenger] = []
    of_each: dict[tuple[str, str | None], list[ExposureDay]] = {}
    for day in recent_days(now).filter(device=device):
        of_each.setdefault((day.messenger, None if day.messenger else day.kind), []).append(day)
    for (messenger, kind), parts in of_each.items():
        timed = [one for one in parts if one.seconds is not None]
        amount = sum((Amount(one.seconds or 0, one.uncaptured_seconds or 0) for one in timed), Amount())
        name = next((one.name for one in parts if one.name), None)
        found.append(
            OfMessenger(
                messenger,
                name or (f"A {kind} messenger" if kind else "A messenger"),
                amount if timed else None,
                len({one.day for one in parts}),
            )
        )
    found.sort(key=lambda one: (-(one.amount or Amount()).uncaptured_seconds, one.name))
    total = sum((one.amount for one in found if one.amount is not None), Amount())
    return total, tuple(found[:AT_MOST])
