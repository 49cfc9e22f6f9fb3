"""The status window: whether all is in line, what to do, what runs (docs/images/window-in-line.png)."""

from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QShowEvent
from PySide6.QtWidgets import QFrame, QPushButton, QToolButton, QWidget

from ui import widgets
from ui.look import Look
from ui.present.picture import Action
from ui.present.rows import RowView
from ui.present.status import NoteView, StatusView
from ui.present.todo import TodoView
from ui.status_parts import MessengerLine, TodoCard
from ui.texts import say, status

SIZE = QSize(420, 560)
_HEADER_ICON, _NOTE_ICON = 32, 16


class StatusWindow(QWidget):
    """Owns the widgets; shows a `StatusView` and says what was clicked."""

    acted = Signal(object)
    """An `Action`."""
    check_in_wanted = Signal()
    sees_wanted = Signal()
    policy_wanted = Signal()
    help_wanted = Signal()
    appeared = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self._look = look
        self._shown: StatusView | None = None
        self._todo_buttons: list[QPushButton] = []
        self.setWindowTitle(say(status.TITLE))
        widgets.styled(self, "page")
        self.resize(SIZE)
        self.setMinimumSize(320, 320)
        whole = widgets.column(0)
        self.setLayout(whole)
        whole.addWidget(self._make_header())
        whole.addWidget(widgets.line())
        whole.addWidget(widgets.scrolling(self._make_body()), 1)
        whole.addWidget(widgets.line())
        whole.addWidget(self._make_footer())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        widgets.on_key(self, "Esc", self.close)
        widgets.on_key(self, "F5", self._check_in)
        look.changed.connect(self._paint_refresh)

    def show_view(self, view: StatusView) -> None:
        """Show another view; only the parts that differ are built anew."""
        before, self._shown = self._shown, view
        self._icon.show_shape(view.shape, view.sentence)
        self._sentence.setText(view.sentence)
        self._muted.setText(view.muted)
        self._muted.setVisible(bool(view.muted))
        if before is None or before.notes != view.notes:
            self._show_notes(view.notes)
        self._refresh.setEnabled(view.can_check_in)
        if before is None or before.todos != view.todos:
            self._show_todos(view.todos)
            self._order_keyboard()
        if before is None or (before.rows, before.empty) != (view.rows, view.empty):
            self._show_rows(view.rows, view.empty)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's name
        """Ask for what is true now: texts may have grown old while the window was closed."""
        super().showEvent(event)
        self.setFocus()  # nothing is chosen before the keyboard is used
        self.appeared.emit()

    def _order_keyboard(self) -> None:
        """Let Tab go from top to bottom, though the buttons in the middle are younger than those below."""
        chain: list[QWidget] = [self._refresh, *self._todo_buttons, *self._links]
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)

    def _check_in(self) -> None:
        if self._refresh.isEnabled():
            self.check_in_wanted.emit()

    def _make_header(self) -> QWidget:
        header = QWidget()
        widgets.styled(header, "header")
        inside = widgets.row(2, (2, 2, 2, 2))
        header.setLayout(inside)
        self._icon = widgets.StateIcon(self._look, _HEADER_ICON)
        self._sentence = widgets.text_label("", "title")
        self._muted = widgets.text_label("", "muted")
        self._notes = widgets.column(0)
        self._refresh = QToolButton()
        self._refresh.setIconSize(QSize(16, 16))
        self._refresh.setToolTip(say(status.REFRESH))
        self._refresh.setAccessibleName(say(status.REFRESH))
        self._refresh.clicked.connect(self._check_in)
        self._paint_refresh()
        texts = widgets.column(0)
        texts.setSpacing(4)
        texts.addWidget(self._sentence)
        texts.addWidget(self._muted)
        texts.addLayout(self._notes)
        inside.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        inside.addLayout(texts, 1)
        inside.addWidget(self._refresh, 0, Qt.AlignmentFlag.AlignTop)
        return header

    def _paint_refresh(self) -> None:
        pixmap = self._look.icon_pixmap("refresh-cw", 16, self.devicePixelRatioF())
        self._refresh.setIcon(QIcon(pixmap))

    def _make_body(self) -> QWidget:
        body = QWidget()
        inside = widgets.column(3, (2, 2, 2, 2))
        body.setLayout(inside)
        self._todo_part, self._row_part = widgets.column(1), widgets.column(1)
        inside.addLayout(self._todo_part)
        inside.addLayout(self._row_part)
        inside.addStretch(1)
        return body

    def _make_footer(self) -> QWidget:
        footer = QWidget()
        widgets.styled(footer, "header")
        inside = widgets.row(3, (2, 1, 2, 1))
        footer.setLayout(inside)
        links = (
            (status.SEES_LINK, self.sees_wanted.emit),
            (status.POLICY_LINK, self.policy_wanted.emit),
            (status.HELP_LINK, self.help_wanted.emit),
        )
        self._links = [widgets.button(say(label), "link", clicked) for label, clicked in links]
        for link in self._links:
            inside.addWidget(link)
        inside.addStretch(1)
        return footer

    def _show_notes(self, notes: tuple[NoteView, ...]) -> None:
        widgets.empty(self._notes)
        for note in notes:
            line = widgets.row(1)
            line.addWidget(widgets.Picture(self._look, note.icon, _NOTE_ICON), 0, Qt.AlignmentFlag.AlignTop)
            line.addWidget(widgets.text_label(note.text, "muted"), 1)
            self._notes.addLayout(line)

    def _show_todos(self, todos: tuple[TodoView, ...]) -> None:
        focused = self._focused_action()
        widgets.empty(self._todo_part)
        self._todo_buttons.clear()
        if todos:
            self._todo_part.addWidget(widgets.text_label(say(status.TODO), "heading"))
        first = next((todo for todo in todos if todo.primary is not None), None)
        for todo in todos:
            card = TodoCard(todo, self._look, self.acted.emit, is_first=todo is first)
            self._todo_part.addWidget(card)
            self._todo_buttons.extend(card.buttons)
            if focused is not None:
                card.focus_on(focused)

    def _focused_action(self) -> Action | None:
        focused = self.focusWidget()
        action = focused.property("action") if isinstance(focused, QPushButton) else None
        return action if isinstance(action, Action) else None

    def _show_rows(self, rows: tuple[RowView, ...], empty: str | None) -> None:
        widgets.empty(self._row_part)
        if rows or empty:
            self._row_part.addWidget(widgets.text_label(say(status.MESSENGERS), "heading"))
        if empty:
            self._row_part.addWidget(widgets.text_label(empty, "muted"))
        if rows:
            card = QFrame()
            widgets.styled(card, "card")
            inside = widgets.column(0, (2, 1, 2, 1))
            card.setLayout(inside)
            for number, view in enumerate(rows):
                if number:
                    inside.addWidget(widgets.line())
                inside.addWidget(MessengerLine(view, self._look))
            self._row_part.addWidget(card)
