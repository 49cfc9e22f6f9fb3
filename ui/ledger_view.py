"""The list of what was sent: a line each, which opens to the very text that left."""

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHeaderView, QLabel, QTreeWidget, QTreeWidgetItem, QWidget

from contract.local import LedgerPage, LedgerQuery
from ui import widgets
from ui.agent_link.conversation import Failure
from ui.agent_link.link import AgentLink
from ui.present.ledger import LedgerLine, ledger_line
from ui.texts import say
from ui.texts import sees as texts

LINES_AT_ONCE = 100
_AROUND = widgets.GRID
_LITERAL = Qt.ItemDataRole.UserRole


class LedgerView(QWidget):
    """Owns the list; asks the agent for a part of it at a time.

    Args:
        link: the way to the agent.
        now: the clock.
    """

    def __init__(self, link: AgentLink, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._link, self._now = link, now
        self._oldest: int | None = None
        widgets.styled(self, "header")
        whole = widgets.column(1, (3, 2, 3, 2))
        self.setLayout(whole)
        self._intro = widgets.text_label(say(texts.SENT_INTRO), "muted")
        self._tree = self._make_tree()
        self._older = widgets.button(say(texts.OLDER), "link", self._load_older)
        self._older.hide()
        whole.addWidget(self._intro)
        whole.addWidget(self._tree, 1)
        whole.addWidget(self._older, 0, Qt.AlignmentFlag.AlignLeft)

    def load(self) -> None:
        """Ask for the newest lines."""
        self._oldest = None
        self._ask()

    def _load_older(self) -> None:
        self._ask()

    def _ask(self) -> None:
        query = LedgerQuery(before=self._oldest, limit=LINES_AT_ONCE)
        is_first = self._oldest is None
        self._link.ask("ledger", query, lambda page: self._show(page, is_first=is_first), self._fail)

    def _show(self, page: LedgerPage, *, is_first: bool) -> None:
        if is_first:
            self._tree.clear()
        for row in page.rows:
            self._add(ledger_line(row, self._now(), None))
            self._oldest = row.number
        empty = self._tree.topLevelItemCount() == 0
        self._intro.setText(say(texts.SENT_NONE if empty else texts.SENT_INTRO))
        self._older.setVisible(len(page.rows) == LINES_AT_ONCE)

    def _fail(self, failure: Failure) -> None:
        sentence = say(texts.SENT_UNAVAILABLE, sentence=failure.sentence, remedy=failure.remedy)
        self._intro.setText(sentence)

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels([say(texts.COLUMN_WHAT), say(texts.COLUMN_WHEN), say(texts.COLUMN_STATE)])
        tree.setUniformRowHeights(False)
        tree.setAccessibleName(say(texts.TAB_SENT))
        tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        tree.itemExpanded.connect(self._open_literal)
        tree.itemCollapsed.connect(self._drop_literal)
        return tree

    def _add(self, line: LedgerLine) -> None:
        item = QTreeWidgetItem([line.sentence, line.when, line.state])
        for number in range(3):
            item.setToolTip(number, line.tooltip)
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, line.spoken)
        item.setData(0, _LITERAL, line.literal)
        inside = QTreeWidgetItem(item)
        self._tree.addTopLevelItem(item)
        inside.setFirstColumnSpanned(True)

    def _open_literal(self, item: QTreeWidgetItem) -> None:
        """Build the literal text when it is wanted; a hundred of them would be a hundred documents in memory."""
        label = QLabel(breakable(str(item.data(0, _LITERAL))))
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        label.setWordWrap(True)
        label.setProperty("role", "literal")
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        label.ensurePolished()
        width = self._tree.viewport().width() - 2 * self._tree.indentation()
        inside = item.child(0)
        if inside is not None:
            height = label.heightForWidth(width) + _AROUND
            label.setMaximumHeight(height)  # else a tree gives it what it would need if it were narrow
            inside.setSizeHint(0, QSize(width, height))
            self._tree.setItemWidget(inside, 0, label)

    def _drop_literal(self, item: QTreeWidgetItem) -> None:
        inside = item.child(0)
        if inside is not None:
            self._tree.removeItemWidget(inside, 0)


def breakable(literal: str) -> str:
    """Return the text with places at which a long line may break, without a visible change.

    >>> breakable('{"a":1,"b":2}').replace(chr(0x200B), "|")
    '{"a":1,|"b":2}'
    """
    return literal.replace(",", ",\u200b")
