"""Taking observations: each number once; another digest under a number that was taken is a fork, kept and flagged."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from contract import observations, wire
from contract.errors import MalformedError
from contract.messages import CheckIn, ObservationBody, salted_digest
from contract.observations import (
    DISCLOSURES,
    ExposureObserved,
    InstalledObserved,
    NoticeRecord,
    Observation,
    ReminderReceipt,
    SightingObserved,
)
from server.errors import RefusedError
from server.fleet import rows, sequences
from server.fleet.models import Device, ReceivedObservation
from server.fleet.sequences import GAPS_AT_MOST

UNKNOWN, UNREADABLE = "unknown", "unreadable"
_KINDS = frozenset(disclosure.type for disclosure in DISCLOSURES)
_SAME_BODIES = "Send exactly the bodies whose digests are sealed."


class Fresh(msgspec.Struct, frozen=True):
    """An observation that was not known before."""

    sequence: int
    digest: str
    salt: str
    body: bytes
    observation: Observation | str
    """`unknown` for a type of a newer agent, or `unreadable`. Both are kept, not lost."""
    is_fork: bool


class Taken(msgspec.Struct, frozen=True):
    """What comes of a check-in's observations."""

    numbers: sequences.Taken
    """All that are taken of this device then."""
    fresh: tuple[Fresh, ...] = ()
    forks: tuple[int, ...] = ()


class ObservationRow(msgspec.Struct, frozen=True, kw_only=True):
    """A `ReceivedObservation` to be stored."""

    device_id: str
    sequence: int
    digest: str
    salt: str
    body: bytes
    check_in_id: int
    received_at: datetime
    kind: str
    subject: str
    is_fork: bool


_Known = tuple[int, str, bool]
Known = Mapping[int, set[_Known]]
"""What is stored under a number: number, digest, whether it is a fork."""


def check_bodies(said: CheckIn, bodies: Sequence[ObservationBody]) -> None:
    """Make sure that the bodies beside the seal are those whose digests are inside.

    Raises:
        RefusedError: one too many or too few, or another one.
    """
    sealed = {listed.sequence: listed.digest for listed in said.observations}
    beside = [body.sequence for body in bodies]
    if len(sealed) != len(said.observations) or sorted(beside) != sorted(sealed):
        raise RefusedError(
            400, "bodies_differ", "The bodies and the sealed list name different numbers.", _SAME_BODIES
        )
    for body in bodies:
        if not hmac.compare_digest(salted_digest(body.salt, bytes(body.body)), sealed[body.sequence]):
            raise RefusedError(
                400, "digest_differs", f"Body {body.sequence} is not the one that was sealed.", _SAME_BODIES
            )


def repeated(device: Device, said: CheckIn) -> set[int]:
    """Return the numbers that come although they were taken. That stands in the device's row, which the caller has locked."""
    taken = device.taken
    return {listed.sequence for listed in said.observations if taken.has(listed.sequence)}


def known(device: Device, numbers: Iterable[int]) -> Known:
    """Return what is stored under these numbers."""
    found: dict[int, set[_Known]] = {}
    stored = ReceivedObservation.objects.filter(device=device, sequence__in=list(numbers))
    for row in stored.values_list("sequence", "digest", "is_fork"):
        found.setdefault(row[0], set()).add(row)
    return found


def sort_out(device: Device, said: CheckIn, bodies: Sequence[ObservationBody], stored: Known) -> Taken:
    """Return what is new; nothing is written.

    Args:
        device: whose row the caller has locked.
        said: what was sealed.
        bodies: what stands beside the seal.
        stored: what is stored under the numbers that are repeated.

    Raises:
        RefusedError: the device leaves more gaps than an honest one would.
    """
    if not bodies:
        return Taken(device.taken)
    digests = {listed.sequence: listed.digest for listed in said.observations}
    earlier, taken = repeated(device, said), device.taken
    fresh, forks = [], []
    for body in sorted(bodies, key=lambda one: one.sequence):
        number, digest = body.sequence, digests[body.sequence]
        is_fork = number in stored and (number, digest, False) not in stored[number]
        if is_fork:
            forks.append(number)
        if any(row[1] == digest for row in stored.get(number, ())):
            continue
        if number in earlier and number not in stored:
            continue  # it was taken so long ago that its record has been dropped since
        content = bytes(body.body)
        fresh.append(Fresh(number, digest, body.salt, content, _read(content), is_fork))
        taken = taken.take(number)
    if len(taken.gaps) > GAPS_AT_MOST:
        raise RefusedError(400, "too_many_gaps", "Too many numbers were left out.", "Enrol the device again.")
    return Taken(taken, tuple(fresh), tuple(forks))


def note(device: Device, taken: Taken, now: datetime) -> None:
    """Note in the device's row, which the caller saves, what was taken."""
    device.taken = taken.numbers
    if device.noticed_at is None and any(isinstance(one.observation, NoticeRecord) for one in taken.fresh):
        device.noticed_at = now
    if device.highest_at_restore is not None:
        after = device.highest_at_restore + 1
        device.lost_in_restore = sum(last - first + 1 for first, last in taken.numbers.gaps if first == after)
    if taken.forks and device.forked_at is None:
        device.forked_at = now


def store(reports: Iterable[tuple[str, int, Taken]], now: datetime) -> None:
    """Store what is new, in the caller's transaction; each by its device, the record of its check-in, and what was taken of it."""
    rows.insert(
        ReceivedObservation,
        [
            ObservationRow(
                device_id=device_id,
                sequence=one.sequence,
                digest=one.digest,
                salt=one.salt,
                body=one.body,
                check_in_id=record,
                received_at=now,
                kind=_kind(one.observation),
                subject=_subject(one.observation),
                is_fork=one.is_fork,
            )
            for device_id, record, taken in reports
            for one in taken.fresh
        ],
    )


def _read(untrusted_body: bytes) -> Observation | str:
    try:
        return observations.decode(untrusted_body)
    except MalformedError:
        try:
            tag = wire.decode(dict[str, object], untrusted_body, limit_bytes=len(untrusted_body)).get("type")
        except MalformedError:
            return UNREADABLE
        return UNREADABLE if not isinstance(tag, str) or tag in _KINDS else UNKNOWN


def _kind(observation: Observation | str) -> str:
    return observation if isinstance(observation, str) else str(observation.__struct_config__.tag)


def _subject(observation: Observation | str) -> str:
    match observation:
        case SightingObserved():
            return observation.sighting
        case InstalledObserved():
            return observation.installation
        case ExposureObserved():
            return observation.exposure
        case ReminderReceipt():
            return observation.reminder
        case _:
            return ""
