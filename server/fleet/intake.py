"""Taking observations: each number once; another digest under a number that was taken is a fork, kept and flagged."""

import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from contract import observations, wire
from contract.errors import MalformedError
from contract.messages import CheckIn, ObservationBody, salted_digest
from contract.observations import DISCLOSURES, NoticeRecord, Observation, ReminderReceipt, SightingObserved
from server.errors import RefusedError
from server.fleet.models import CheckInRecord, Device, ReceivedObservation
from server.fleet.sequences import GAPS_AT_MOST

UNKNOWN, UNREADABLE = "unknown", "unreadable"
_KINDS = frozenset(disclosure.type for disclosure in DISCLOSURES)
_SAME_BODIES = "Send exactly the bodies whose digests are sealed."


class Fresh(msgspec.Struct, frozen=True):
    """An observation that was not known before; None in place of one that cannot be read."""

    sequence: int
    observation: Observation | None


class Taken(msgspec.Struct, frozen=True):
    """What came of a check-in's observations."""

    fresh: tuple[Fresh, ...]
    forks: tuple[int, ...]


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


def take(
    device: Device,
    record: CheckInRecord,
    said: CheckIn,
    bodies: Sequence[ObservationBody],
    now: datetime,
) -> Taken:
    """Store what is new, in the caller's transaction.

    Raises:
        RefusedError: the device leaves more gaps than an honest one would.
    """
    digests = {listed.sequence: listed.digest for listed in said.observations}
    taken, fresh, forks, rows = device.taken, [], [], []
    # Whether a number was taken stands in the device's row, which the caller has locked; only for those rows are looked up.
    earlier = {number for number in digests if taken.has(number)}
    known = _known(device, earlier) if earlier else {}
    for body in sorted(bodies, key=lambda one: one.sequence):
        number, digest = body.sequence, digests[body.sequence]
        is_fork = number in known and (number, digest, False) not in known[number]
        if is_fork:
            forks.append(number)
        if any(row[1] == digest for row in known.get(number, ())):
            continue
        if number in earlier and number not in known:
            continue  # it was taken so long ago that its record has been dropped since
        observation = _read(bytes(body.body))
        rows.append(_row(device, record, body, digest, observation, now, is_fork=is_fork))
        if isinstance(observation, NoticeRecord) and device.noticed_at is None:
            device.noticed_at = now
        fresh.append(Fresh(number, observation if not isinstance(observation, str) else None))
        taken = taken.take(number)
    if len(taken.gaps) > GAPS_AT_MOST:
        raise RefusedError(400, "too_many_gaps", "Too many numbers were left out.", "Enrol the device again.")
    ReceivedObservation.objects.bulk_create(rows)
    device.taken = taken
    if device.highest_at_restore is not None:
        after = device.highest_at_restore + 1
        device.lost_in_restore = sum(last - first + 1 for first, last in taken.gaps if first == after)
    if forks and device.forked_at is None:
        device.forked_at = now
    return Taken(tuple(fresh), tuple(forks))


_Known = tuple[int, str, bool]


def _known(device: Device, numbers: Iterable[int]) -> dict[int, set[_Known]]:
    """Return what is stored under these numbers: number, digest, whether it is a fork."""
    known: dict[int, set[_Known]] = {}
    stored = ReceivedObservation.objects.filter(device=device, sequence__in=list(numbers))
    for row in stored.values_list("sequence", "digest", "is_fork"):
        known.setdefault(row[0], set()).add(row)
    return known


def _row(
    device: Device,
    record: CheckInRecord,
    body: ObservationBody,
    digest: str,
    observation: Observation | str,
    now: datetime,
    *,
    is_fork: bool,
) -> ReceivedObservation:
    return ReceivedObservation(
        device=device,
        sequence=body.sequence,
        digest=digest,
        salt=body.salt,
        body=bytes(body.body),
        check_in=record,
        received_at=now,
        kind=observation if isinstance(observation, str) else str(observation.__struct_config__.tag),
        subject=_subject(observation),
        is_fork=is_fork,
    )


def _read(untrusted_body: bytes) -> Observation | str:
    """Return the observation; or `unknown` for a type of a newer agent, or `unreadable`. Both are kept, not lost."""
    try:
        return observations.decode(untrusted_body)
    except MalformedError:
        try:
            tag = wire.decode(dict[str, object], untrusted_body, limit_bytes=len(untrusted_body)).get("type")
        except MalformedError:
            return UNREADABLE
        return UNREADABLE if not isinstance(tag, str) or tag in _KINDS else UNKNOWN


def _subject(observation: Observation | str) -> str:
    match observation:
        case SightingObserved():
            return observation.sighting
        case ReminderReceipt():
            return observation.reminder
        case _:
            return ""
