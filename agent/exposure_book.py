"""Keeps what the meter counted, and lets the days that are over leave, once; in the transaction in which sightings are written.

It rides on what happens anyway: a sighting's transition, and the minute's judging while something is open. So a crash costs a minute at most,
and of what still runs afterwards nothing. The journal has the transitions that all of it follows from, and is told nothing more.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from agent.clock import Clock
from agent.compliance import Sighting, Transition
from agent.exposure import Day, Going, Meter, Reading, Session
from agent.privacy import Cleared, Door
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract import wire
from contract.catalogue import Catalogue
from contract.ceiling import DETAILS
from contract.errors import MalformedError
from contract.local import LINE_LIMIT_BYTES
from contract.observations import SECONDS_AT_MOST, TIMES_AT_MOST, ExposureObserved

GOING_FACT = "exposure"


class News(msgspec.Struct, frozen=True):
    """What is to be written: all that was counted, as it stands then, and the reports of what is over."""

    days: Mapping[str, Day]
    going: Going
    reports: tuple[Cleared, ...]


class ExposureBook:
    """Owns the table of what was counted.

    Args:
        clock: the device's.
        time: the time, if any clock can be believed.
        catalogue: gives what is known of listed messengers.
        is_captured: tells whether a messenger's messages are known to be retained now.
        takes: tells whether the server takes such reports.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        door: Door,
        clock: Clock,
        time: Callable[[], datetime | None],
        catalogue: Callable[[], Catalogue],
        is_captured: Callable[[str], bool],
        takes: Callable[[], bool],
    ) -> None:
        self._store, self._outbox, self._door = store, outbox, door
        self._clock, self._time, self._catalogue, self._takes = clock, time, catalogue, takes
        self._kept: Mapping[str, Day] = {one.id: one for one in self._read()}
        self._kept_going = self._read_going()
        self._meter = Meter(
            self._kept_going,
            self._kept.values(),
            lambda: secrets.token_hex(16),
            is_captured,
            lambda uid: door.detail("work", uid, "exposure"),
        )

    def go_on(self, resumed: Iterable[Sighting]) -> None:
        """Go on with what is open after a restart; what has a process of its own is known to have run meanwhile."""
        at_work = [one for one in resumed if _is_at_work(one)]
        ran = [_session(one) for one in at_work if one.processes]
        self._meter.go_on(ran, [_session(one) for one in at_work], self._reading())

    def take(self, transitions: Iterable[Transition]) -> None:
        """Count up to now, and what begins and ends now; nothing is written."""
        now = self._reading()
        self._meter.count(now)
        for one in transitions:
            if one.kind == "started" and _is_at_work(one.sighting):
                self._meter.begin(_session(one.sighting), now)
            elif one.kind == "ended":
                self._meter.end(one.sighting.id, now)
        if now.is_believed:
            self._meter.tidy(now.at.date())

    def news(self) -> News | None:
        """Return what is to be written now; None where nothing is new."""
        reports = self._reports()
        days = {
            number: msgspec.structs.replace(one, told=told) if (told := _told(reports, number)) else one
            for number, one in self._meter.days().items()
        }
        going = self._meter.going
        if days == self._kept and going == self._kept_going:
            return None
        return News(days, going, tuple(reports.values()))

    def write(self, news: News) -> None:
        """Write what is new, and let what is over wait in the outbox; in the caller's transaction."""
        for cleared in news.reports:
            self._outbox.add(cleared)
        for number in self._kept:
            if number not in news.days:
                self._store.execute("DELETE FROM exposure WHERE id = ?", number)
        for number, one in news.days.items():
            if one != self._kept.get(number):
                self._store.execute(
                    "INSERT INTO exposure VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                    number,
                    wire.encode(one),
                )
        if news.going != self._kept_going:
            self._store.remember(GOING_FACT, wire.encode(news.going).decode())

    def written(self, news: News) -> None:
        """Take note that the transaction holds."""
        self._kept, self._kept_going = news.days, news.going
        self._meter.tell({one.id: one.told for one in news.days.values() if one.told is not None})

    def _reports(self) -> dict[str, Cleared]:
        """Return what is to be told of days that are over, by the day's number; nothing while the day is not known."""
        now = self._reading()
        finished = self._meter.finished(now.at.date()) if now.is_believed else []
        if not finished or not self._takes():
            return {}
        return {one.id: cleared for one in finished if (cleared := self._report(one)) is not None}

    def _report(self, one: Day) -> Cleared | None:
        entry = self._catalogue().messengers.get(one.messenger)
        kind = None if entry is None else entry.kind
        cleared = self._door.clear_exposure(_observed(one), kind, one.detail, self._clock.now(), one.uid)
        if cleared is None or one.told is None:
            return cleared
        new = cleared.observation
        is_less = isinstance(new, ExposureObserved) and DETAILS.index(new.detail) < DETAILS.index(
            one.told.detail
        )
        return None if is_less or new == one.told else cleared

    def _reading(self) -> Reading:
        wall, believed = self._clock.now(), self._time()
        return Reading(
            awake_seconds=self._clock.awake(),
            boot_id=self._clock.boot_id(),
            at=wall if believed is None else believed.astimezone(wall.tzinfo),
            is_believed=believed is not None,
        )

    def _read(self) -> Iterable[Day]:
        """Give what was counted when the agent last ran; a damaged row is forgotten."""
        for (body,) in self._store.execute("SELECT body FROM exposure ORDER BY id"):
            try:
                yield wire.decode(Day, bytes(body), limit_bytes=LINE_LIMIT_BYTES)
            except MalformedError:
                continue

    def _read_going(self) -> Going:
        try:
            return wire.decode(
                Going, (self._store.fact(GOING_FACT) or "{}").encode(), limit_bytes=LINE_LIMIT_BYTES
            )
        except MalformedError:
            return Going()


def _is_at_work(sighting: Sighting) -> bool:
    return sighting.side.profile == "work"


def _session(sighting: Sighting) -> Session:
    return Session(
        sighting=sighting.id,
        uid=sighting.uid,
        messenger=sighting.match.messenger,
        name=sighting.match.name,
        listed=sighting.match.listed,
    )


def _told(reports: Mapping[str, Cleared], number: str) -> ExposureObserved | None:
    observed = reports[number].observation if number in reports else None
    return observed if isinstance(observed, ExposureObserved) else None


def _observed(one: Day) -> ExposureObserved:
    return ExposureObserved(
        exposure=one.id,
        detail="exact",
        messenger=one.messenger,
        name=one.name,
        listed=one.listed,
        day=one.day,
        sessions=min(one.sessions, TIMES_AT_MOST),
        uncaptured_sessions=min(one.uncaptured_sessions, TIMES_AT_MOST),
        seconds=min(round(one.seconds), SECONDS_AT_MOST),
        uncaptured_seconds=min(round(one.uncaptured_seconds), SECONDS_AT_MOST),
    )
