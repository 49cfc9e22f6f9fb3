"""What the tray knows now: the agent's last words, the reminders, and what is under way. Tells whoever shows it of each change."""

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QObject, QTimer, Signal

from contract.local import Nothing, Reminder, Snapshot, WorkChoice
from ui.agent_link.link import AgentLink
from ui.link_state import LinkState
from ui.present.picture import Picture
from ui.receipts import Receipts
from ui.reminder_queue import ReminderQueue
from ui.starter import Starter

CHECK_IN_MILLISECONDS = 10_000
"""A check-in that brought no news by then is not waited for any longer."""


class Known(QObject):
    """Owns the current picture.

    Args:
        link: the way to the agent.
        starter: says what can be started from here.
        now: the clock.
        parent: the owner.
    """

    changed = Signal()
    reminded = Signal()
    """The reminders are others than before."""
    notice_due = Signal()
    """The employee has still to be shown what is collected; said once in a run."""

    def __init__(
        self, link: AgentLink, starter: Starter, now: Callable[[], datetime], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._link, self._starter, self._now = link, starter, now
        self._snapshot: Snapshot | None = None
        self._is_checking_in = False
        self._has_said_notice = False
        self._opened_without_tray = False
        self._queue = ReminderQueue()
        self._receipts = Receipts(link, self)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._end_check_in)
        link.snapshot_came.connect(self._on_snapshot)
        link.reminder_came.connect(self._on_reminder)
        link.state_changed.connect(self._on_link)

    @property
    def snapshot(self) -> Snapshot | None:
        """The agent's last word, as long as it is there."""
        return self._snapshot

    @property
    def reminders(self) -> tuple[Reminder, ...]:
        """What is to be shown, the one whose turn it is first; nothing before the employee knows what is collected."""
        return () if self._owes_notice() else self._queue.waiting

    def picture(self) -> Picture:
        """Return all there is to show now."""
        return Picture(
            link=self._link.state,
            snapshot=self._snapshot,
            now=self._now(),
            reminders=self._queue.open,
            can_start=frozenset(filter(self._can_start, self._offered())),
            is_checking_in=self._is_checking_in,
            opened_without_tray=self._opened_without_tray,
        )

    @property
    def for_work(self) -> tuple[WorkChoice, ...]:
        """What can be opened for work, as far as the agent has said."""
        return () if self._snapshot is None else self._snapshot.for_work

    def check_in(self) -> None:
        """Ask the agent to check in."""
        self._is_checking_in = True
        self._patience.start(CHECK_IN_MILLISECONDS)
        self._link.ask("check_in", Nothing(), lambda _: None, lambda _: self._end_check_in())
        self.changed.emit()

    def opened_without_tray(self) -> None:
        """Take note that the window opened because there is no panel."""
        self._opened_without_tray = True
        self.changed.emit()

    def seen(self) -> None:
        """The reminder whose turn it is stands on the screen."""
        if self.reminders:
            self._receipts.tell(self.reminders[0].reminder, "shown")

    def acknowledge(self, reminder: Reminder) -> None:
        """Answer a reminder: understood."""
        self._receipts.tell(reminder.reminder, "acknowledged")
        self._answered(reminder)

    def defer(self, reminder: Reminder) -> None:
        """Answer a reminder: later."""
        self._receipts.tell(reminder.reminder, "deferred")
        self._answered(reminder)

    def defer_sighting(self, sighting: str) -> None:
        """Answer every reminder about a sighting: later."""
        for reminder in self._queue.open:
            if reminder.sighting == sighting:
                self.defer(reminder)

    def put_aside(self) -> None:
        """The window was closed without an answer."""
        if self.reminders:
            self._queue.put_aside(self.reminders[0].reminder)
            self.reminded.emit()

    def _can_start(self, name: str) -> bool:
        return any(one.name == name for one in self.for_work) or self._starter.can_start(name)

    def _owes_notice(self) -> bool:
        return self._snapshot is not None and self._snapshot.notice_due and self._snapshot.enrolled

    def _answered(self, reminder: Reminder) -> None:
        self._queue.answered(reminder.reminder)
        self.reminded.emit()
        self.changed.emit()

    def _offered(self) -> set[str]:
        rows = () if self._snapshot is None else self._snapshot.messengers
        offers = [row.instead_names for row in rows] + [one.instead_names for one in self._queue.open]
        return {name for offer in offers for name in offer}

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        before = self.reminders
        self._snapshot = snapshot
        self._queue.prune(snapshot)
        if snapshot.server != "connecting":
            self._is_checking_in = False
        if self.reminders != before:
            self.reminded.emit()
        self.changed.emit()
        if self._owes_notice() and not self._has_said_notice:
            self._has_said_notice = True
            self.notice_due.emit()

    def _on_reminder(self, reminder: Reminder) -> None:
        self._starter.forget()
        if self._queue.add(reminder):
            self.reminded.emit()
            self.changed.emit()

    def _on_link(self, state: LinkState) -> None:
        if state.kind != "connected":
            self._snapshot = None
            self._is_checking_in = False
        self.changed.emit()

    def _end_check_in(self) -> None:
        self._is_checking_in = False
        self.changed.emit()
