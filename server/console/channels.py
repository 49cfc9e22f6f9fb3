"""The channels of the first page: counted for every visit, and once a minute where a fleet is so large that counting takes its time."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache, reduce
from operator import or_
from typing import Any

import msgspec
from django.db.models import Case, Count, IntegerField, Max, Min, Q, QuerySet, Value, When

from contract.judge import SEVERITY
from server.fleet.figures import is_large, minute_of
from server.fleet.models import ChannelSeen, Device, InstalledMessenger, Sighting
from server.moments import utc_now
from server.policies.catalogues import in_use

AT_MOST = 12
COUNTED_AT_MOST = 500
_Key = tuple[str, str]
"""A channel: messenger and profile."""
_NOWHERE = (0, "")
_RANK = Case(
    *(When(verdict=state, then=Value(rank)) for rank, state in enumerate(SEVERITY, start=1)),
    default=Value(0),
    output_field=IntegerField(),
)


class Channel(msgspec.Struct, frozen=True):
    """A messenger in a profile, as seen or installed on the fleet."""

    messenger: str
    name: str
    profile: str
    devices: int
    """On how many it is in use: sightings of it are kept."""
    never_started: int
    """On how many it is installed and was never started."""
    open_now: int
    worst: str
    """The worst verdict among the sightings open now; empty without any."""


class Channels(msgspec.Struct, frozen=True):
    """Those on most devices, first."""

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
    seen = ChannelSeen.objects.exclude(messenger="").exclude(device__in=revoked)
    in_use_on = _by_channel(seen)
    unused = InstalledMessenger.objects.filter(is_there=True, is_started=False).exclude(messenger="")
    never_on = _by_channel(unused.exclude(device__in=revoked).order_by())
    here = Sighting.objects.filter(is_open=True).exclude(messenger=None).exclude(device__in=revoked)
    open_ones = here.order_by().values("messenger", "profile").annotate(count=Count("pk"), rank=Max(_RANK))
    now = {(row["messenger"], row["profile"]): (row["count"], row["rank"]) for row in open_ones}

    def devices(channel: _Key) -> tuple[int, int]:
        return in_use_on.get(channel, _NOWHERE)[0], never_on.get(channel, _NOWHERE)[0]

    top = sorted({*in_use_on, *never_on}, key=lambda one: (-sum(devices(one)), *one))[:AT_MOST]
    names = _names({one[0]: (in_use_on.get(one) or never_on[one])[1] for one in top})
    found = []
    for channel in top:
        open_now, rank = now.get(channel, (0, 0))
        worst = SEVERITY[rank - 1] if rank else ""
        messenger, profile = channel
        found.append(Channel(messenger, names[messenger], profile, *devices(channel), open_now, worst))
    return tuple(found)


def _by_channel(records: "QuerySet[Any]") -> dict[_Key, tuple[int, str]]:
    """Return on how many devices each channel is, and one of them; those on most, where there are very many.

    A device has one such record of each channel at most.
    """
    counted = records.values("messenger", "profile").annotate(devices=Count("pk"), one=Min("device"))
    most = counted.order_by("-devices", "messenger", "profile")[:COUNTED_AT_MOST]
    return {(row["messenger"], row["profile"]): (row["devices"], row["one"]) for row in most}


def _names(seen_on: Mapping[str, str]) -> dict[str, str]:
    """Return messengers' names: the catalogue's, or as a device that has it told.

    Args:
        seen_on: each messenger, and the id of a device that it was seen or is installed on.
    """
    known = in_use()
    names = {messenger: known.name_of(messenger) for messenger in seen_on}
    asked = [
        Q(device=seen_on[messenger], messenger=messenger)
        for messenger in seen_on
        if messenger not in known.messengers
    ]
    if asked:
        for kept in (InstalledMessenger, Sighting):
            told = kept.objects.filter(reduce(or_, asked), name__isnull=False).order_by()
            names |= {str(messenger): str(name) for messenger, name in told.values_list("messenger", "name")}
    return names
