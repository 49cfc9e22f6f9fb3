"""The reminder window: what to do, why, one action, one way to defer. It never takes the keyboard from anybody."""

import msgspec
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui import widgets
from ui.look import Look
from ui.present.reminder import ReminderView
from ui.texts import reminder as texts
from ui.texts import say

WIDTH = 400
_FROM_EDGE = 2 * widgets.GRID
_FLAGS = (
    Qt.WindowType.Tool
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.CustomizeWindowHint
    | Qt.WindowType.WindowTitleHint
    | Qt.WindowType.WindowCloseButtonHint
)


class ReminderWindow(QWidget):
    """Owns the widgets; shows one `ReminderView` at a time and says what became of it."""

    seen = Signal()
    """The reminder that is shown is on the screen now."""
    agreed = Signal()
    deferred = Signal()
    put_aside = Signal()
    """The window was closed without an answer."""
    policy_wanted = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__(None, _FLAGS)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle(say(texts.WINDOW))
        widgets.styled(self, "header")
        self.setFixedWidth(WIDTH)
        self._is_exposed = self._is_open = False
        self._shown: ReminderView | None = None
        self._whole = widgets.row(2, (2, 2, 2, 2))
        self.setLayout(self._whole)
        icon = widgets.StateIcon(look, 24)
        icon.show_shape("attention", say(texts.WINDOW))
        self._whole.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        lines = self._make_texts()
        self._whole.addLayout(lines, 1)
        lines.addSpacing(widgets.GRID)
        lines.addLayout(self._make_buttons())
        lines.addSpacing(widgets.GRID)
        lines.addWidget(widgets.line())
        lines.addLayout(self._make_why())
        widgets.on_key(self, "Esc", self.close)

    def show_view(self, view: ReminderView) -> None:
        """Show a reminder, in the corner, without taking the keyboard; what stands there already stays as it is."""
        before, self._shown = self._shown, view
        if view != before or not self.isVisible():
            is_known = self.isVisible() and before is not None and _but_more(before) == _but_more(view)
            self._fill(view)
            self._expand(is_open=is_known and self._is_open)
        if self.isVisible():
            if self._is_exposed:
                self.seen.emit()
            return
        self.show()
        handle = self.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)

    def _fill(self, view: ReminderView) -> None:
        self._title.setText(view.title)
        self._sentence.setText(view.sentence)
        self._conduct.setText(view.conduct)
        self._primary.setText(view.primary)
        self._primary.setAccessibleName(widgets.spoken_label(view.primary))
        self._because.setText(view.why)
        self._more.setText(view.more)
        self._more.setVisible(bool(view.more))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        """Notice the moment from which the window can really be seen."""
        if event.type() == QEvent.Type.Expose and watched is self.windowHandle():
            exposed = self.windowHandle().isExposed()
            if exposed and not self._is_exposed:
                self._is_exposed = True
                self._place()
                self.seen.emit()
            self._is_exposed = exposed
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  # Qt's name
        """Closing is no answer."""
        super().closeEvent(event)
        self._is_exposed = False
        QTimer.singleShot(0, self, self.put_aside.emit)  # the next one may be shown only when this is closed

    def hide_quietly(self) -> None:
        """Go away because there is nothing more to say."""
        self._is_exposed = False
        self.hide()

    def _make_texts(self) -> QVBoxLayout:
        self._title = widgets.text_label("", "title")
        self._sentence = widgets.text_label("")
        self._conduct = widgets.text_label("", "muted")
        lines = widgets.column(1)
        for label in (self._title, self._sentence, self._conduct):
            lines.addWidget(label)
        return lines

    def _make_buttons(self) -> QHBoxLayout:
        buttons = widgets.row(1)
        self._primary = widgets.button(say(texts.UNDERSTOOD), "primary", self.agreed.emit)
        self._later = widgets.button(say(texts.DEFER), "plain", self.deferred.emit)
        buttons.addWidget(self._primary)
        buttons.addWidget(self._later)
        buttons.addStretch(1)
        return buttons

    def _make_why(self) -> QVBoxLayout:
        part = widgets.column(1)
        foot = widgets.row(1)
        self._why = widgets.button(say(texts.WHY), "link", lambda: self._expand(is_open=True))
        self._more = widgets.text_label("", "muted")
        self._more.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        foot.addWidget(self._why)
        foot.addWidget(self._more, 1)
        self._because = widgets.text_label("", "muted")
        self._policy = widgets.button(say(texts.READ_POLICY), "link", self.policy_wanted.emit)
        part.addLayout(foot)
        part.addWidget(self._because)
        below = widgets.row(1)
        below.addWidget(self._policy)
        below.addStretch(1)
        part.addLayout(below)
        return part

    def _expand(self, *, is_open: bool) -> None:
        self._is_open = is_open
        had_focus = self._why.hasFocus()
        self._why.setVisible(not is_open)
        self._because.setVisible(is_open)
        self._policy.setVisible(is_open)
        if is_open and had_focus:
            self._policy.setFocus()
        self._place()

    def _place(self) -> None:
        """Sit in the lower right corner of the main screen, as high as the texts need."""
        room = QGuiApplication.primaryScreen().availableGeometry()
        frame = self.frameGeometry().size() - self.geometry().size()
        highest = room.height() - frame.height() - 2 * _FROM_EDGE
        height = min(self._whole.totalHeightForWidth(WIDTH), highest)
        self.setFixedHeight(height)
        self.move(
            room.right() - WIDTH - frame.width() - _FROM_EDGE,
            room.bottom() - height - frame.height() - _FROM_EDGE,
        )


def _but_more(view: ReminderView) -> ReminderView:
    """Return a reminder without what is said of those behind it."""
    return msgspec.structs.replace(view, more="")
