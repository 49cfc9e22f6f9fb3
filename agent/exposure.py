"""For how long messengers are open at work, and for how much of that nothing is known to retain their messages. Pure.

Durations come from the clock that stands still while the machine sleeps, never from the wall clock, so that setting that neither makes
time nor loses any; it only says to which day time belongs. What was counted is dated from its end backwards:

    >>> just_past_midnight = datetime.fromisoformat("2026-03-03T00:00:30+01:00")
    >>> [(str(day), seconds) for day, seconds in by_day(just_past_midnight, 50.0)]
    [('2026-03-03', 30.0), ('2026-03-02', 20.0)]
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta

import msgspec

from contract.ceiling import DETAILS, Detail
from contract.observations import ExposureObserved

KEPT_TOLD = timedelta(days=3)
"""For how long a day is kept that was told: a clock that is set back may add to it."""
KEPT = timedelta(days=35)
"""For how long one is kept that could not be told."""
_DAY = timedelta(days=1)
_Key = tuple[date, int, str]


class Reading(msgspec.Struct, frozen=True):
    """What the clocks show."""

    awake_seconds: float
    boot_id: str
    at: datetime
    is_believed: bool
    """Whether that is the time as far as anybody knows."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A sighting on the work side that is open, and what holds of it from the last reading on."""

    sighting: str
    uid: int
    messenger: str
    name: str
    listed: bool
    is_captured: bool = False
    detail: Detail = "nothing"
    """How much may be told of it; what nothing may be told of is not counted."""
    days: tuple[date, ...] = ()
    """On which it was counted."""
    uncaptured_days: tuple[date, ...] = ()
    """On which of them as not captured."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted of one messenger, one user and one day."""

    id: str
    day: date
    uid: int
    messenger: str
    name: str
    listed: bool
    detail: Detail
    """The least that was allowed while it was counted."""
    sessions: int = 0
    uncaptured_sessions: int = 0
    seconds: float = 0.0
    uncaptured_seconds: float = 0.0
    told: ExposureObserved | None = None
    """The last report of it, as it was cleared."""

    @property
    def key(self) -> _Key:
        """What there is one of."""
        return self.day, self.uid, self.messenger


class Going(msgspec.Struct, frozen=True):
    """What is counted at this moment."""

    sessions: tuple[Session, ...] = ()
    reading: Reading | None = None
    """The last; None while nothing is open."""
    last_day: date | None = None
    """The last that could be believed."""


class Meter:
    """Owns the count; never asks a clock, never writes.

    Args:
        going: what was being counted when the agent last ran.
        days: what was counted so far.
        new_id: gives the random number of a new day.
        is_captured: tells whether a messenger's messages are known to be retained now.
        detail: tells how much of the work side of a user may leave now.
    """

    def __init__(
        self,
        going: Going,
        days: Iterable[Day],
        new_id: Callable[[], str],
        is_captured: Callable[[str], bool],
        detail: Callable[[int], Detail],
    ) -> None:
        self.going = going
        self._days = {one.key: one for one in days}
        self._new_id, self._is_captured, self._detail = new_id, is_captured, detail

    def days(self) -> Mapping[str, Day]:
        """Return what was counted, by its number."""
        return {one.id: one for one in self._days.values()}

    def go_on(self, ran: Iterable[Session], open_now: Iterable[Session], now: Reading) -> None:
        """Go on after a restart.

        Args:
            ran: what is known to have run since the last reading; its time counts. After a new boot nothing has.
            open_now: all that is open, `ran` included; of the others nothing is known since that reading.
            now: what the clocks show.
        """
        before = {one.sighting: one for one in self.going.sessions}
        known = {one.sighting: before[one.sighting] for one in ran if one.sighting in before}
        self.going = msgspec.structs.replace(self.going, sessions=tuple(known.values()))
        self.count(now)
        for one in open_now:
            if one.sighting not in known:
                self.begin(before.get(one.sighting, one), now)

    def count(self, now: Reading) -> None:
        """Count what has gone by since the last reading, each session as it stood then."""
        before = self.going.reading
        seconds = 0.0
        if before is not None and before.boot_id == now.boot_id:
            seconds = max(0.0, now.awake_seconds - before.awake_seconds)
        last_day = now.at.date() if now.is_believed else self.going.last_day
        self.going = msgspec.structs.replace(self.going, last_day=last_day)
        parts = self._dated(now, seconds)
        self._put(tuple(self._stand(self._add(one, parts)) for one in self.going.sessions), now)

    def begin(self, session: Session, now: Reading) -> None:
        """Count a session from now on; `count` comes before it."""
        session = self._stand(session)
        fresh = self._add(session, [(self._today(now), 0.0)])
        self._put((*self.going.sessions, fresh), now)

    def end(self, sighting: str, now: Reading) -> None:
        """Count a session no more; `count` comes before it."""
        self._put(tuple(one for one in self.going.sessions if one.sighting != sighting), now)

    def finished(self, today: date) -> list[Day]:
        """Return what was counted of days that are over."""
        return [one for one in self._days.values() if one.day < today]

    def tell(self, told: Mapping[str, ExposureObserved]) -> None:
        """Take note of what was told, by the day's number."""
        for one in list(self._days.values()):
            if one.id in told:
                self._days[one.key] = msgspec.structs.replace(one, told=told[one.id])

    def tidy(self, today: date) -> None:
        """Forget what is old; what a clock that was wrong dated into days to come belongs to today."""
        for one in list(self._days.values()):
            if one.told is None and one.day > today + _DAY:
                del self._days[one.key]
                self._merge(one, today)
            elif one.day < today - (KEPT if one.told is None else KEPT_TOLD) or one.day > today + KEPT:
                del self._days[one.key]

    def _put(self, sessions: tuple[Session, ...], now: Reading) -> None:
        self.going = msgspec.structs.replace(self.going, sessions=sessions, reading=now if sessions else None)

    def _stand(self, session: Session) -> Session:
        return msgspec.structs.replace(
            session,
            is_captured=self._is_captured(session.messenger),
            detail=self._detail(session.uid),
        )

    def _today(self, now: Reading) -> date:
        return now.at.date() if now.is_believed or self.going.last_day is None else self.going.last_day

    def _dated(self, now: Reading, seconds: float) -> list[tuple[date, float]]:
        if not seconds:
            return []
        return list(by_day(now.at, seconds)) if now.is_believed else [(self._today(now), seconds)]

    def _add(self, session: Session, parts: Iterable[tuple[date, float]]) -> Session:
        """Add to the days what of a session may be told, and note on which it was counted."""
        detail = min(session.detail, self._detail(session.uid), key=DETAILS.index)
        if detail == "nothing":
            return session
        days, uncaptured_days = session.days, session.uncaptured_days
        for day, seconds in parts:
            row = self._day(session, day, detail)
            is_new, is_open = day not in days, not session.is_captured
            is_newly_open = is_open and day not in uncaptured_days
            self._days[row.key] = msgspec.structs.replace(
                row,
                sessions=row.sessions + is_new,
                uncaptured_sessions=row.uncaptured_sessions + is_newly_open,
                seconds=row.seconds + seconds,
                uncaptured_seconds=row.uncaptured_seconds + (seconds if is_open else 0.0),
            )
            days = (*days, day) if is_new else days
            uncaptured_days = (*uncaptured_days, day) if is_newly_open else uncaptured_days
        kept = {one.day for one in self._days.values()}
        return msgspec.structs.replace(
            session,
            days=tuple(day for day in days if day in kept),
            uncaptured_days=tuple(day for day in uncaptured_days if day in kept),
        )

    def _day(self, session: Session, day: date, detail: Detail) -> Day:
        row = self._days.get((day, session.uid, session.messenger))
        if row is None:
            return Day(
                id=self._new_id(),
                day=day,
                uid=session.uid,
                messenger=session.messenger,
                name=session.name,
                listed=session.listed,
                detail=detail,
            )
        return msgspec.structs.replace(row, detail=min(row.detail, detail, key=DETAILS.index))

    def _merge(self, one: Day, today: date) -> None:
        there = self._days.get((today, one.uid, one.messenger))
        if there is None:
            there = msgspec.structs.replace(one, day=today)
        else:
            there = msgspec.structs.replace(
                there,
                detail=min(there.detail, one.detail, key=DETAILS.index),
                sessions=there.sessions + one.sessions,
                uncaptured_sessions=there.uncaptured_sessions + one.uncaptured_sessions,
                seconds=there.seconds + one.seconds,
                uncaptured_seconds=there.uncaptured_seconds + one.uncaptured_seconds,
            )
        self._days[there.key] = there


def by_day(at: datetime, seconds: float) -> Iterator[tuple[date, float]]:
    """Split what ended at a time over the days that it fell on, as days are where that time was told; the last first."""
    day = at.date()
    room = (at - datetime.combine(day, time(), at.tzinfo)).total_seconds()
    while seconds > 0:
        part = min(seconds, room)
        if part > 0:
            yield day, part
        seconds -= part
        day, room = day - _DAY, _DAY.total_seconds()
