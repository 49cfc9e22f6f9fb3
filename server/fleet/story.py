"""A device's story: what it reported, newest first, one line for each sighting with all its verdicts."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec
from django.utils import timezone

from contract.errors import MalformedError
from contract.observations import (
    ASKED_FOR_MORE,
    DailyCount,
    ExposureObserved,
    InstalledObserved,
    NoticeRecord,
    PolicyAnswer,
    ReminderReceipt,
    Request,
    SightingObserved,
    Tombstone,
    Trouble,
    UnretainedObserved,
    called,
    counted,
    decode,
    duration,
    sentence,
)
from server.fleet.models import Device, ReceivedObservation, Sighting

PAGE = 200
"""How many observations one page of the story reads."""


class Turn(msgspec.Struct, frozen=True):
    """A change of a sighting's verdict."""

    verdict: str
    at: datetime | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the story."""

    kind: str
    """`sighting`, or the observation's own."""
    day: date
    at: datetime | None
    """None where the device may not tell."""
    order: int
    title: str
    remark: str = ""
    sighting: Sighting | None = None
    turns: tuple[Turn, ...] = ()
    is_fork: bool = False


class Story(msgspec.Struct, frozen=True):
    """A page of it: days, newest first, and where the next page begins."""

    days: tuple[tuple[date, tuple[Entry, ...]], ...]
    older: int | None
    told_after: str | None
    """`hour` or `day`, where the privacy ceiling lets the device tell only after it is over; the longest one met."""


def story(device: Device, before: int | None = None) -> Story:
    """Return a page of the story.

    Args:
        device: whose.
        before: the observation before which the page ends; None for the newest.
    """
    rows = ReceivedObservation.objects.filter(device=device).order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows[:PAGE])
    entries = [*_of_sightings(device, page), *_of_exposure(page), *_others(page), *_erased(page)]
    by_day: dict[date, list[Entry]] = {}
    for entry in sorted(entries, key=_position, reverse=True):
        by_day.setdefault(entry.day, []).append(entry)
    older = page[-1].pk if len(page) == PAGE else None
    return Story(tuple((day, tuple(of_day)) for day, of_day in by_day.items()), older, _told_after(page))


def _told_after(page: Iterable[ReceivedObservation]) -> str | None:
    observed = (_decoded(row) for row in page if row.kind in {"sighting", "installed", "daily_count"})
    details = {
        "count" if isinstance(one, DailyCount) else one.detail
        for one in observed
        if isinstance(one, SightingObserved | InstalledObserved | DailyCount)
    }
    if details & {"count", "kind", "name"}:
        return "day"
    return "hour" if "hour" in details else None


def _position(entry: Entry) -> tuple[date, bool, float, int]:
    """Within a day, what has no time stands last."""
    return entry.day, entry.at is not None, entry.at.timestamp() if entry.at else 0.0, entry.order


def _of_sightings(device: Device, page: Sequence[ReceivedObservation]) -> Iterable[Entry]:
    reports: dict[str, list[tuple[ReceivedObservation, SightingObserved]]] = {}
    for row in reversed(page):
        observed = _decoded(row)
        if isinstance(observed, SightingObserved):
            reports.setdefault(row.subject, []).append((row, observed))
    for sighting in Sighting.objects.filter(device=device, identity__in=reports):
        told = reports[sighting.identity]
        yield Entry(
            kind="sighting",
            day=sighting.day,
            at=sighting.started_at or sighting.judged_at,
            order=told[0][0].pk,
            title=sighting.name or (f"A {sighting.kind} messenger" if sighting.kind else "A messenger"),
            sighting=sighting,
            turns=tuple(_turns(told)),
            is_fork=any(row.is_fork for row, _ in told),
        )


def _turns(told: Sequence[tuple[ReceivedObservation, SightingObserved]]) -> Iterable[Turn]:
    previous = None
    for _, observed in told:
        if observed.verdict != previous:
            yield Turn(observed.verdict, observed.at)
        previous = observed.verdict


def _others(page: Iterable[ReceivedObservation]) -> Iterable[Entry]:
    for row in page:
        if row.kind in {"sighting", "exposure"} or row.body is None:
            continue
        if row.kind in {"installed", "unretained", "daily_count"}:
            yield from _of_day(row)
            continue
        title, remark, at = _in_words(row)
        local = timezone.localtime(at or row.received_at)
        yield Entry(
            kind=row.kind,
            day=local.date(),
            at=at,
            order=row.pk,
            title=title,
            remark=remark,
            is_fork=row.is_fork,
        )


def _of_day(row: ReceivedObservation) -> Iterable[Entry]:
    """Give the line of a report that stands under the day it is about."""
    match _decoded(row):
        case InstalledObserved() as noticed:
            title = f"{called(noticed)} {'is installed' if noticed.change == 'found' else 'was removed'}"
            yield _day_entry(row, noticed.day, noticed.at, title)
        case DailyCount() as told:
            yield _day_entry(row, told.day, None, counted(told), "No more is told of this side")
        case UnretainedObserved() as noted:
            yield _day_entry(row, noted.day, None, "Files for work that nothing retained", sentence(noted))


def _day_entry(
    row: ReceivedObservation, day: date, at: datetime | None, title: str, remark: str = ""
) -> Entry:
    return Entry(kind=row.kind, day=day, at=at, order=row.pk, title=title, remark=remark, is_fork=row.is_fork)


def _of_exposure(page: Iterable[ReceivedObservation]) -> Iterable[Entry]:
    """Give one line for each day, of each messenger what was told of it last."""
    by_day: dict[date, dict[str, tuple[ReceivedObservation, ExposureObserved]]] = {}
    for row in page:
        told = _decoded(row)
        if isinstance(told, ExposureObserved):
            by_day.setdefault(told.day, {}).setdefault(told.exposure, (row, told))
    for day, of_day in by_day.items():
        rows = [row for row, _ in of_day.values()]
        yield Entry(
            kind="exposure",
            day=day,
            at=None,
            order=rows[0].pk,
            title="Time at work",
            remark="; ".join(sorted(_time_of(told) for _, told in of_day.values())),
            is_fork=any(row.is_fork for row in rows),
        )


def _time_of(told: ExposureObserved) -> str:
    if told.seconds is None:
        return f"{called(told)}: not told for how long"
    said = f"{called(told)} {duration(told.seconds)}"
    if not told.uncaptured_seconds:
        return f"{said}, captured"
    if told.uncaptured_seconds >= told.seconds:
        return f"{said}, not captured"
    return f"{said}, {duration(told.uncaptured_seconds)} of it not captured"


def _erased(page: Iterable[ReceivedObservation]) -> Iterable[Entry]:
    by_day: dict[date, list[ReceivedObservation]] = {}
    for row in page:
        if row.body is None:
            by_day.setdefault(timezone.localtime(row.received_at).date(), []).append(row)
    for day, rows in by_day.items():
        yield Entry(
            kind="erased",
            day=day,
            at=None,
            order=rows[0].pk,
            title="An erased report" if len(rows) == 1 else f"{len(rows)} erased reports",
            remark="Kept no longer than the policy says; the seals still hold",
            is_fork=any(row.is_fork for row in rows),
        )


def _in_words(row: ReceivedObservation) -> tuple[str, str, datetime | None]:
    match _decoded(row):
        case ReminderReceipt() as receipt:
            return f"Reminder {receipt.outcome}", f"Rule {receipt.rule}, in {receipt.language}", receipt.at
        case Request() as asked:
            title = "Asked for an exemption" if asked.about == "exemption" else "Asked a question"
            return title, sentence(asked).partition(": ")[2], asked.at
        case PolicyAnswer(outcome="applied") as answer:
            return f"Policy number {answer.serial} applied", "", answer.at
        case PolicyAnswer() as answer:
            return "Policy refused", answer.reason, answer.at
        case NoticeRecord() as notice:
            how = "shown on the device" if notice.how == "shown" else "recorded as given by the administrator"
            how += f", version {notice.version}" + (f", in {notice.language}" if notice.language else "")
            return "Notice of what is collected", how, notice.at
        case Trouble(code=code) as trouble:
            is_refused = code == ASKED_FOR_MORE
            title = (
                "It was asked for more than it grants"
                if is_refused
                else "A part of Decorum does not work there"
            )
            return title, f"{trouble.detail} ({code})", trouble.at
        case Tombstone() as dropped:
            return "Reports were dropped there", sentence(dropped), dropped.at
        case _:
            return _unread(row)


def _unread(row: ReceivedObservation) -> tuple[str, str, datetime | None]:
    number = f"Report {row.sequence}"
    if row.kind == "unknown":
        return (
            "A report of a kind that this server does not know yet",
            f"{number}; kept as it came",
            row.received_at,
        )
    return "A report that cannot be read", f"{number}; kept as it came", row.received_at


def _decoded(row: ReceivedObservation) -> object:
    if row.body is None:
        return None
    try:
        return decode(bytes(row.body))
    except MalformedError:
        return None
