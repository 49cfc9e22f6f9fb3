"""The first page's answers: how the fleet stands, who needs somebody, what the exposure is, which channels are used, which policy holds."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from django.conf import settings
from django.utils import timezone

from server.conduct import requests
from server.console.channels import Channel, channels
from server.console.exposure import Answer, answer, spent
from server.console.links import devices_link
from server.fleet.exposure import Amount, exposure
from server.fleet.figures import Figures, figures
from server.fleet.models import EnrolmentSecret, Installation, Sighting
from server.fleet.standing import Standing
from server.policies import reviewing
from server.policies.models import Publication
from server.policies.publishing import current
from server.records import pages as connectors
from server.records.rules import rules_of

NEWEST = 8


class Tile(msgspec.Struct, frozen=True):
    """A number that leads to what it counts."""

    standing: Standing
    count: int
    link: str


class Row(msgspec.Struct, frozen=True):
    """A channel, and where its devices are."""

    channel: Channel
    link: str
    never_started_link: str
    uncaptured: str
    """For how long it was open and not captured, of what was told of the last days; empty where nothing was."""
    percent: int | None
    """Which share of its time that is."""
    exposed_link: str


class InForce(msgspec.Struct, frozen=True):
    """The policy in force, and how far it has come."""

    publication: Publication
    holders: int
    of: int
    """All devices, those taken out among them, as in the list that the link leads to."""
    holders_link: str


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All that the first page shows."""

    sentence: str
    devices: int
    counted_at: datetime | None
    """When the devices were counted, if that is not now."""
    tiles: tuple[Tile, ...]
    open: tuple[Sighting, ...]
    """Open sightings that are not in line or need attention: those not in line first, then the newest."""
    more: Tile | None
    """Where the rest of them are, if there may be more."""
    exposure: Answer
    channels: tuple[Row, ...]
    channels_at: datetime | None
    """When the channels were counted, if that is not now."""
    in_force: InForce | None
    notices: tuple[str, ...]
    """What is odd about the server itself."""
    to_review: int
    """How many unlisted messengers wait for a decision."""
    to_answer: int
    """How many requests wait for an answer."""
    has_secret: bool
    server_url: str


def overview(now: datetime) -> Overview:
    """Return the answers as of now."""
    publication, counted = current(), figures(now)
    standings: dict[Standing, int] = dict(counted.standings)
    standings.pop("revoked")
    devices, tiles = sum(standings.values()), tuple(_tiles(standings))
    pressing, seen, exposed = _pressing(now), channels(now), exposure(now)
    return Overview(
        sentence=_sentence(standings, devices),
        devices=devices,
        counted_at=counted.counted_at,
        tiles=tiles,
        open=pressing,
        more=_more(tiles) if len(pressing) == NEWEST else None,
        exposure=answer(exposed),
        channels=tuple(_row(channel, exposed.by_messenger) for channel in seen.shown),
        channels_at=seen.counted_at,
        in_force=None if publication is None else _in_force(publication, counted),
        notices=(*_notices(counted.ahead, counted.lost), *connectors.notices(rules_of(publication), now)),
        to_review=reviewing.waiting_count(),
        to_answer=requests.waiting_count(),
        has_secret=EnrolmentSecret.objects.filter(revoked_at=None, expires_at__gt=now).exists(),
        server_url=settings.CONFIGURATION.url,
    )


def _pressing(now: datetime) -> tuple[Sighting, ...]:
    heard = Sighting.objects.filter(is_open=True, device__silent_from__gt=now, device__revoked_at=None)
    found: list[Sighting] = []
    for verdict in ("violation", "attention"):
        of_verdict = heard.filter(verdict=verdict).select_related("device").order_by("-reported_at")
        found += of_verdict[: NEWEST - len(found)]
    return tuple(found)


def _more(tiles: Iterable[Tile]) -> Tile | None:
    return next((one for one in tiles if one.standing in {"not_in_line", "attention"} and one.count), None)


def _sentence(standings: dict[Standing, int], devices: int) -> str:
    if not devices:
        return "No device is enrolled yet"
    for standing, words in (("not_in_line", "not in line"), ("attention", "in need of attention")):
        count = standings[standing]  # type: ignore[index]  # both are standings
        if count:
            return f"{count} {'device is' if count == 1 else 'devices are'} {words}"
    if standings["in_line"] == devices:
        return "Every device is in line with the policy"
    if standings["in_line"]:
        return "Every device that is heard from is in line with the policy"
    return "Nothing is known of any device at the moment"


def _tiles(standings: dict[Standing, int]) -> list[Tile]:
    return [
        Tile(standing, count, devices_link(standing=standing))
        for standing, count in standings.items()
        if count or standing not in {"unknown", "revoked"}
    ]


def _row(channel: Channel, amounts: Mapping[str, Amount]) -> Row:
    amount = amounts.get(channel.messenger, Amount()) if channel.profile == "work" else Amount()
    return Row(
        channel,
        devices_link(messenger=channel.messenger, profile=channel.profile),
        devices_link(never_started=channel.messenger, profile=channel.profile),
        spent(amount.uncaptured_seconds) if amount.seconds else "",
        amount.percent,
        devices_link(exposed=channel.messenger),
    )


def _notices(ahead: int, lost: int) -> Iterable[str]:
    installation = Installation.objects.first()
    if ahead:
        yield (
            f"{_devices(ahead)} {'holds' if ahead == 1 else 'hold'} a policy newer than any here: was the database restored "
            "from a backup? Then run decorum-server after-restore."
        )
    if lost and installation is not None and installation.restored_at is not None:
        at = timezone.localtime(installation.restored_at)
        yield (
            f"The server was restored from a backup on {at:%Y-%m-%d}. {_devices(lost)} had reported things since that backup "
            "that are lost here; each device's page says how many."
        )


def _devices(count: int) -> str:
    return "1 device" if count == 1 else f"{count} devices"


def _in_force(publication: Publication, counted: Figures) -> InForce:
    link = devices_link(serial=str(publication.serial))
    return InForce(publication, counted.holders, counted.devices, link)
