"""What is counted of all devices at once. A large fleet is counted once a minute, and whoever shows it says when."""

from datetime import datetime
from functools import lru_cache

import msgspec
from django.db.models import Count, Q

from server.fleet.models import Device
from server.fleet.standing import STANDINGS, Standing, by_standing
from server.moments import utc_now
from server.policies.publishing import current

LARGE = 5_000
"""From so many devices on, reading all of them for every page takes longer than the rest of the page."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How many devices there are of which sort."""

    standings: dict[Standing, int]
    """Each device is in one of them."""
    holders: int
    """Those that hold the policy in force."""
    ahead: int
    """Those that hold one that was never published here."""
    lost: int
    """Those that lost reports in a restore."""
    counted_at: datetime | None = None
    """When that was, if it is not now."""

    @property
    def devices(self) -> int:
        """How many there are in all."""
        return sum(self.standings.values())


def figures(now: datetime) -> Figures:
    """Return the figures of the whole fleet."""
    return _kept(minute_of(now)) if is_large(now) else _counted(now)


def is_large(now: datetime) -> bool:
    """Tell whether the fleet is too large to be counted for every page."""
    return _devices(minute_of(now)) >= LARGE


def minute_of(now: datetime) -> int:
    """Return the minute for which a count is kept."""
    return int(now.timestamp() // 60)


@lru_cache(maxsize=1)
def _devices(_minute: int) -> int:
    return Device.objects.count()


@lru_cache(maxsize=1)
def _kept(_minute: int) -> Figures:
    at = utc_now()
    return msgspec.structs.replace(_counted(at), counted_at=at)


def _counted(now: datetime) -> Figures:
    publication = current()
    serial = 0 if publication is None else publication.serial
    found = Device.objects.aggregate(
        **by_standing(now),
        holders=Count("pk", filter=Q(policy_serial=serial)),
        ahead=Count("pk", filter=Q(policy_serial__gt=serial)),
        lost=Count("pk", filter=Q(lost_in_restore__gt=0)),
    )
    standings: dict[Standing, int] = {one: found[one] for one in STANDINGS}
    return Figures(standings=standings, holders=found["holders"], ahead=found["ahead"], lost=found["lost"])
