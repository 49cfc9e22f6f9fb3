"""The few building blocks of every window. They assign and emit; what they say is decided in `ui.present`."""

from collections.abc import Callable
from typing import Literal, TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QPixmap, QShortcut
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ui.look import Look
from ui.present.picture import Shape

TextRole = Literal["title", "body", "strong", "heading", "muted"]
ButtonRole = Literal["primary", "plain", "link"]
Box = TypeVar("Box", bound=QBoxLayout)
GRID = 8
"""Everything is placed on a grid of this many pixels."""


def text_label(text: str, role: TextRole = "body") -> QLabel:
    """Return a text that wraps, shown as it is: nothing in it is taken for markup."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setProperty("role", role)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label


class OneLine(QLabel):
    """A text on one line that ends in an ellipsis where there is no room; the whole is in the tooltip then."""

    def __init__(self, text: str, role: TextRole = "body") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """Take any width."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        """Paint as much as there is room for."""
        painter = QPainter(self)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)


class _Drawn(QLabel):
    """A picture of a fixed size that can become another.

    WORKAROUND: in Qt 6.10 to 6.12 a label never frees a picture that it was given, neither for another one nor at its own end (measured
    2026-11: 4.6 KB for 32 x 32 pixels, each time). This one paints its own.
    """

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self._drawn = QPixmap()
        self.setFixedSize(pixels, pixels)

    def draw(self, picture: QPixmap) -> None:
        """Become another picture."""
        self._drawn = picture
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        """Paint it."""
        QPainter(self).drawPixmap(0, 0, self._drawn)


class StateIcon(_Drawn):
    """A state's shape, spoken by its word."""

    def __init__(self, look: Look, pixels: int) -> None:
        super().__init__(pixels)
        self._look, self._pixels = look, pixels
        self._shape: Shape = "unknown"
        look.changed.connect(self._paint)

    def show_shape(self, shape: Shape, spoken: str) -> None:
        """Show another state."""
        self._shape = shape
        self.setAccessibleName(spoken)
        self._paint()

    def _paint(self) -> None:
        self.draw(self._look.state_pixmap(self._shape, self._pixels, self.devicePixelRatioF()))


class Picture(_Drawn):
    """An icon of the set beside a text that says the same, so nothing of it is spoken."""

    def __init__(self, look: Look, name: str, pixels: int) -> None:
        super().__init__(pixels)
        self._look, self._name, self._pixels = look, name, pixels
        look.changed.connect(self._paint)
        self._paint()

    def _paint(self) -> None:
        self.draw(self._look.icon_pixmap(self._name, self._pixels, self.devicePixelRatioF()))


def button(label: str, role: ButtonRole, clicked: Callable[[], object]) -> QPushButton:
    """Return a button; its label may hold a mnemonic."""
    made = QPushButton(label)
    made.setProperty("role", role)
    made.setAccessibleName(spoken_label(label))
    made.setAutoDefault(False)
    if role == "link":
        made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.clicked.connect(lambda _checked: clicked())
    return made


def spoken_label(label: str) -> str:
    """Return a label without its mnemonic.

    >>> spoken_label("&Continue in AT&&T")
    'Continue in AT&T'
    """
    return label.replace("&&", "\0").replace("&", "").replace("\0", "&")


def line() -> QFrame:
    """Return a hairline."""
    made = QFrame()
    made.setProperty("role", "line")
    made.setFixedHeight(1)
    return made


def column(spacing: int = 1, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QVBoxLayout:
    """Return a vertical layout; spacing and margins in grid units (left, top, right, bottom)."""
    return _spaced(QVBoxLayout(), spacing, margins)


def row(spacing: int = 1, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QHBoxLayout:
    """Return a horizontal layout (see `column`)."""
    return _spaced(QHBoxLayout(), spacing, margins)


def scrolling(content: QWidget) -> QScrollArea:
    """Return an area that scrolls its content up and down only."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area


def on_key(window: QWidget, key: str, act: Callable[[], object]) -> None:
    """Bind a key, as in F5 or Esc, for a whole window."""
    QShortcut(QKeySequence(key), window).activated.connect(act)


def empty(layout: QLayout) -> None:
    """Take everything out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        inner, widget = item.layout(), item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            empty(inner)


def styled(widget: QWidget, role: str) -> None:
    """Let the style sheet paint a plain widget's ground."""
    widget.setProperty("role", role)
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


def _spaced(box: Box, spacing: int, margins: tuple[int, int, int, int]) -> Box:
    box.setSpacing(spacing * GRID)
    left, top, right, bottom = (side * GRID for side in margins)
    box.setContentsMargins(left, top, right, bottom)
    return box
