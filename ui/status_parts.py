"""The parts of the status window: a thing to do, a messenger's line."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from ui import widgets
from ui.look import Look
from ui.present.picture import Action
from ui.present.rows import RowView
from ui.present.todo import TodoView

_TODO_ICON, _ROW_ICON = 18, 18


class TodoCard(QFrame):
    """One thing to do, with its buttons."""

    def __init__(
        self, todo: TodoView, look: Look, act: Callable[[Action], object], *, is_first: bool
    ) -> None:
        super().__init__()
        widgets.styled(self, "card")
        self.setAccessibleName(todo.title)
        inside = widgets.row(1, (2, 2, 2, 2))
        self.setLayout(inside)
        icon = widgets.StateIcon(look, _TODO_ICON)
        icon.show_shape(todo.shape, todo.title)
        inside.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        texts = widgets.column(0)
        texts.setSpacing(4)
        inside.addLayout(texts, 1)
        texts.addWidget(widgets.text_label(todo.title, "strong"))
        texts.addWidget(widgets.text_label(todo.detail, "muted"))
        self.buttons: list[QPushButton] = []
        """From left to right."""
        buttons = self._make_buttons(todo, act, is_first=is_first)
        if self.buttons:
            texts.addSpacing(4)
            texts.addLayout(buttons)

    def focus_on(self, action: Action) -> None:
        """Give the keyboard back to the button that had it."""
        for made in self.buttons:
            if made.property("action") == action:
                made.setFocus()

    def _make_buttons(
        self, todo: TodoView, act: Callable[[Action], object], *, is_first: bool
    ) -> QHBoxLayout:
        buttons = widgets.row(1)
        for action in (todo.primary, todo.secondary):
            if action is None:
                continue
            if action is todo.secondary:
                role: widgets.ButtonRole = "link"
            else:
                role = "primary" if is_first else "plain"
            made = widgets.button(action.label, role, partial(act, action))
            made.setProperty("action", action)
            self.buttons.append(made)
            buttons.addWidget(made)
        buttons.addStretch(1)
        return buttons


class MessengerLine(QWidget):
    """One messenger that runs."""

    def __init__(self, view: RowView, look: Look) -> None:
        super().__init__()
        self.setToolTip(view.tooltip)
        self.setAccessibleName(view.spoken)
        inside = widgets.row(1, (0, 1, 0, 1))
        self.setLayout(inside)
        icon = widgets.StateIcon(look, _ROW_ICON)
        icon.show_shape(view.shape, view.word)
        inside.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        texts: QVBoxLayout = widgets.column(0)
        texts.setSpacing(2)
        inside.addLayout(texts, 1)
        above = widgets.row(1)
        above.addWidget(widgets.OneLine(view.name, "strong"), 1)
        word = widgets.text_label(view.word)
        word.setWordWrap(False)
        word.setProperty("shape", view.shape)
        above.addWidget(word)
        texts.addLayout(above)
        texts.addWidget(widgets.OneLine(view.below, "muted"))
