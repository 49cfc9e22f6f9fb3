"""The windows, each built when it is first wanted: a tray that is never clicked pays for none of them."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from ui.agent_link.link import AgentLink
from ui.commands import Commands
from ui.known import Known
from ui.link_state import LinkState
from ui.look import Look
from ui.present.picture import Action
from ui.present.reminder import reminder_view
from ui.present.status import StatusView
from ui.starter import Starter
from ui.texts import say, status

if TYPE_CHECKING:
    from ui.help_window import HelpWindow
    from ui.notice_window import NoticeWindow
    from ui.policy_window import PolicyWindow
    from ui.reminder_window import ReminderWindow
    from ui.sees_window import SeesWindow
    from ui.status_window import StatusWindow

REFRESH_MILLISECONDS = 60_000
"""How often an open window's texts are made anew: times in words grow old at midnight."""
DEFAULT_RULE_WORDS = "Every other messenger"
"""How the policy's document begins the rule for every messenger that is not named (`contract.document`)."""


class Windows(QObject):
    """Owns the windows and what their buttons do.

    Args:
        look: the theme.
        known: what there is to show.
        link: asked for what only one window needs.
        starter: starts messengers.
        commands: do what only the command line can.
        now: the clock.
        parent: the owner.
    """

    restart_wanted = Signal()

    def __init__(
        self,
        look: Look,
        known: Known,
        link: AgentLink,
        starter: Starter,
        commands: Commands,
        now: Callable[[], datetime],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._look, self._known, self._link = look, known, link
        self._starter, self._commands = starter, commands
        commands.failed.connect(self._on_not_done)
        self._view: StatusView | None = None
        self._status: StatusWindow | None = None
        self._reminder: ReminderWindow | None = None
        self._policy: PolicyWindow | None = None
        self._sees: SeesWindow | None = None
        self._notice: NoticeWindow | None = None
        self._help: HelpWindow | None = None
        self._box: QMessageBox | None = None
        link.state_changed.connect(self._on_link)
        self._tick = QTimer(self)
        self._tick.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._tick.setInterval(REFRESH_MILLISECONDS)
        self._tick.timeout.connect(self._on_tick)

    def show_page(self, page: str) -> None:
        """Show a window by its name; an unknown name shows the status window."""
        if page == "reminder" and self._known.reminders:
            self.show_reminders()
        else:
            {"policy": self.show_policy, "sees": self.show_sees}.get(page, self.show_status)()

    def show_view(self, view: StatusView) -> None:
        """Take what the status window shows from now on."""
        self._view = view
        if self._status is not None and self._status.isVisible():
            self._status.show_view(view)

    def show_status(self) -> None:
        """Open the status window."""
        if self._status is None:
            from ui.status_window import StatusWindow  # noqa: PLC0415  # see the module's first line

            self._status = StatusWindow(self._look)
            self._status.acted.connect(self._act)
            self._status.appeared.connect(self._on_appeared)
            self._status.check_in_wanted.connect(self._known.check_in)
            self._status.sees_wanted.connect(self.show_sees)
            self._status.policy_wanted.connect(self.show_policy)
            self._status.help_wanted.connect(self.show_help)
        if self._view is not None:
            self._status.show_view(self._view)
        _bring_up(self._status)

    def show_reminders(self) -> None:
        """Show the reminder whose turn it is, or none."""
        waiting = self._known.reminders
        if not waiting:
            if self._reminder is not None:
                self._reminder.hide_quietly()
            return
        if self._reminder is None:
            from ui.reminder_window import ReminderWindow  # noqa: PLC0415  # see the module's first line

            self._reminder = ReminderWindow(self._look)
            self._reminder.seen.connect(self._known.seen)
            self._reminder.agreed.connect(self._agree)
            self._reminder.deferred.connect(lambda: self._known.defer(self._known.reminders[0]))
            self._reminder.put_aside.connect(self._known.put_aside)
            self._reminder.policy_wanted.connect(self._show_rule_of_reminder)
        can_start = self._known.picture().can_start
        self._reminder.show_view(reminder_view(waiting[0], len(waiting) - 1, can_start))

    def show_policy(self, *needles: str) -> None:
        """Open the policy, at the paragraph that holds the first of the texts which is found."""
        if self._policy is None:
            from ui.policy_window import PolicyWindow  # noqa: PLC0415  # see the module's first line

            self._policy = PolicyWindow(self._look, self._link, self._now)
        self._policy.look_for(needles)
        self._policy.load()
        _bring_up(self._policy)

    def show_sees(self) -> None:
        """Open the page `What Decorum sees`."""
        if self._sees is None:
            from ui.sees_window import SeesWindow  # noqa: PLC0415  # see the module's first line

            self._sees = SeesWindow(self._look, self._link, self._company, self._now)
        self._sees.load()
        _bring_up(self._sees)

    def show_notice(self) -> None:
        """Open the first notice."""
        if self._notice is None:
            from ui.notice_window import NoticeWindow  # noqa: PLC0415  # see the module's first line

            self._notice = NoticeWindow(self._look, self._link, self._company)
        self._notice.load()
        _bring_up(self._notice)

    def show_help(self) -> None:
        """Open the help."""
        if self._help is None:
            from ui.help_window import HelpWindow  # noqa: PLC0415  # see the module's first line

            self._help = HelpWindow(self._look)
        self._help.show_help(self._known.picture())
        _bring_up(self._help)

    def _act(self, action: Action) -> None:
        match action.kind:
            case "continue_in":
                self._start(action.about)
            case "read_notice":
                self.show_notice()
            case "read_rule":
                self._show_rule_of_sighting(action.about)
            case "hand_over":
                self._commands.hand_over(action.about)
            case "retry":
                self._link.retry()
            case "check_in":
                self._known.check_in()
            case "defer":
                self._known.defer_sighting(action.about)
            case "restart":
                self.restart_wanted.emit()

    def _on_link(self, state: LinkState) -> None:
        """Ask again for what open windows could not get, or may have got from another agent."""
        if state.kind == "connected":
            for window in (self._policy, self._sees, self._notice):
                if window is not None and window.isVisible():
                    window.load()

    def _company(self) -> str | None:
        return None if self._known.snapshot is None else self._known.snapshot.company

    def open_for_work(self, messenger: str) -> None:
        """Open a messenger's work profile."""
        for choice in self._known.for_work:
            if choice.messenger == messenger:
                self._commands.open_for_work(choice)

    def _on_not_done(self, what: str, why: str) -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, say(status.TITLE), what)
        box.setInformativeText(why)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setModal(False)
        self._box = box
        box.show()

    def _start(self, name: str) -> bool:
        """Start what the policy offers instead: for work, since that is what it is offered for."""
        choice = next((one for one in self._known.for_work if one.name == name), None)
        if choice is not None:
            self._commands.open_for_work(choice)
            return True
        if self._starter.start(name):
            return True
        self._starter.forget()
        self._known.changed.emit()
        return False

    def _agree(self) -> None:
        reminder = self._known.reminders[0]
        start = reminder_view(reminder, 0, self._known.picture().can_start).start
        if start is None or self._start(start):
            self._known.acknowledge(reminder)
        else:
            self.show_reminders()

    def _show_rule_of_reminder(self) -> None:
        reminder = self._known.reminders[0]
        self.show_policy(*filter(None, (reminder.rule_text, reminder.conduct)))

    def _show_rule_of_sighting(self, sighting: str) -> None:
        rows = () if self._known.snapshot is None else self._known.snapshot.messengers
        found = next((row for row in rows if row.sighting == sighting), None)
        needles = () if found is None else (found.rule_text, found.name, DEFAULT_RULE_WORDS)
        self.show_policy(*filter(None, needles))

    def _on_appeared(self) -> None:
        self._starter.forget()
        self._tick.start()
        self._known.changed.emit()

    def _on_tick(self) -> None:
        if self._status is not None and self._status.isVisible():
            self._known.changed.emit()
        else:
            self._tick.stop()


def _bring_up(window: QWidget) -> None:
    window.show()
    if window.isMinimized():
        window.showNormal()
    window.raise_()
    window.activateWindow()
