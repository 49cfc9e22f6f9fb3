"""The privacy ceiling: how much about a sighting may leave the device at most.

It comes with the device's own settings (MDM or file); the policy may only lower it. What it does not name does not leave.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

Detail = Literal["nothing", "kind", "name", "hour", "exact"]
"""`kind`: that a messenger of this kind was used on a day; `name`: which one, on which day; `hour`: times rounded down
to the hour; `exact`: times to the second."""
DETAILS: tuple[Detail, ...] = ("nothing", "kind", "name", "hour", "exact")
"""Least first."""


class ProfileCeiling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may leave, per profile."""

    work: Detail = "nothing"
    personal: Detail = "nothing"
    unknown: Detail = "nothing"
    file_names: bool = False
    """Whether names of files that came in for work may leave, if everything else of the work side may."""


class Ceiling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may leave, per ownership and profile. An empty one lets nothing through."""

    company: ProfileCeiling = ProfileCeiling()
    personal: ProfileCeiling = ProfileCeiling()


def allowed(device: Ceiling, policy: Ceiling | None, ownership: str, profile: str) -> Detail:
    """Return the most that may leave for a profile: the lower of what the device and the policy allow.

    An ownership or profile that nobody has heard of gets `nothing`.
    """
    detail = _detail(device, ownership, profile)
    if policy is not None:
        detail = min(detail, _detail(policy, ownership, profile), key=DETAILS.index)
    return detail


def allows_file_names(device: Ceiling, policy: Ceiling | None, ownership: str) -> bool:
    """Tell whether names of files may leave: both must say so."""
    return policy is not None and all(_of(one, ownership).file_names for one in (device, policy))


def _of(ceiling: Ceiling, ownership: str) -> ProfileCeiling:
    return {"company": ceiling.company, "personal": ceiling.personal}.get(ownership, ProfileCeiling())


def exceeding(device: Ceiling, policy: Ceiling, ownership: str) -> Iterable[str]:
    """Yield the profiles of which a policy would let more leave than the device does.

    >>> own = Ceiling(personal=ProfileCeiling(work="name"))
    >>> list(exceeding(own, Ceiling(personal=ProfileCeiling(work="exact", personal="nothing")), "personal"))
    ['work']
    """
    for profile in ("work", "personal", "unknown"):
        if allowed(device, policy, ownership, profile) != _detail(policy, ownership, profile):
            yield profile


def _detail(ceiling: Ceiling, ownership: str, profile: str) -> Detail:
    by_profile = _of(ceiling, ownership)
    by_name: dict[str, Detail] = {
        "work": by_profile.work,
        "personal": by_profile.personal,
        "unknown": by_profile.unknown,
    }
    return by_name.get(profile, "nothing")
