"""The privacy ceiling: how much may leave the device at most, for each ownership, side and kind of observation.

It comes with the device's own settings (MDM or file); the policy may only lower it. What it does not name does not leave.

A level for a side holds for every observation; a table names one for each, and what that does not name does not leave:

>>> from contract.wire import convert
>>> own = convert(Ceiling, {"company": {"work": "exact", "personal": {"sighting": "count"}}})
>>> [allowed(own, None, "company", "work", subject) for subject in SUBJECTS]
['exact', 'exact', 'exact', 'exact', 'exact']
>>> [allowed(own, None, "company", "personal", subject) for subject in SUBJECTS]
['count', 'nothing', 'nothing', 'nothing', 'nothing']
"""

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

Detail = Literal["nothing", "count", "kind", "name", "hour", "exact"]
"""`count`: of a day that is over, how many messengers were in use; `kind`: that a messenger of this kind was used on a day; `name`: which one,
on which day; `hour`: times rounded down to the hour; `exact`: times to the second."""
DETAILS: tuple[Detail, ...] = get_args(Detail)
"""Least first."""
Subject = Literal["sighting", "installed", "unretained", "exposure", "receipt"]
"""The observations that a side's ceiling holds for, by their types. Days are counted of sightings alone, so that for the others `count` lets
nothing through."""
SUBJECTS: tuple[Subject, ...] = get_args(Subject)


PROFILES = ("work", "personal", "unknown")


class ObservationCeiling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may leave, for each observation."""

    sighting: Detail = "nothing"
    installed: Detail = "nothing"
    unretained: Detail = "nothing"
    exposure: Detail = "nothing"
    receipt: Detail = "nothing"


Level = Detail | ObservationCeiling


class ProfileCeiling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may leave, for each profile: of every observation alike, or of each."""

    work: Level = "nothing"
    personal: Level = "nothing"
    unknown: Level = "nothing"
    file_names: bool = False
    """Whether names of files that came in for work may leave, if everything else of the work side may."""


class Ceiling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that may leave, for each ownership. An empty one lets nothing through."""

    company: ProfileCeiling = ProfileCeiling()
    personal: ProfileCeiling = ProfileCeiling()


def allowed(device: Ceiling, policy: Ceiling | None, ownership: str, profile: str, subject: str) -> Detail:
    """Return the most that may leave of an observation: the lower of what the device and the policy allow.

    An ownership, profile or observation that nobody has heard of gets `nothing`.
    """
    detail = _detail(device, ownership, profile, subject)
    if policy is not None:
        detail = min(detail, _detail(policy, ownership, profile, subject), key=DETAILS.index)
    return detail


def allows_file_names(device: Ceiling, policy: Ceiling | None, ownership: str) -> bool:
    """Tell whether names of files may leave: both must say so."""
    return policy is not None and all(_of(one, ownership).file_names for one in (device, policy))


def _of(ceiling: Ceiling, ownership: str) -> ProfileCeiling:
    return {"company": ceiling.company, "personal": ceiling.personal}.get(ownership, ProfileCeiling())


def exceeding(device: Ceiling, policy: Ceiling, ownership: str) -> Iterable[str]:
    """Yield the profiles, and "file names", of which a policy would let more leave than the device does.

    >>> own = Ceiling(personal=ProfileCeiling(work="name"))
    >>> list(exceeding(own, Ceiling(personal=ProfileCeiling(work="exact", personal="nothing")), "personal"))
    ['work']
    """
    if _of(policy, ownership).file_names and not _of(device, ownership).file_names:
        yield "file names"
    for profile in PROFILES:
        if any(
            allowed(device, policy, ownership, profile, subject)
            != _detail(policy, ownership, profile, subject)
            for subject in SUBJECTS
        ):
            yield profile


def is_empty(ceiling: Ceiling, ownership: str) -> bool:
    """Tell whether a ceiling lets nothing through on a device of this ownership."""
    return all(
        _detail(ceiling, ownership, profile, subject) == "nothing"
        for profile in PROFILES
        for subject in SUBJECTS
    )


def spelt_out(level: Level) -> str:
    """Return a level in a few words.

    >>> spelt_out("hour"), spelt_out(ObservationCeiling(sighting="count"))
    ('hour', 'sighting count, installed nothing, unretained nothing, exposure nothing, receipt nothing')
    """
    if isinstance(level, str):
        return level
    return ", ".join(f"{subject} {getattr(level, subject)}" for subject in SUBJECTS)


def _detail(ceiling: Ceiling, ownership: str, profile: str, subject: str) -> Detail:
    by_profile = _of(ceiling, ownership)
    by_name: dict[str, Level] = {
        "work": by_profile.work,
        "personal": by_profile.personal,
        "unknown": by_profile.unknown,
    }
    level = by_name.get(profile, "nothing")
    if isinstance(level, str):
        return level if subject in SUBJECTS else "nothing"
    by_subject: dict[str, Detail] = {
        "sighting": level.sighting,
        "installed": level.installed,
        "unretained": level.unretained,
        "exposure": level.exposure,
        "receipt": level.receipt,
    }
    return by_subject.get(subject, "nothing")
