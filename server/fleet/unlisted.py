"""What devices say of messengers that no list knows, kept once for the whole fleet, so that a person can decide."""

from collections.abc import Iterable
from datetime import date, datetime

import msgspec
from django.db.models import Count, Q

from contract.catalogue import KINDS_OF
from contract.evidence import KnownBy
from contract.facts import Platform
from contract.observations import SightingObserved
from contract.unlisted import PREFIX
from server.fleet import rows
from server.fleet.intake import Taken
from server.fleet.models import ChannelSeen, Device, UnlistedMessenger

AT_MOST = 10_000
"""More are not taken: no honest fleet has so many, and a dishonest device must not fill the table."""


class UnlistedRow(msgspec.Struct, frozen=True, kw_only=True):
    """An `UnlistedMessenger` to be stored."""

    messenger: str
    name: str
    platform: str
    kind: str
    value: str
    evidence: list[str]
    first_reported_at: datetime
    last_reported_on: date


_Way = tuple[str, str, str]
_KEY = ("messenger", "platform", "kind")
_OVERWRITE = f"ON CONFLICT ({', '.join(_KEY)}) " + rows.overwriting(("name", "evidence", "last_reported_on"))


def note(taken: Iterable[Taken], now: datetime) -> None:
    """Keep what was said of unlisted messengers, each once a day, in the caller's transaction."""
    told = {
        (row.messenger, row.platform, row.kind): row
        for each in taken
        for one in each.fresh
        if isinstance(one.observation, SightingObserved)
        for row in _row(one.observation, now)
    }
    if not told:
        return
    there = dict(_stored({messenger for messenger, _, _ in told}))
    new = sorted(way for way in told if way not in there)
    if new and UnlistedMessenger.objects.count() + len(new) > AT_MOST:
        new = []
    again = [way for way, on in there.items() if way in told and on < told[way].last_reported_on]
    # In one order, so that two servers never wait for one another.
    rows.insert(UnlistedMessenger, [told[way] for way in sorted((*new, *again))], _OVERWRITE)


def can_be_listed_by(platform: Platform, kind: str, value: str) -> bool:
    """Tell whether the catalogue has identifiers of this kind, and an unlisted messenger may be known by it."""
    try:
        known_by = msgspec.convert({"platform": platform, "kind": kind, "value": value}, KnownBy)
    except msgspec.ValidationError:
        return False
    return known_by.kind in KINDS_OF[platform]


def devices_with(messengers: Iterable[str]) -> dict[str, int]:
    """Return on how many devices each of these was seen."""
    revoked = Device.objects.filter(revoked_at__isnull=False).order_by()
    seen = ChannelSeen.objects.filter(messenger__in=list(messengers)).exclude(device__in=revoked)
    return dict(seen.values_list("messenger").annotate(count=Count("device", distinct=True)))


def devices_using(catalogue_version: int) -> tuple[int, int]:
    """Return how many devices use this version of the catalogue, and of how many."""
    there = Device.objects.filter(revoked_at__isnull=True)
    counted = there.aggregate(
        all=Count("pk"), using=Count("pk", filter=Q(catalogue_version=catalogue_version))
    )
    return counted["using"], counted["all"]


def _stored(messengers: Iterable[str]) -> Iterable[tuple[_Way, date]]:
    found = UnlistedMessenger.objects.filter(messenger__in=list(messengers)).order_by()
    for messenger, platform, kind, on in found.values_list(*_KEY, "last_reported_on"):
        yield (messenger, platform, kind), on


def _row(seen: SightingObserved, now: datetime) -> Iterable[UnlistedRow]:
    """Give what a sighting says, if it fits together: a device may say anything."""
    said, messenger = seen.unlisted, seen.messenger
    if said is None or messenger is None or messenger != PREFIX + said.value:
        return
    if not can_be_listed_by(said.platform, said.kind, said.value):
        return
    yield UnlistedRow(
        messenger=messenger,
        name=seen.name or said.value,
        platform=said.platform,
        kind=said.kind,
        value=said.value,
        evidence=list(said.evidence),
        first_reported_at=now,
        last_reported_on=now.date(),
    )
