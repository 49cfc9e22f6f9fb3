"""The first page's answers: how the fleet stands, who needs somebody, which channels are used, which policy is in force."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.db.models import Case, Count, IntegerField, Max, Q, Value, When
from django.urls import reverse
from django.utils import timezone

from contract.judge import SEVERITY
from server.fleet.models import Device, EnrolmentSecret, Installation, Sighting
from server.fleet.standing import Standing, counts
from server.policies.models import Publication
from server.policies.publishing import current

NEWEST = 8
CHANNELS = 12


class Tile(msgspec.Struct, frozen=True):
    """A number that leads to what it counts."""

    standing: Standing
    count: int
    link: str


class Channel(msgspec.Struct, frozen=True):
    """A messenger in a profile, as seen on the fleet."""

    name: str
    profile: str
    devices: int
    open_now: int
    worst: str
    """The worst verdict among the sightings open now; empty without any."""
    link: str


class InForce(msgspec.Struct, frozen=True):
    """The policy in force, and how far it has come."""

    publication: Publication
    holders: int
    holders_link: str


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All that the first page shows."""

    sentence: str
    devices: int
    tiles: tuple[Tile, ...]
    open: tuple[Sighting, ...]
    """Open sightings that are not in line or need attention: those not in line first, then the newest."""
    open_count: int
    channels: tuple[Channel, ...]
    in_force: InForce | None
    notices: tuple[str, ...]
    """What is odd about the server itself."""
    has_secret: bool
    server_url: str


def overview(now: datetime) -> Overview:
    """Return the answers as of now."""
    standings = counts(Device.objects.filter(revoked_at=None), now)
    devices = sum(standings.values())
    pressing = Sighting.objects.filter(is_open=True, verdict__in=("violation", "attention"))
    pressing = pressing.filter(device__silent_from__gt=now, device__revoked_at=None)
    return Overview(
        sentence=_sentence(standings, devices),
        devices=devices,
        tiles=tuple(_tiles(standings)),
        open=tuple(pressing.select_related("device").order_by("-verdict", "-reported_at")[:NEWEST]),
        open_count=pressing.count(),
        channels=tuple(_channels()),
        in_force=_in_force(),
        notices=tuple(_notices()),
        has_secret=EnrolmentSecret.objects.filter(revoked_at=None, expires_at__gt=now).exists(),
        server_url=settings.CONFIGURATION.url,
    )


def _devices_link(**query: str) -> str:
    return f"{reverse('admin:fleet_device_changelist')}?{urlencode(query)}"


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
        Tile(standing, count, _devices_link(standing=standing))
        for standing, count in standings.items()
        if count or standing not in {"unknown", "revoked"}
    ]


_RANK = Case(
    *(When(verdict=state, then=Value(rank)) for rank, state in enumerate(SEVERITY, start=1)),
    default=Value(0),
    output_field=IntegerField(),
)


def _channels() -> list[Channel]:
    """Return the channels seen, those used on most devices first."""
    here = Sighting.objects.filter(device__revoked_at=None)
    seen = here.exclude(messenger=None).values("messenger", "profile")
    rows = seen.annotate(
        label=Max("name"),
        devices=Count("device", distinct=True),
        open_now=Count("pk", filter=Q(is_open=True)),
        rank=Max(_RANK, filter=Q(is_open=True)),
    ).order_by("-devices", "messenger", "profile")[:CHANNELS]
    return [
        Channel(
            name=row["label"] or row["messenger"],
            profile=row["profile"],
            devices=row["devices"],
            open_now=row["open_now"],
            worst=SEVERITY[row["rank"] - 1] if row["rank"] else "",
            link=_devices_link(messenger=row["messenger"], profile=row["profile"]),
        )
        for row in rows
    ]


def _notices() -> Iterable[str]:
    newest, installation = current(), Installation.objects.first()
    ahead = Device.objects.filter(policy_serial__gt=0 if newest is None else newest.serial).count()
    if ahead:
        yield (
            f"{_devices(ahead)} {'holds' if ahead == 1 else 'hold'} a policy newer than any here: was the database restored "
            "from a backup? Then run decorum-server after-restore."
        )
    if installation is not None and installation.restored_at is not None:
        lost = Device.objects.filter(lost_in_restore__gt=0).count()
        if lost:
            at = timezone.localtime(installation.restored_at)
            yield (
                f"The server was restored from a backup on {at:%Y-%m-%d}. {_devices(lost)} had reported things since that backup "
                "that are lost here; each device's page says how many."
            )


def _devices(count: int) -> str:
    return "1 device" if count == 1 else f"{count} devices"


def _in_force() -> InForce | None:
    publication = current()
    if publication is None:
        return None
    holders = Device.objects.filter(policy_serial=publication.serial).count()
    return InForce(publication, holders, _devices_link(serial=str(publication.serial)))
