"""When a device speaks with its server, and what has become due until then. Pure; one device's days in order, without end."""

import heapq
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from bench.simulator.days import Day, Rules, day_of
from bench.simulator.people import Person, Wishes
from contract.observations import Observation


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """How often devices speak."""

    heartbeat: timedelta | None = timedelta(hours=1)
    """How often while nothing happens; None for never."""
    together: timedelta = timedelta(seconds=1)
    """How long a report waits for others."""


class Contact(msgspec.Struct, frozen=True):
    """A device speaks."""

    at: datetime
    observations: tuple[Observation, ...]


def contacts(
    person: Person, first: datetime, rules: Rules, wishes: Wishes, rhythm: Rhythm, *, is_copy: bool = False
) -> Iterator[Contact]:
    """Yield a device's contacts from a moment on, in order, without end."""
    waiting: list[tuple[datetime, int, Observation]] = []
    count = itertools.count()
    day = first.astimezone(ZoneInfo(person.zone)).date()
    last = first
    while True:
        lived = day_of(person, day, rules, wishes, is_copy=is_copy)
        for due in () if lived is None else lived.due:
            if due.at >= first:
                heapq.heappush(waiting, (due.at, next(count), due.observation))
        day += timedelta(days=1)
        until = datetime.combine(day, time(), ZoneInfo(person.zone)).astimezone(UTC)
        for moment in _moments(person, lived, waiting, last, until, rhythm):
            taken: list[Observation] = []
            while waiting and waiting[0][0] <= moment:
                taken.append(heapq.heappop(waiting)[2])
            yield Contact(moment, tuple(taken))
            last = moment


def _moments(
    person: Person,
    lived: Day | None,
    waiting: list[tuple[datetime, int, Observation]],
    last: datetime,
    until: datetime,
    rhythm: Rhythm,
) -> Iterator[datetime]:
    """Yield the moments of contact up to the end of a day; `waiting` grows shorter meanwhile."""
    while True:
        wishes = [waiting[0][0] + rhythm.together] if waiting else []
        beat = _heartbeat(person, lived, last, rhythm)
        wishes += [beat] if beat is not None else []
        if not wishes or min(wishes) >= until:
            return
        last = max(min(wishes), last)
        if lived is not None and lived.cut_off is not None:
            begins, ends = lived.cut_off
            if begins <= last < ends:
                last = ends.astimezone(UTC)
        yield last


def _heartbeat(person: Person, lived: Day | None, last: datetime, rhythm: Rhythm) -> datetime | None:
    """Return when the device would speak although nothing happened."""
    if rhythm.heartbeat is None:
        return None
    beat = last + rhythm.heartbeat
    if person.stays_on:
        return beat
    if lived is None:
        return None
    beat = max(beat, lived.on.astimezone(UTC))
    return beat if beat < lived.off else None
