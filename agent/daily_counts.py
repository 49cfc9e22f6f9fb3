"""Of each day that is over, and each side of which no more may be told: how many messengers were in use. Never which, nor when.

What was in use is kept here from day to day, a row for each messenger, side and person. Once the day is over its rows become one report and
are gone, in one transaction, so that no new start of the agent tells of a day twice or loses one.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from agent.compliance import Sighting
from agent.journal import Journal
from agent.privacy import Door
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract.observations import DailyCount
from contract.policy import Profile

KEPT_DAYS = 90
"""A count that nobody could be told of for this long is dropped."""
_TOLD = "daily_count_told:"


class DailyCounts:
    """Owns the table of what was in use on the days that were not told of yet.

    Args:
        takes: tells whether the server takes such reports.
    """

    def __init__(
        self, store: Store, journal: Journal, outbox: Outbox, door: Door, takes: Callable[[], bool]
    ) -> None:
        self._store, self._journal, self._outbox = store, journal, outbox
        self._door, self._takes = door, takes
        self._noted: set[tuple[str, str, int, str]] = set()

    def note(self, in_use: Iterable[Sighting], now: datetime) -> None:
        """Take note of what is in use, where no more than its count may be told.

        Raises:
            StateError: nothing can be written now; it is noted the next time.
        """
        day = now.date().isoformat()
        counted = {
            (day, one.side.profile, one.uid, one.match.messenger)
            for one in in_use
            if self._door.detail(one.side.profile, one.uid) == "count"
        }
        if counted <= self._noted:
            return
        with self._store.transaction():
            for row in counted - self._noted:
                self._store.execute("INSERT OR IGNORE INTO in_use VALUES (?, ?, ?, ?)", *row)
        self._noted = {row for row in self._noted if row[0] == day} | counted

    def settle(self, now: datetime | None) -> None:
        """Tell of each day that is over.

        Args:
            now: the time, if it can be believed; without it no day is over.

        Raises:
            StateError: nothing can be written now; nothing is lost.
        """
        if now is None or self._door.is_shut:
            return
        with self._store.transaction():
            self._store.execute(
                "DELETE FROM in_use WHERE day < ?", (now.date() - timedelta(days=KEPT_DAYS)).isoformat()
            )
            if self._takes():
                for day, profile in self._over(now.date()):
                    self._tell(day, profile, now)

    def _over(self, today: date) -> list[tuple[str, Profile]]:
        found = self._store.execute(
            "SELECT DISTINCT day, profile FROM in_use WHERE day < ? ORDER BY day, profile", today.isoformat()
        )
        return [(day, profile) for day, profile in found.fetchall()]

    def _tell(self, day: str, profile: Profile, now: datetime) -> None:
        """Make a report of a day's rows, once, of as many of them as may be told still."""
        found = self._store.execute(
            "SELECT uid, messenger FROM in_use WHERE day = ? AND profile = ?", day, profile
        ).fetchall()
        self._store.execute("DELETE FROM in_use WHERE day = ? AND profile = ?", day, profile)
        rows = [(uid, name) for uid, name in found if self._door.detail(profile, uid) != "nothing"]
        if not rows or day <= (self._store.fact(f"{_TOLD}{profile}") or ""):
            return  # the clock was set back, and this day has been told of
        users = {uid for uid, _ in rows}
        full = DailyCount(
            day=date.fromisoformat(day), profile=profile, messengers=len({name for _, name in rows})
        )
        self._store.remember(f"{_TOLD}{profile}", day)
        self._journal.append("daily_count", full, now)
        cleared = self._door.clear_daily_count(full, users)
        if cleared is not None:
            self._outbox.add(cleared)
