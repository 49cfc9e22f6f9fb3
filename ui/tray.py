"""The icon in the panel. A panel may come late, or never: it is looked for now and then, and the rest works without."""

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from contract.local import WorkChoice
from ui.icons import tray_icon
from ui.present.picture import Shape, plain
from ui.present.tray import TrayView
from ui.texts import say, status
from ui.tokens import TrayColours

LOOK_AGAIN_MILLISECONDS = 2_000
GIVEN_UP_MILLISECONDS = 10_000
"""After this long without a panel the user is told in another way; it goes on being looked for."""


class Tray(QObject):
    """Owns the icon and its menu.

    Args:
        colours: seen on light and on dark panels.
        parent: the owner.
    """

    open_wanted = Signal()
    sees_wanted = Signal()
    policy_wanted = Signal()
    help_wanted = Signal()
    check_in_wanted = Signal()
    work_wanted = Signal(str)
    """A messenger's id."""
    no_panel = Signal()
    """There is still no panel after ten seconds."""

    def __init__(self, colours: TrayColours, parent: QObject) -> None:
        super().__init__(parent)
        self._colours = colours
        self._icons: dict[tuple[Shape, bool], QIcon] = {}
        self._menu = QMenu()
        self._state = self._add("")
        self._state.setEnabled(False)
        self._menu.addSeparator()
        self._add(status.MENU_OPEN, self.open_wanted)
        self._for_work = self._menu.addMenu(say(status.MENU_FOR_WORK))
        self._add(status.SEES_LINK, self.sees_wanted)
        self._add(status.POLICY_LINK, self.policy_wanted)
        self._check_in = self._add(status.CHECK_IN, self.check_in_wanted)
        self._add(status.HELP_LINK, self.help_wanted)
        self._icon: QSystemTrayIcon | None = None
        self._view: TrayView | None = None
        self._search = QTimer(self)
        self._search.setInterval(LOOK_AGAIN_MILLISECONDS)
        self._search.timeout.connect(self._look_for_panel)

    def start(self) -> None:
        """Look for a panel."""
        self._search.start()
        QTimer.singleShot(GIVEN_UP_MILLISECONDS, self, self._give_up)
        self._look_for_panel()

    def stop(self) -> None:
        """Take the icon away."""
        self._search.stop()
        if self._icon is not None:
            self._icon.hide()

    def show_view(self, view: TrayView) -> None:
        """Show another state."""
        self._state.setText(plain(view.sentence))
        self._check_in.setEnabled(view.can_check_in)
        if self._view is None or view.for_work != self._view.for_work:
            self._fill_for_work(view.for_work)
        self._view = view
        self._dress_icon()

    def _fill_for_work(self, choices: tuple[WorkChoice, ...]) -> None:
        self._for_work.clear()
        self._for_work.menuAction().setVisible(bool(choices))
        for choice in choices:
            action = self._for_work.addAction(plain(choice.name))
            action.setData(choice.messenger)
            action.triggered.connect(self._on_work)

    def _on_work(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.work_wanted.emit(str(action.data()))

    def _dress_icon(self) -> None:
        icon, view = self._icon, self._view
        if icon is None or view is None:
            return
        key = (view.shape, view.has_badge)
        if key not in self._icons:
            self._icons[key] = tray_icon(view.shape, self._colours, has_badge=view.has_badge)
        icon.setIcon(self._icons[key])
        icon.setToolTip(view.tooltip)

    def _add(self, label: str, wanted: SignalInstance | None = None) -> QAction:
        action = self._menu.addAction(say(label) if label else "")
        if wanted is not None:
            action.triggered.connect(wanted)
        return action

    def _look_for_panel(self) -> None:
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        self._search.stop()
        # Qt decides between D-Bus and X11 when it makes the icon, so it is made only once there is a panel to ask.
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        self._dress_icon()
        self._icon.show()

    def _give_up(self) -> None:
        if self._search.isActive():
            self.no_panel.emit()

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.open_wanted.emit()
