"""The only door out: what may leave, in how much detail, and when.

The outbox takes nothing but a `Cleared`, and only this module makes one. The door is closed where nothing was said: an empty
ceiling lets nothing through, one that cannot be read any more neither, and before the notice nothing but a heartbeat leaves.

A report that may not tell the time must not tell it by when it is sent either, so it waits until the hour or day is over.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NewType, TypeVar

import msgspec

from contract.catalogue import MessengerKind
from contract.ceiling import DETAILS, Ceiling, Detail, Subject, allowed, allows_file_names, is_empty
from contract.observations import (
    DailyCount,
    ExposureObserved,
    InstalledObserved,
    NoticeRecord,
    Observation,
    OfMessenger,
    PolicyAnswer,
    ReminderReceipt,
    Request,
    SightingObserved,
    Tombstone,
    Trouble,
    UnretainedObserved,
    fitted,
)
from contract.policy import Ownership, Profile

QUARTER_SECONDS = 900
"""How exactly a duration is told where the ceiling lets no exact times leave."""
WITHHELD = "withheld"
"""Stands for a rule whose name would tell the messenger's."""

_TELLS_OF_NONE: tuple[Detail, ...] = ("nothing", "count")
"""Where not a single messenger may be told of."""
_Timed = TypeVar("_Timed", SightingObserved, InstalledObserved)
_Named = TypeVar("_Named", bound=OfMessenger)
_Pass = NewType("_Pass", object)
_PASS = _Pass(object())


class Cleared:
    """An observation that may leave, not before a certain time. Only the door makes one."""

    __slots__ = ("not_before", "observation", "uid")

    def __init__(self, door: _Pass, observation: Observation, not_before: datetime, uid: int | None) -> None:
        if door is not _PASS:
            raise TypeError("only agent.privacy.Door clears an observation")
        self.observation = fitted(observation)
        self.not_before = not_before
        self.uid = uid


class Door:
    """Decides what leaves.

    Args:
        ceiling: the device's own.
        ownership: who owns the device.
        everybody_told: whether the administrator recorded that the notice was given otherwise.
        told: users who have been shown it.
    """

    def __init__(
        self, ceiling: Ceiling, ownership: Ownership, *, everybody_told: bool, told: Iterable[int] = ()
    ) -> None:
        self._ceiling = ceiling
        self._policy_ceiling: Ceiling | None = None
        self._ownership = ownership
        self._everybody_told = everybody_told
        self._told = set(told)
        self._is_shut = False

    def tell(self, uid: int) -> None:
        """Take note that a user has been shown what is collected."""
        self._told.add(uid)

    def was_told(self, uid: int | None) -> bool:
        """Tell whether a user knows what is collected; None asks about anybody, for what belongs to the device."""
        return self._everybody_told or (bool(self._told) if uid is None else uid in self._told)

    def lower(self, policy_ceiling: Ceiling | None) -> None:
        """Take the policy's ceiling; it can only take away."""
        self._policy_ceiling = policy_ceiling

    def shut(self) -> None:
        """Let nothing through: the settings cannot be read any more, and what they would allow is not known."""
        self._is_shut = True

    def open_again(self) -> None:
        """Go by the ceiling again."""
        self._is_shut = False

    @property
    def is_shut(self) -> bool:
        """Whether nothing is let through until it is known again what may be."""
        return self._is_shut

    def detail(self, profile: Profile, uid: int | None, subject: Subject = "sighting") -> Detail:
        """Return how much about a user's profile may leave now; of what belongs to the device, once anybody was told."""
        return self.ceiling(profile, subject) if self.was_told(uid) else "nothing"

    def ceiling(self, profile: Profile, subject: Subject = "sighting") -> Detail:
        """Return how much about a profile may leave once its user was told."""
        if self._is_shut:
            return "nothing"
        return allowed(self._ceiling, self._policy_ceiling, self._ownership, profile, subject)

    def clear_sighting(
        self, full: SightingObserved, kind: MessengerKind | None, at: datetime, uid: int
    ) -> Cleared | None:
        """Return what may be reported of a sighting's transition.

        Args:
            full: the transition with everything that is known; its `detail` is replaced.
            kind: the messenger's kind, if it is listed.
            at: when it happened.
            uid: the user whom it concerns.
        """
        detail = self.detail(full.profile, uid)
        if detail in _TELLS_OF_NONE:
            return None
        reduced = _reduced(full, detail, kind, at)
        if detail == "kind":
            reduced = msgspec.structs.replace(reduced, rule=WITHHELD, unlisted=None)
        return Cleared(_PASS, reduced, _earliest(at, detail), uid)

    def clear_installed(
        self, full: InstalledObserved, kind: MessengerKind | None, at: datetime, uid: int | None
    ) -> Cleared | None:
        """Return what may be reported of a messenger that was installed or removed.

        Args:
            full: the change with everything that is known; its `detail` is replaced.
            kind: the messenger's kind, if it is listed.
            at: when it was noticed.
            uid: the user who has it; None where the device has it for everybody.
        """
        detail = self.detail(full.profile, uid, "installed")
        if detail in _TELLS_OF_NONE:
            return None
        return Cleared(_PASS, _reduced(full, detail, kind, at), _earliest(at, detail), uid)

    def clear_unretained(
        self, full: UnretainedObserved, kind: MessengerKind | None, day: datetime, uid: int
    ) -> Cleared | None:
        """Return what may be reported of the files that a messenger saved on a day; never before the day is over.

        Args:
            full: the day with everything that is known; its `detail` is replaced.
            kind: the messenger's kind, if it is listed.
            day: when it began.
            uid: the user whose files they are.
        """
        detail = self.detail(full.profile, uid, "unretained")
        if detail in _TELLS_OF_NONE:
            return None
        reduced = _named(full, detail, kind)
        if detail == "kind" or not allows_file_names(self._ceiling, self._policy_ceiling, self._ownership):
            reduced = msgspec.structs.replace(reduced, file_names=None)
        return Cleared(_PASS, reduced, _earliest(day, "name"), uid)

    def clear_exposure(
        self, full: ExposureObserved, kind: MessengerKind | None, at_most: Detail, at: datetime, uid: int
    ) -> Cleared | None:
        """Return what may be reported of the time for which a messenger was open at work on a day; never before that day is over.

        Args:
            full: the day with everything that is known; its `detail` is replaced.
            kind: the messenger's kind, if it is listed.
            at_most: the least that was allowed while it was counted.
            at: a moment in the device's own zone.
            uid: the user whom it concerns.
        """
        detail = min(at_most, self.detail("work", uid, "exposure"), key=DETAILS.index)
        if detail in _TELLS_OF_NONE:
            return None
        return Cleared(_PASS, _rounded(full, detail, kind), _midnight_after(full.day, at), uid)

    def clear_receipt(self, full: ReminderReceipt, profile: Profile, uid: int) -> Cleared | None:
        """Return what may be reported of a reminder; it names a rule, so the profile's ceiling holds for it too."""
        detail = self.detail(profile, uid, "receipt")
        if detail in _TELLS_OF_NONE:
            return None
        midnight = datetime.combine(full.at.date(), time(), full.at.tzinfo)
        reduced = msgspec.structs.replace(
            full,
            rule=full.rule if detail != "kind" else WITHHELD,
            text_digest=full.text_digest if detail != "kind" else "0" * 64,
            at=_coarse(full.at, detail) or midnight,
        )
        return Cleared(_PASS, reduced, _earliest(full.at, detail), uid)

    def clear_request(self, request: Request, uid: int) -> Cleared | None:
        """Return what a person says by themselves, as it is, once they were shown what is collected; no ceiling holds for it."""
        return Cleared(_PASS, request, request.at, uid) if self.was_told(uid) else None

    def clear_daily_count(self, full: DailyCount, users: Collection[int]) -> Cleared | None:
        """Return what may be reported of a day that is over.

        Args:
            full: how many messengers the users had in use.
            users: whom it concerns.
        """
        if any(self.detail(full.profile, uid) == "nothing" for uid in users):
            return None
        midnight = datetime.combine(full.day + timedelta(days=1), time(), UTC)
        return Cleared(_PASS, full, midnight, next(iter(users)) if len(users) == 1 else None)

    def clear_device(
        self, observation: PolicyAnswer | NoticeRecord | Trouble, now: datetime
    ) -> Cleared | None:
        """Return an observation about the device itself, once anybody was told; never where the device's ceiling is empty."""
        if self._is_closed() or not self.was_told(None):
            return None
        return Cleared(_PASS, observation, now, None)

    def _is_closed(self) -> bool:
        """Tell whether the device's own settings let nothing through, of whichever side."""
        return self._is_shut or is_empty(self._ceiling, self._ownership)

    def clear_tombstone(self, tombstone: Tombstone, not_before: datetime) -> Cleared:
        """Return what is said of reports that were cleared and then dropped; no earlier than they themselves would have left."""
        return Cleared(_PASS, tombstone, not_before, None)


def _reduced(full: _Timed, detail: Detail, kind: MessengerKind | None, at: datetime) -> _Timed:
    """Return what is left of an observation that names a messenger and tells a time."""
    return msgspec.structs.replace(_named(full, detail, kind), day=at.date(), at=_coarse(at, detail))


def _named(full: _Named, detail: Detail, kind: MessengerKind | None) -> _Named:
    """Return an observation with as much of its messenger as a detail lets through."""
    is_named = detail != "kind"
    return msgspec.structs.replace(
        full,
        detail=detail,
        messenger=full.messenger if is_named else None,
        name=full.name if is_named else None,
        listed=full.listed if is_named else None,
        kind=kind,
    )


def _rounded(full: ExposureObserved, detail: Detail, kind: MessengerKind | None) -> ExposureObserved:
    """Return what is left of a day's exposure. A kind tells how often, as sightings do, and no duration, which they do not tell."""
    named = _named(full, detail, kind)
    if detail == "kind":
        return msgspec.structs.replace(named, seconds=None, uncaptured_seconds=None, uncaptured_sessions=None)
    if detail == "exact":
        return named
    return msgspec.structs.replace(
        named,
        seconds=_to_the_quarter(full.seconds),
        uncaptured_seconds=_to_the_quarter(full.uncaptured_seconds),
    )


def _to_the_quarter(seconds: int | None) -> int | None:
    return None if seconds is None else (seconds + QUARTER_SECONDS // 2) // QUARTER_SECONDS * QUARTER_SECONDS


def _coarse(at: datetime, detail: Detail) -> datetime | None:
    if detail == "exact":
        return at
    if detail == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    return None


def _earliest(at: datetime, detail: Detail) -> datetime:
    """Return when a report may be sent without its sending telling more than it says."""
    if detail == "exact":
        return at
    if detail == "hour":
        return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return _midnight_after(at.date(), at)


def _midnight_after(day: date, at: datetime) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), at.tzinfo or UTC)
