"""Files that came in on a work channel while nothing retained it: what is there, what of it was handed over, and what was told.

One row for each messenger and day. A day is told when it is over, and again when more of it has been handed over: both follow from
what stands in the row, so it makes no difference why something could not be told yet.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import date, datetime
from typing import Literal

import msgspec

from agent.journal import Journal
from agent.privacy import Cleared, Door
from agent.reporting.outbox import Outbox
from agent.sensing.downloads import Download
from agent.store import Store
from contract import wire
from contract.catalogue import Catalogue
from contract.errors import MalformedError
from contract.observations import NAMES_AT_MOST, FileType, UnretainedObserved

FILES_AT_MOST = 2_000
"""In one row; a messenger that saves more in a day has more of them counted on the next."""
ROW_LIMIT_BYTES = 4 * 1024 * 1024


Fate = Literal["waiting", "gone", "handed_over", "retained"]
"""`gone`: removed before anybody handed it over; `retained`: the channel was captured when it came in, so it is none of these files and is
not counted."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One file, and what became of it."""

    path: str
    name: str
    size: int
    changed: int
    type: FileType
    fate: Fate


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What one messenger saved on one day."""

    id: str
    messenger: str
    day: date
    files: tuple[Kept, ...]
    told: UnretainedObserved | None = None
    """The last report of it, as it was cleared."""

    @property
    def waiting(self) -> tuple[Kept, ...]:
        """What can be handed over."""
        return tuple(one for one in self.files if one.fate == "waiting")

    @property
    def handed_over(self) -> int:
        """How many were."""
        return sum(one.fate == "handed_over" for one in self.files)

    @property
    def counted(self) -> tuple[Kept, ...]:
        """What nothing retained when it came in."""
        return tuple(one for one in self.files if one.fate != "retained")


class Unretained:
    """Owns the table of such files; never looks at a folder.

    Args:
        catalogue: gives what is known of messengers.
        is_captured: tells whether a messenger's messages are retained now.
        takes: tells whether the server takes such reports.
        uid: whose files they are.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        outbox: Outbox,
        door: Door,
        catalogue: Callable[[], Catalogue],
        is_captured: Callable[[str], bool],
        takes: Callable[[], bool],
        uid: int,
    ) -> None:
        self._store, self._journal, self._outbox, self._door = store, journal, outbox, door
        self._catalogue, self._is_captured, self._takes, self._uid = catalogue, is_captured, takes, uid
        self._days = {one.id: one for one in self._read()}

    def waiting(self) -> Mapping[str, tuple[Kept, ...]]:
        """Return what can be handed over, by messenger."""
        found: dict[str, tuple[Kept, ...]] = {}
        for day in self._days.values():
            if day.waiting:
                found[day.messenger] = (*found.get(day.messenger, ()), *day.waiting)
        return found

    def take(self, found: Iterable[Download], now: datetime, oldest: date) -> bool:
        """Take all files that are there; tell whether anything waits to be reported because of it.

        Args:
            found: every file in the download folders.
            now: the time.
            oldest: the first day that is kept; a day before it goes once none of its files lies there any more.

        Raises:
            StateError: nothing can be written now; what is taken again later is taken as if for the first time.
        """
        there = {(one.path, one.changed): one for one in found}
        known = {(one.path, one.changed) for day in self._days.values() for one in day.files}
        days = {
            day.id: _as_found(day, there.keys())
            for day in self._days.values()
            if day.day >= oldest or any((one.path, one.changed) in there for one in day.files)
        }
        catalogue = self._catalogue()
        for key, one in there.items():
            if key not in known and one.messenger in catalogue.messengers:
                is_captured = self._is_captured(catalogue.judged_as(one.messenger))
                _add(days, one, now.date(), "retained" if is_captured else "waiting")
        return self._settle(days, now)

    def hand_over(self, paths: Iterable[str], now: datetime) -> int:
        """Take note that files were handed over; return how many were waiting.

        Raises:
            StateError: nothing can be written now.
        """
        handed = frozenset(paths)
        days = {
            day.id: _with_fates(day, lambda one: "handed_over" if one.path in handed else one.fate)
            for day in self._days.values()
        }
        before = sum(len(day.waiting) for day in self._days.values())
        self._settle(days, now)
        return before - sum(len(day.waiting) for day in self._days.values())

    def settle(self, now: datetime) -> bool:
        """Report what is over and was not reported; tell whether there was any.

        Raises:
            StateError: nothing can be written now; nothing is lost.
        """
        return self._settle(self._days, now)

    def _settle(self, picture: Mapping[str, Day], now: datetime) -> bool:
        after = dict(picture)
        reports: list[Cleared] = []
        if self._takes():
            for day in picture.values():
                cleared = self._report(day, now)
                if cleared is not None and isinstance(cleared.observation, UnretainedObserved):
                    reports.append(cleared)
                    after[day.id] = msgspec.structs.replace(day, told=cleared.observation)
        if after == self._days:
            return False
        with self._store.transaction():
            for cleared in reports:
                self._outbox.add(cleared)
            for gone in self._days.keys() - after.keys():
                self._store.execute("DELETE FROM unretained WHERE id = ?", gone)
            for day in after.values():
                before = self._days.get(day.id)
                if day != before:
                    self._write_down(day, before, now)
        self._days = after
        return bool(reports)

    def _report(self, day: Day, now: datetime) -> Cleared | None:
        """Return what is to be told of a day now; None while it lasts, where nothing is new, or nothing may be told."""
        if day.day >= now.date() or not day.counted or _is_told(day):
            return None
        entry = self._catalogue().messengers.get(day.messenger)
        return self._door.clear_unretained(
            observed(day, self._catalogue().name_of(day.messenger), listed=entry is not None),
            None if entry is None else entry.kind,
            datetime.combine(day.day, datetime.min.time(), now.tzinfo),
            self._uid,
        )

    def _write_down(self, day: Day, before: Day | None, now: datetime) -> None:
        self._store.execute(
            "INSERT INTO unretained VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            day.id,
            wire.encode(day),
        )
        counts = {"files": len(day.counted), "waiting": len(day.waiting), "handed_over": day.handed_over}
        if before is None or before.files != day.files:
            self._journal.append("unretained", {"messenger": day.messenger, "day": day.day, **counts}, now)

    def _read(self) -> Iterable[Day]:
        """Give what was known when the agent last ran; a damaged row is forgotten."""
        for (body,) in self._store.execute("SELECT body FROM unretained ORDER BY id"):
            try:
                yield wire.decode(Day, bytes(body), limit_bytes=ROW_LIMIT_BYTES)
            except MalformedError:
                continue


def observed(day: Day, name: str, *, listed: bool) -> UnretainedObserved:
    """Return a day as it is reported, with everything that is known."""
    types = Counter(one.type for one in day.counted)
    return UnretainedObserved(
        unretained=day.id,
        detail="exact",
        profile="work",
        messenger=day.messenger,
        name=name,
        listed=listed,
        day=day.day,
        files=len(day.counted),
        total_bytes=sum(one.size for one in day.counted),
        types=dict(sorted(types.items())),
        handed_over=day.handed_over,
        file_names=tuple(one.name for one in day.counted[:NAMES_AT_MOST]),
    )


def _is_told(day: Day) -> bool:
    counts = (len(day.counted), day.handed_over)
    return day.told is not None and (day.told.files, day.told.handed_over) == counts


def _add(days: dict[str, Day], one: Download, today: date, fate: Fate) -> None:
    day = next((day for day in days.values() if (day.messenger, day.day) == (one.messenger, today)), None)
    if day is None:
        day = Day(id=secrets.token_hex(16), messenger=one.messenger, day=today, files=())
    if len(day.files) < FILES_AT_MOST:
        name = one.path.replace("\\", "/").rpartition("/")[2]
        kept = Kept(path=one.path, name=name, size=one.size, changed=one.changed, type=one.type, fate=fate)
        days[day.id] = msgspec.structs.replace(day, files=(*day.files, kept))


def _as_found(day: Day, there: Container[tuple[str, int]]) -> Day:
    """Return a day with what has gone, and what came back."""
    return _with_fates(day, lambda one: "waiting" if (one.path, one.changed) in there else "gone")


def _with_fates(day: Day, fate: Callable[[Kept], Fate]) -> Day:
    """Return a day with another fate for what is neither handed over nor retained."""
    files = tuple(
        msgspec.structs.replace(one, fate=fate(one)) if one.fate in {"waiting", "gone"} else one
        for one in day.files
    )
    return day if files == day.files else msgspec.structs.replace(day, files=files)
