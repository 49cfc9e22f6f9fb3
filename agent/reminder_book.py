"""The reminders that were made, and what became of each."""

from datetime import datetime, timedelta

from agent.reminders import Outcome, Past
from agent.store import Store
from contract import wire
from contract.local import LINE_LIMIT_BYTES, Reminder
from contract.policy import Profile

KEPT = timedelta(days=30)
_COLUMNS = "uid, channel, profile, body, made, outcome, answered"


class ReminderBook:
    """Owns the rows; never decides when to remind."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, reminder: Reminder, uid: int, channel: str, profile: Profile) -> None:
        """Write a new reminder, in the caller's transaction, and forget those that are long over."""
        self._store.execute("DELETE FROM reminder WHERE made < ?", (reminder.at - KEPT).isoformat())
        self._store.execute(
            "INSERT INTO reminder (id, sighting, uid, channel, body, profile, made) VALUES (?, ?, ?, ?, ?, ?, ?)",
            reminder.reminder,
            reminder.sighting,
            uid,
            channel,
            wire.encode(reminder),
            profile,
            reminder.at.isoformat(),
        )

    def past(self, uid: int) -> list[Past]:
        """Return a user's reminders."""
        rows = self._store.execute(f"SELECT {_COLUMNS} FROM reminder WHERE uid = ?", uid)  # noqa: S608 - constant
        return [_past(row) for row in rows]

    def unshown(self) -> list[Past]:
        """Return the reminders that nobody has been shown."""
        rows = self._store.execute(f"SELECT {_COLUMNS} FROM reminder WHERE outcome IS NULL ORDER BY made")  # noqa: S608 - constant
        return [_past(row) for row in rows]

    def find(self, reminder: str) -> Past | None:
        """Return one reminder."""
        row = self._store.execute(
            f"SELECT {_COLUMNS} FROM reminder WHERE id = ?",  # noqa: S608 - constant
            reminder,
        ).fetchone()
        return None if row is None else _past(row)

    def answer(self, reminder: str, outcome: Outcome, now: datetime) -> None:
        """Record what became of a reminder, in the caller's transaction."""
        self._store.execute(
            "UPDATE reminder SET outcome = ?, answered = ? WHERE id = ?", outcome, now.isoformat(), reminder
        )


def _past(row: tuple[int, str, Profile, bytes, str, Outcome | None, str | None]) -> Past:
    uid, channel, profile, body, made, outcome, answered = row
    return Past(
        reminder=wire.decode(Reminder, bytes(body), limit_bytes=LINE_LIMIT_BYTES),
        uid=uid,
        channel=channel,
        profile=profile,
        made=datetime.fromisoformat(made),
        outcome=outcome,
        answered=None if answered is None else datetime.fromisoformat(answered),
    )
