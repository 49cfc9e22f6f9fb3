"""A busy day of the whole tray in this process: its real composition, a fake agent on a real socket, and somebody at the screen.

Every minute the agent tells another picture; messengers come, go and run into another verdict; people are reminded and answer, or close
the window, or do nothing; windows are opened, read, scrolled and closed; the theme changes; the agent starts anew or hangs up; the
program is started a second time.
"""

import gc
import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QPushButton,
    QTabWidget,
    QTreeWidget,
    QWidget,
)

from contract.local import LedgerRow, MessengerRow, Reminder, Snapshot
from tests.fakes.local_agent import LocalAgent
from tests.ui import examples
from ui.options import Options
from ui.program import Program
from ui.single_instance import SingleInstance

PATIENCE_SECONDS = 20.0
"""How long the fake agent's threads may take; a bound, never a pause."""
MINUTES = 60
LINES_OPENED = 4
NAMES = ("Slack", "Microsoft Teams", "Zoom", "Signal", "WhatsApp", "Element")
FATES = ("agreed", "deferred", "closed", "messenger closed")
"""What becomes of a reminder."""


class Held(msgspec.Struct, frozen=True):
    """What is held at one moment, all windows closed."""

    objects: int
    """Of Python."""
    qt_objects: int
    """Of the program itself: timers, sockets, conversations."""
    widgets: int
    top_level: int
    traced_bytes: int


class BusyScreen:
    """A tray that is kept busy, hour by hour.

    Args:
        application: Qt's.
        folder: for the sockets.
        every_minutes: how often the agent tells another picture.
    """

    def __init__(self, application: QApplication, folder: Path, every_minutes: int = 1) -> None:
        self._application, self._every_minutes = application, every_minutes
        self.agent = LocalAgent(folder / "agent.sock", examples.in_line())
        self.agent.answers |= {"policy": examples.policy(), "disclosure": examples.disclosure()}
        self.agent.ledger = tuple(_ledger())
        self._instance = SingleInstance(folder, (str(self.agent.path),), application)
        chosen = Options(socket=str(self.agent.path), theme="light", show=None)
        environ = {"XDG_DATA_HOME": str(folder), "XDG_DATA_DIRS": str(folder)}
        self.program = Program(application, chosen, environ, self._instance)
        self._numbers = itertools.count(1)
        self._hours = 0
        self.snapshots = self.answers = self.openings = self.connections = 0
        """What came to pass."""

    def __enter__(self) -> Self:
        self.agent.start()
        self._instance.claim()
        self.program.start()
        # There is no panel here. Told by its own clock, ten seconds later, the line for it would come in the middle of somebody's counting.
        self.program._on_no_panel()
        self._connected()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.program.stop()
        self._instance.release()
        self.agent.stop()
        self.program.deleteLater()
        self._let_go()

    def live(self, hours: int) -> None:
        """Live some hours."""
        for _ in range(hours):
            self._hours += 1
            self._hour()

    def held(self) -> Held:
        """Show the same as ever, close everything, and count what is left."""
        self._tell(examples.in_line())
        self.program._windows.show_status()
        self._settle()
        for window in self._application.topLevelWidgets():
            window.close()
        self.agent.asked.clear()
        self.agent._threads[:] = [thread for thread in self.agent._threads if thread.is_alive()]
        self._let_go()
        widgets, top_level = len(self._application.allWidgets()), len(self._application.topLevelWidgets())
        qt_objects = len(self.program.findChildren(QObject))
        gc.collect()
        return Held(
            objects=len(gc.get_objects()),
            qt_objects=qt_objects,
            widgets=widgets,
            top_level=top_level,
            traced_bytes=tracemalloc.get_traced_memory()[0],
        )

    def _hour(self) -> None:
        for minute in range(MINUTES):
            if minute % self._every_minutes == 0:
                self._tell(self._picture(minute))
            if minute % 15 == 7:
                self._remind(FATES[(self._hours + minute // 15) % len(FATES)])
            if minute % 20 == 10:
                self._read(minute)
            if minute == 33:
                self._change_theme()
            if minute == 45:
                self._start_agent_anew()
            if minute == 50:
                self.agent.drop()
                self._connected()
            if minute == 55:
                self._start_again()

    def _picture(self, minute: int) -> Snapshot:
        step = self._hours * MINUTES + minute
        rows: list[MessengerRow] = [examples.messenger(name) for name in NAMES[: 2 + step % 4]]
        if step % 3:
            rows.append(examples.not_in_line(since=examples.NOW - timedelta(minutes=step % 50)))
        if step % 7 == 0:
            rows.append(examples.not_in_line("Discord", verdict="attention"))
        return examples.snapshot(
            *rows, waiting=step % 5, last_contact=examples.NOW - timedelta(seconds=step % 300)
        )

    def _tell(self, snapshot: Snapshot) -> None:
        self.agent.tell(snapshot)
        self.snapshots += 1
        self._until(lambda: self.program._known.snapshot == snapshot)

    def _remind(self, fate: str) -> None:
        self._tell(examples.with_violation())
        reminder: Reminder = examples.reminder(next(self._numbers))
        self.agent.tell(reminder)
        self._until(lambda: reminder in self.program._known.reminders)
        window = self.program._windows._reminder
        assert window is not None
        self._until(window.isVisible)
        if fate == "closed":
            window.close()
        elif fate == "messenger closed":
            self._tell(examples.in_line())
        else:
            (window._primary if fate == "agreed" else window._later).click()
        self._until(lambda: reminder not in self.program._known.reminders)
        if fate in {"agreed", "deferred"}:
            self._until(lambda: not self.program._known._receipts.unconfirmed)
            self.answers += 1

    def _read(self, minute: int) -> None:
        windows = self.program._windows
        open_one: tuple[Callable[[], None], ...] = (
            windows.show_status,
            windows.show_policy,
            windows.show_sees,
            windows.show_help,
        )
        for show in open_one:
            show()
            self._settle()
            self.openings += 1
        if minute == 10:
            windows.show_notice()
        self._until(self._is_answered)
        for window in self._windows():
            self._use(window)
            if window.isVisible():
                QTest.keyClick(window, Qt.Key.Key_Escape)
        self._settle()

    def _use(self, window: QWidget) -> None:
        """Look at everything in a window: every tab, every line opened, scrolled to its end."""
        for tabs in window.findChildren(QTabWidget):
            tabs.setCurrentIndex(1)
        for tree in window.findChildren(QTreeWidget):
            self._until(partial(_has_lines, tree))
            for number in range(min(tree.topLevelItemCount(), LINES_OPENED)):
                item = tree.topLevelItem(number)
                assert item is not None
                item.setExpanded(True)
                self._settle()
                item.setExpanded(False)
        for area in window.findChildren(QAbstractScrollArea):
            bar = area.verticalScrollBar()
            bar.setValue(bar.maximum())
        for made in window.findChildren(QPushButton):
            made.setFocus()
        self._settle()

    def _change_theme(self) -> None:
        look = self.program._look
        self.program._windows.show_status()
        look._choice = "dark" if look.theme == "light" else "light"
        look._dress()
        self._settle()
        for window in self._windows():
            window.close()

    def _start_agent_anew(self) -> None:
        self.agent.stop()
        self._until(
            lambda: self.program._link.state.kind != "connected" or self.program._link._conversation is None
        )
        self.agent.start()
        self._connected()

    def _start_again(self) -> None:
        """A second start knocks, asks for the status window and goes."""
        knock = QLocalSocket()
        knock.connectToServer(self._instance._address)
        self._until(lambda: knock.state() == QLocalSocket.LocalSocketState.ConnectedState)
        knock.write(b"status\n")
        knock.flush()
        self._until(lambda: any(window.isVisible() for window in self._windows()))
        self._until(lambda: knock.state() == QLocalSocket.LocalSocketState.UnconnectedState)
        for window in self._windows():
            window.close()

    def _connected(self) -> None:
        """Wait for nothing: a person asks."""
        link = self.program._link

        def is_subscribed() -> bool:
            link.retry()
            deadline = time.monotonic() + 0.5
            while time.monotonic() < deadline:
                self._settle()
                if link.state.kind == "connected" and self.agent.subscribers == 1 and link._is_greeted:
                    return True
            return False

        self._until(is_subscribed)
        self.connections += 1

    def _is_answered(self) -> bool:
        """Tell whether all that windows asked has come: a list that comes later would take the lines away that are being read."""
        conversation = self.program._link._conversation
        return conversation is not None and not conversation._questions

    def _windows(self) -> Iterable[QWidget]:
        return [window for window in self._application.topLevelWidgets() if window.isVisible()]

    def _settle(self) -> None:
        self._application.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def _let_go(self) -> None:
        for _ in range(3):
            self._settle()
            gc.collect()

    def _until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError("the tray did not come so far")
            self._settle()


def _has_lines(tree: QTreeWidget) -> bool:
    return tree.topLevelItemCount() > 0


def _ledger() -> Iterable[LedgerRow]:
    for number in range(150, 0, -1):
        yield LedgerRow(
            number=number,
            type="sighting",
            sentence=f"Telegram was opened ({number}).",
            literal=f'{{"type":"sighting","messenger":"telegram","number":{number}}}',
            first_attempt=examples.NOW - timedelta(minutes=number),
            attempts=1,
            acknowledged=examples.NOW,
        )
