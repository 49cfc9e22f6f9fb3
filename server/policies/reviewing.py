"""Reviewing unlisted messengers: a person says of each whether it is one; either goes into the overlay, and every device learns it.

What nobody has decided yet waits, and what somebody decided can be taken back.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from itertools import count, groupby
from typing import Literal

import msgspec
from django.db import transaction

from contract.catalogue import Catalogue, Identifier
from contract.evidence import KnownBy
from contract.matching import compared
from contract.unlisted import PREFIX
from server.access import audit
from server.errors import RequestError
from server.fleet import unlisted
from server.fleet.models import UnlistedMessenger
from server.identity import Identity
from server.locks import hold
from server.policies import catalogues, overlay_text
from server.policies.catalogues import Published

_ID_CHARACTERS = 48
_NO_ID = re.compile(r"[^a-z0-9]+")
_FAR = ("com", "org", "net", "io", "im", "app", "chat", "desktop", "client")
"""Words of ids that name nobody's messenger by themselves."""


Decision = Literal["waiting", "added", "never"]
_Claim = tuple[str, str, str]
"""Platform, kind and value, as it is compared."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An unlisted messenger, as the fleet reported it."""

    messenger: str
    name: str
    ways: tuple[KnownBy, ...]
    evidence: tuple[str, ...]
    devices: int
    first_reported_at: datetime
    last_reported_on: date


class Queue(msgspec.Struct, frozen=True):
    """What waits, those on most devices first, and what was decided."""

    waiting: tuple[Candidate, ...]
    added: tuple[Candidate, ...]
    never: tuple[Candidate, ...]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How a messenger is to be listed."""

    name: str
    maker: str
    kind: str
    same_as: str = ""
    """The id of a listed messenger that it is; empty for one of its own."""


class By(msgspec.Struct, frozen=True):
    """Who decides, with whose keys, when and from where."""

    actor: str
    identity: Identity
    at: datetime
    address: str = ""


def queue() -> Queue:
    """Return what was reported, by what became of it."""
    known = catalogues.in_use()
    claimed = _claimed(known)
    by_decision: dict[Decision, list[Candidate]] = {"waiting": [], "added": [], "never": []}
    for one in _candidates():
        by_decision[_decided(one.messenger, one.ways, known, claimed)].append(one)
    return Queue(**{decision: tuple(found) for decision, found in by_decision.items()})


def waiting_count() -> int:
    """Return how many wait."""
    rows = list(UnlistedMessenger.objects.order_by().values_list("messenger", "platform", "kind", "value"))
    if not rows:
        return 0
    known = catalogues.in_use()
    claimed = _claimed(known)
    return len({row[0] for row in rows if _decided(row[0], (_way(*row[1:]),), known, claimed) == "waiting"})


def add(messenger: str, wish: Wish, by: By) -> Published:
    """List it, and publish the catalogue.

    Raises:
        CatalogueFaultsError: what is wished would not be in order.
        DecorumError: it cannot be done, and why.
    """
    one = _candidate(messenger)
    known = catalogues.in_use()
    if wish.same_as and wish.same_as not in known.messengers:
        raise RequestError(
            f"No messenger with the id {wish.same_as} is listed.",
            "Take an id from the list, or leave it empty.",
        )
    claimed = _claimed(known)
    ways = tuple(way for way in one.ways if _claim(way) not in claimed)
    as_id = wish.same_as or _free_id(one, known.messengers)
    fields = () if wish.same_as else (("name", wish.name), ("maker", wish.maker), ("kind", wish.kind))

    def changed(overlay: str) -> str:
        return overlay_text.with_messenger(overlay, as_id, fields, ways)

    said = f"as {as_id}" if wish.same_as else f"as {as_id}, {wish.name} by {wish.maker}, {wish.kind}"
    return _publish(changed, "unlisted.added", messenger, said, by)


def dismiss(messenger: str, by: By) -> Published:
    """Say that it is none, and publish the catalogue.

    Raises:
        DecorumError: it cannot be done, and why.
    """
    _candidate(messenger)

    def changed(overlay: str) -> str:
        return overlay_text.with_never(overlay, messenger)

    return _publish(changed, "unlisted.dismissed", messenger, "", by)


def take_back(messenger: str, by: By) -> Published:
    """Take back what was decided here, and publish the catalogue.

    Raises:
        DecorumError: it cannot be done, and why.
    """
    one = _candidate(messenger)

    def changed(overlay: str) -> str:
        return overlay_text.without_ways(overlay_text.without_never(overlay, messenger), one.ways)

    published = _publish(changed, "unlisted.taken_back", messenger, "", by)
    if not published.is_new:
        raise RequestError(
            f"{messenger} was not decided here: a list that was published says so.",
            "Change the overlay's file, and publish it with `decorum-server catalogue publish --overlay FILE`.",
        )
    return published


def _publish(changed: Callable[[str], str], action: str, messenger: str, detail: str, by: By) -> Published:
    with transaction.atomic():
        hold(catalogues.LOCK)
        before = catalogues.current()
        overlay = changed("" if before is None else before.overlay)
        published = catalogues.publish(overlay, by.actor, by.identity, by.at)
        if published.is_new:
            audit.record(by.at, by.actor, action, messenger, detail, by.address)
    return published


def _candidates() -> Iterable[Candidate]:
    rows = list(UnlistedMessenger.objects.all())
    devices = unlisted.devices_with({row.messenger for row in rows})
    grouped = groupby(rows, key=lambda row: row.messenger)
    found = [_of(messenger, list(ways), devices.get(messenger, 0)) for messenger, ways in grouped]
    return sorted(found, key=lambda one: (-one.devices, one.messenger))


def _candidate(messenger: str) -> Candidate:
    rows = list(UnlistedMessenger.objects.filter(messenger=messenger))
    if not rows:
        raise RequestError(
            "No device has reported this messenger, or its reports are too old to be kept.",
            "Look at the list again.",
        )
    return _of(messenger, rows, 0)


def _of(messenger: str, rows: list[UnlistedMessenger], devices: int) -> Candidate:
    return Candidate(
        messenger=messenger,
        name=rows[0].name,
        ways=tuple(_way(row.platform, row.kind, row.value) for row in rows),
        evidence=tuple(dict.fromkeys(sentence for row in rows for sentence in row.evidence)),
        devices=devices,
        first_reported_at=min(row.first_reported_at for row in rows),
        last_reported_on=max(row.last_reported_on for row in rows),
    )


def _decided(
    messenger: str, ways: Iterable[KnownBy], known: Catalogue, claimed: frozenset[_Claim]
) -> Decision:
    """Return what the catalogue in use says of a messenger; with one way left that nobody claims it waits."""
    if messenger in known.never:
        return "never"
    return "added" if all(_claim(way) in claimed for way in ways) else "waiting"


def _way(platform: str, kind: str, value: str) -> KnownBy:
    """Return what was checked before it was kept."""
    return msgspec.convert({"platform": platform, "kind": kind, "value": value}, KnownBy)


def _claim(way: KnownBy) -> _Claim:
    return (
        way.platform,
        way.kind,
        compared(Identifier(way.platform, way.kind, way.value, overlay_text.SOURCE)),
    )


def _claimed(known: Catalogue) -> frozenset[_Claim]:
    """Return what a catalogue knows messengers by."""
    return frozenset(
        (one.platform, one.kind, compared(one)) for entry in known.messengers.values() for one in entry.seen
    )


def _free_id(one: Candidate, taken: Iterable[str]) -> str:
    """Return an id that nobody has: made of the last telling word of what it is known by, or of all of it."""
    key = one.messenger.removeprefix(PREFIX).lower()
    words = [word for word in key.split(".") if word not in _FAR] or [key]
    for wished in (words[-1], key):
        found = _NO_ID.sub("-", wished).strip("-")[:_ID_CHARACTERS].strip("-")
        if found and found not in taken:
            return found
    stem = (_NO_ID.sub("-", key).strip("-") or "messenger")[: _ID_CHARACTERS - 4].strip("-")
    return next(f"{stem}-{number}" for number in count(2) if f"{stem}-{number}" not in taken)
