"""Where a device stands, as people say it; every device has exactly one standing."""

from datetime import datetime
from typing import Literal, get_args

from django.db.models import Count, Q, QuerySet

from server.fleet.models import Device

Standing = Literal["in_line", "attention", "not_in_line", "silent", "unknown", "revoked"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
_STATES: dict[Standing, tuple[str, ...]] = {
    "in_line": ("compliant", "exempt"),
    "attention": ("attention",),
    "not_in_line": ("violation",),
    "unknown": ("pending", "unknowable"),
}


def condition(standing: Standing, now: datetime) -> Q:
    """Return which devices stand so. What a silent device last said is not held against it, nor for it."""
    revoked, silent = Q(revoked_at__isnull=False), Q(silent_from__lte=now)
    if standing == "revoked":
        return revoked
    if standing == "silent":
        return ~revoked & silent
    return ~revoked & ~silent & Q(state__in=_STATES[standing])


def filtered(devices: QuerySet[Device], standing: str | None, now: datetime) -> QuerySet[Device]:
    """Return the devices that stand so; an unknown word filters nothing."""
    for known in STANDINGS:
        if known == standing:
            return devices.filter(condition(known, now))
    return devices


def by_standing(now: datetime) -> dict[str, Count]:
    """Return what an aggregate asks to count how many devices stand how."""
    return {standing: Count("pk", filter=condition(standing, now)) for standing in STANDINGS}


def counts(devices: QuerySet[Device], now: datetime) -> dict[Standing, int]:
    """Return how many devices stand how, in one query."""
    return devices.aggregate(**by_standing(now))  # type: ignore[return-value]  # the names given are the names returned


def standing_of(device: Device, now: datetime) -> Standing:
    """Return where one device stands."""
    if device.revoked_at is not None:
        return "revoked"
    if device.is_silent(now):
        return "silent"
    return next(standing for standing, states in _STATES.items() if device.state in states)
