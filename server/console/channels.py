"""The channels of the first page: counted for every visit, and once a minute where a fleet is so large that counting takes its time."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache, reduce
from operator import or_

import msgspec
from django.db.models import Case, Count, IntegerField, Max, Min, Q, Value, When

from contract.judge import SEVERITY
from server.fleet.figures import is_large, minute_of
from server.fleet.models import ChannelSeen, Device, Sighting
from server.moments import utc_now
from server.policies.catalogues import in_use

AT_MOST = 12
_RANK = Case(
    *(When(verdict=state, then=Value(rank)) for rank, state in enumerate(SEVERITY, start=1)),
    default=Value(0),
    output_field=IntegerField(),
)


class Channel(msgspec.Struct, frozen=True):
    """A messenger in a profile, as seen on the fleet."""

    messenger: str
    name: str
    profile: str
    devices: int
    open_now: int
    worst: str
    """The worst verdict among the sightings open now; empty without any."""


class Channels(msgspec.Struct, frozen=True):
    """Those used on most devices, first."""

    shown: tuple[Channel, ...]
    counted_at: datetime | None
    """Told where it is not now."""


def channels(now: datetime) -> Channels:
    """Return the channels seen."""
    return _kept(minute_of(now)) if is_large(now) else Channels(_counted(), None)


@lru_cache(maxsize=1)
def _kept(_minute: int) -> Channels:
    at = utc_now()
    return Channels(_counted(), at)


def _counted() -> tuple[Channel, ...]:
    revoked = Device.objects.filter(revoked_at__isnull=False).order_by()
    seen = (
        ChannelSeen.objects.exclude(messenger="").exclude(device__in=revoked).values("messenger", "profile")
    )
    rows = seen.annotate(devices=Count("pk"), one=Min("device")).order_by("-devices", "messenger", "profile")
    top = list(rows[:AT_MOST])
    here = Sighting.objects.filter(is_open=True).exclude(messenger=None).exclude(device__in=revoked)
    open_ones = here.order_by().values("messenger", "profile").annotate(count=Count("pk"), rank=Max(_RANK))
    now = {(row["messenger"], row["profile"]): (row["count"], row["rank"]) for row in open_ones}
    names = _names({row["messenger"]: row["one"] for row in top})
    found = []
    for row in top:
        open_now, rank = now.get((row["messenger"], row["profile"]), (0, 0))
        worst = SEVERITY[rank - 1] if rank else ""
        name, profile = names[row["messenger"]], row["profile"]
        found.append(Channel(row["messenger"], name, profile, row["devices"], open_now, worst))
    return tuple(found)


def _names(seen_on: Mapping[str, str]) -> dict[str, str]:
    """Return messengers' names: the catalogue's, or as a device that has it told.

    Args:
        seen_on: each messenger, and the id of a device that it was seen on.
    """
    known = in_use()
    names = {messenger: known.name_of(messenger) for messenger in seen_on}
    asked = [
        Q(device=seen_on[messenger], messenger=messenger)
        for messenger in seen_on
        if messenger not in known.messengers
    ]
    if asked:
        told = Sighting.objects.filter(reduce(or_, asked), name__isnull=False).order_by()
        names |= {str(messenger): str(name) for messenger, name in told.values_list("messenger", "name")}
    return names
