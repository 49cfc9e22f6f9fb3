"""The reminders that this person has still to answer: one is shown at a time, however many come."""

from contract.local import Reminder, Snapshot
from ui.present.reminder import still_open

REMEMBERED = 200
"""How many reminders are known again when the agent repeats them."""


class ReminderQueue:
    """Owns the order; the oldest is shown first."""

    def __init__(self) -> None:
        self._open: tuple[Reminder, ...] = ()
        self._put_aside: set[str] = set()
        self._known: dict[str, None] = {}

    @property
    def open(self) -> tuple[Reminder, ...]:
        """What was not answered yet."""
        return self._open

    @property
    def waiting(self) -> tuple[Reminder, ...]:
        """What is to be shown, the one whose turn it is first."""
        return tuple(one for one in self._open if one.reminder not in self._put_aside)

    def add(self, reminder: Reminder) -> bool:
        """Take a reminder; tell whether it is new."""
        if reminder.reminder in self._known:
            return False
        self._known[reminder.reminder] = None
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        self._open = (*self._open, reminder)
        return True

    def put_aside(self, reminder: str) -> None:
        """The window was closed without an answer: it stays unanswered, but is not shown again."""
        self._put_aside.add(reminder)

    def answered(self, reminder: str) -> None:
        """Take note of an answer."""
        self._open = tuple(one for one in self._open if one.reminder != reminder)
        self._put_aside.discard(reminder)

    def prune(self, snapshot: Snapshot) -> None:
        """Let go of reminders whose messenger was closed meanwhile: what they asked for has been done."""
        self._open = still_open(self._open, snapshot)
        self._put_aside &= {one.reminder for one in self._open}
