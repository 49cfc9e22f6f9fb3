"""The look: one palette and one style sheet, made from the tokens. Nothing else in `ui` names a colour or a font size."""

from string import Template
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from ui.icons import icon_pixmap, state_pixmap
from ui.present.picture import Shape
from ui.tokens import Colours, Theme, Tokens

ThemeChoice = Literal["light", "dark", "system"]
_ROLES = QPalette.ColorRole

_SHEET = Template("""
* { font-size: ${body}pt; }
QWidget[role="page"], QScrollArea, QScrollArea > QWidget > QWidget { background: $surface; }
QWidget[role="header"], QFrame[role="card"], QTextBrowser, QTreeWidget { background: $raised; }
QFrame[role="card"] { border: 1px solid $line; border-radius: 8px; }
QFrame[role="line"] { background: $line; border: none; }
QScrollArea { border: none; }
QLabel { background: transparent; color: $ink; }
QLabel[role="title"] { font-size: ${title}pt; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="heading"] { font-weight: 600; color: $muted; font-size: ${small}pt; }
QLabel[role="muted"] { color: $muted; font-size: ${small}pt; }
QLabel[shape="compliant"] { color: $compliant; }
QLabel[shape="attention"] { color: $attention; }
QLabel[shape="violation"] { color: $violation; }
QLabel[shape="unknown"] { color: $unknown; }
QLabel[shape="exempt"] { color: $exempt; }
QPushButton { background: $raised; color: $ink; border: 1px solid $line; border-radius: 6px; padding: 6px 14px; }
QPushButton:hover { border-color: $accent; }
QPushButton:focus { border: 2px solid $accent; padding: 5px 13px; }
QPushButton:disabled { color: $muted; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600; }
QPushButton[role="primary"]:hover { border-color: $ink; }
QPushButton[role="primary"]:focus { border: 2px solid $ink; padding: 5px 13px; }
QPushButton[role="link"] { background: transparent; color: $accent; border: none; border-radius: 0; padding: 4px 0; text-align: left; }
QPushButton[role="link"]:hover { color: $ink; }
QPushButton[role="link"]:focus { border-bottom: 2px solid $accent; padding: 4px 0 2px 0; }
QToolButton { background: transparent; border: 2px solid transparent; border-radius: 4px; padding: 2px; }
QToolButton:hover { background: $surface; }
QToolButton:focus { border-color: $accent; }
QTextBrowser, QTreeWidget { color: $ink; border: none; selection-background-color: $accent; selection-color: $on_accent; }
QTreeWidget::item { padding: 4px 0; }
QHeaderView { background: $raised; }
QHeaderView::section { background: $raised; color: $muted; font-weight: 600; font-size: ${small}pt; border: none; border-bottom: 1px solid $line; padding: 4px 8px 4px 0; }
QLabel[role="literal"] { color: $muted; }
QTabWidget::pane { border: none; border-top: 1px solid $line; }
QTabBar::tab { background: transparent; color: $muted; padding: 8px 16px; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: $ink; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $accent; }
QToolTip { background: $raised; color: $ink; border: 1px solid $line; padding: 4px; }
QMenu { background: $raised; color: $ink; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $muted; background: transparent; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle:vertical { background: $line; border-radius: 4px; min-height: 24px; margin: 1px; }
QScrollBar::handle:vertical:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")


class Look(QObject):
    """Owns which theme holds, and puts it on the application.

    Args:
        application: what is dressed.
        tokens: colours and sizes.
        choice: a theme, or the system's own, followed when it changes.
    """

    changed = Signal()

    def __init__(self, application: QApplication, tokens: Tokens, choice: ThemeChoice) -> None:
        super().__init__(application)
        self._application, self._choice = application, choice
        self.tokens = tokens
        self.points = application.font().pointSizeF()
        application.setStyle("Fusion")
        application.styleHints().colorSchemeChanged.connect(self._dress)
        self._dress()

    @property
    def theme(self) -> Theme:
        """The theme that holds now."""
        if self._choice != "system":
            return self._choice
        dark = self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return "dark" if dark else "light"

    @property
    def colours(self) -> Colours:
        """The colours of the theme that holds now."""
        return self.tokens.dark if self.theme == "dark" else self.tokens.light

    def state_pixmap(self, shape: Shape, pixels: int, ratio: float) -> QPixmap:
        """Return a state's shape in its colour."""
        colour: str = getattr(self.colours, shape)
        return state_pixmap(shape, colour, pixels, ratio)

    def icon_pixmap(self, name: str, pixels: int, ratio: float) -> QPixmap:
        """Return an icon in the colour of muted text."""
        return icon_pixmap(name, self.colours.muted, pixels, ratio)

    def _dress(self) -> None:
        size = self.tokens.size
        self._application.setPalette(_palette(self.colours))
        self._application.setStyleSheet(
            _SHEET.substitute(
                {name: getattr(self.colours, name) for name in Colours.__struct_fields__},
                title=_points(self.points * size.title),
                body=_points(self.points * size.body),
                small=_points(self.points * size.small),
            )
        )
        self.changed.emit()


def _points(size: float) -> str:
    return f"{size:.1f}"


def _palette(colours: Colours) -> QPalette:
    palette = QPalette()
    for role, colour in (
        (_ROLES.Window, colours.surface),
        (_ROLES.WindowText, colours.ink),
        (_ROLES.Base, colours.raised),
        (_ROLES.AlternateBase, colours.surface),
        (_ROLES.Text, colours.ink),
        (_ROLES.Button, colours.raised),
        (_ROLES.ButtonText, colours.ink),
        (_ROLES.BrightText, colours.ink),
        (_ROLES.PlaceholderText, colours.muted),
        (_ROLES.ToolTipBase, colours.raised),
        (_ROLES.ToolTipText, colours.ink),
        (_ROLES.Highlight, colours.accent),
        (_ROLES.HighlightedText, colours.on_accent),
        (_ROLES.Link, colours.accent),
        (_ROLES.LinkVisited, colours.accent),
        (_ROLES.Mid, colours.line),
    ):
        palette.setColor(role, QColor(colour))
    for role in (_ROLES.WindowText, _ROLES.Text, _ROLES.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(colours.muted))
    return palette
