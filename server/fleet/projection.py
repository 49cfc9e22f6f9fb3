"""Sightings as they read now, made from the observations, in whatever order these come."""

from collections.abc import Iterable
from datetime import datetime

from contract.judge import SEVERITY, VerdictState, worst
from contract.observations import SightingObserved
from server.fleet.intake import Fresh
from server.fleet.models import Device, Sighting

_FIELDS = [
    "messenger",
    "name",
    "kind",
    "is_listed",
    "profile",
    "detail",
    "verdict",
    "rule",
    "policy_serial",
    "day",
    "started_at",
    "judged_at",
    "ended_at",
    "is_open",
    "last_sequence",
    "reported_at",
]


def project(device: Device, fresh: Iterable[Fresh], now: datetime) -> None:
    """Bring the device's sightings up to date, in the caller's transaction."""
    seen = [(one.sequence, one.observation) for one in fresh if isinstance(one.observation, SightingObserved)]
    if not seen:
        return
    wanted = {observed.sighting for _, observed in seen}
    sightings = {row.identity: row for row in Sighting.objects.filter(device=device, identity__in=wanted)}
    for sequence, observed in seen:
        sighting = sightings.get(observed.sighting)
        if sighting is None:
            sighting = sightings[observed.sighting] = Sighting(
                device=device, identity=observed.sighting, last_sequence=0, day=observed.day
            )
        _apply(sighting, sequence, observed)
        sighting.reported_at = now
    Sighting.objects.bulk_create(
        sightings.values(),
        update_conflicts=True,
        unique_fields=["device", "identity"],
        update_fields=_FIELDS,
    )


def state_of(device: Device) -> VerdictState:
    """Return the worst verdict of the device's open sightings; without a policy, or before the notice, nothing is known."""
    open_ones = Sighting.objects.filter(device=device, is_open=True).order_by()
    verdicts = set(open_ones.values_list("verdict", flat=True).distinct())
    if not verdicts and (device.policy_serial == 0 or device.noticed_at is None):
        return "pending"
    return worst([state for state in SEVERITY if state in verdicts])


def _apply(sighting: Sighting, sequence: int, observed: SightingObserved) -> None:
    sighting.day = min(sighting.day, observed.day)
    if observed.transition == "started":
        sighting.started_at = observed.at
    if observed.transition == "ended":
        sighting.ended_at, sighting.is_open = observed.at, False
    if sequence < sighting.last_sequence:
        return  # an older one that comes late says nothing new about the verdict
    if sighting.verdict != observed.verdict:
        sighting.judged_at = observed.at
    sighting.messenger, sighting.name, sighting.kind = observed.messenger, observed.name, observed.kind
    sighting.is_listed, sighting.profile, sighting.detail = observed.listed, observed.profile, observed.detail
    sighting.verdict, sighting.rule = observed.verdict, observed.rule
    sighting.policy_serial, sighting.last_sequence = observed.policy_serial, sequence
