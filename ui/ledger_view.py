"""The list of what was sent: a line each, which opens to the very text that left."""

from collections.abc import Callable, Iterable
from datetime import datetime

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from contract.local import LedgerPage, LedgerQuery
from ui import widgets
from ui.agent_link.conversation import Failure
from ui.agent_link.link import AgentLink
from ui.ledger_proof import LedgerProof, choose_file
from ui.present.ledger import LedgerFold, LedgerLine, folded, ledger_line
from ui.texts import say
from ui.texts import sees as texts

LINES_AT_ONCE = 100
ENOUGH_FOLDS = 20
PARTS_AT_MOST = 10
"""A part may be nothing but signs of life; so many are asked for at once until there is enough to see."""
_AROUND = widgets.GRID
_LITERAL = Qt.ItemDataRole.UserRole


class LedgerView(QWidget):
    """Owns the list; asks the agent for a part of it at a time.

    Args:
        link: the way to the agent.
        now: the clock.
        choose: lets a person choose a file; gives its path, empty for none.
    """

    def __init__(
        self,
        link: AgentLink,
        now: Callable[[], datetime],
        choose: Callable[[QWidget], str] = choose_file,
    ) -> None:
        super().__init__()
        self._link, self._now = link, now
        self._oldest: int | None = None
        self._last: LedgerFold | None = None
        self._parts_left = 0
        widgets.styled(self, "header")
        whole = widgets.column(1, (3, 2, 3, 2))
        self.setLayout(whole)
        self._intro = widgets.text_label(say(texts.SENT_INTRO), "muted")
        self._tree = self._make_tree()
        self._older = widgets.button(say(texts.OLDER), "link", self._ask_for_more)
        self._older.hide()
        whole.addWidget(self._intro)
        whole.addWidget(self._tree, 1)
        whole.addWidget(self._older, 0, Qt.AlignmentFlag.AlignLeft)
        self._proof = LedgerProof(link, choose)
        whole.addWidget(self._proof)

    def load(self) -> None:
        """Ask for the newest lines."""
        self._oldest, self._last = None, None
        self._proof.forget()
        self._ask_for_more()

    def _ask_for_more(self) -> None:
        self._parts_left = PARTS_AT_MOST
        self._goal = ENOUGH_FOLDS + (0 if self._oldest is None else self._tree.topLevelItemCount())
        self._ask()

    def _ask(self) -> None:
        self._parts_left -= 1
        query = LedgerQuery(before=self._oldest, limit=LINES_AT_ONCE)
        is_first = self._oldest is None
        self._link.ask("ledger", query, lambda page: self._show(page, is_first=is_first), self._fail)

    def _show(self, page: LedgerPage, *, is_first: bool) -> None:
        if is_first:
            self._tree.clear()
        self._add(ledger_line(row, self._now(), None) for row in page.rows)
        if page.rows:
            self._oldest = page.rows[-1].number
        empty = self._tree.topLevelItemCount() == 0
        self._intro.setText(say(texts.SENT_NONE if empty else texts.SENT_INTRO))
        has_more = len(page.rows) == LINES_AT_ONCE
        self._older.setVisible(has_more)
        if has_more and self._parts_left and self._tree.topLevelItemCount() < self._goal:
            self._ask()

    def _fail(self, failure: Failure) -> None:
        sentence = say(texts.SENT_UNAVAILABLE, sentence=failure.sentence, remedy=failure.remedy)
        self._intro.setText(sentence)

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels([say(texts.COLUMN_WHAT), say(texts.COLUMN_WHEN), say(texts.COLUMN_STATE)])
        tree.setUniformRowHeights(False)
        tree.setWordWrap(True)
        tree.setAccessibleName(say(texts.TAB_SENT))
        tree.setTextElideMode(Qt.TextElideMode.ElideNone)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        tree.setItemDelegateForColumn(0, _Wrapping(tree))
        header.sectionResized.connect(self._lay_out_again)
        tree.itemExpanded.connect(self._open_literal)
        tree.itemCollapsed.connect(self._drop_literal)
        return tree

    def _lay_out_again(self) -> None:
        self._tree.scheduleDelayedItemsLayout()

    def _add(self, lines: Iterable[LedgerLine]) -> None:
        """Add lines below those that stand there; the last fold may go on."""
        for number, fold in enumerate(folded(lines, self._last)):
            goes_on = number == 0 and self._last is not None
            item = self._tree.topLevelItem(self._tree.topLevelItemCount() - 1) if goes_on else None
            self._put(fold, item)
            self._last = fold

    def _put(self, fold: LedgerFold, there: QTreeWidgetItem | None) -> None:
        if there is not None:
            if self._last is not None and len(self._last.lines) == len(fold.lines):
                return
            self._tree.takeTopLevelItem(self._tree.indexOfTopLevelItem(there))
        if fold.is_one:
            item = _item(fold.lines[0])
            lines = [item]
        else:
            item = QTreeWidgetItem([fold.sentence, fold.when, fold.state])
            item.setData(0, Qt.ItemDataRole.AccessibleTextRole, fold.spoken)
            lines = [_item(line) for line in fold.lines]
            item.addChildren(lines)
        self._tree.addTopLevelItem(item)
        for line in lines:
            inside = line.child(0)
            if inside is not None:
                inside.setFirstColumnSpanned(True)

    def _open_literal(self, item: QTreeWidgetItem) -> None:
        """Build the literal text when it is wanted; a hundred of them would be a hundred documents in memory."""
        if item.data(0, _LITERAL) is None:
            return
        label = QLabel(breakable(str(item.data(0, _LITERAL))))
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        label.setWordWrap(True)
        label.setProperty("role", "literal")
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        label.ensurePolished()
        depth = 2 if item.parent() is None else 3
        width = self._tree.viewport().width() - depth * self._tree.indentation()
        inside = item.child(0)
        if inside is not None:
            height = label.heightForWidth(width) + _AROUND
            label.setMaximumHeight(height)  # else a tree gives it what it would need if it were narrow
            inside.setSizeHint(0, QSize(width, height))
            self._tree.setItemWidget(inside, 0, label)

    def _drop_literal(self, item: QTreeWidgetItem) -> None:
        inside = item.child(0)
        if inside is not None and item.data(0, _LITERAL) is not None:
            self._tree.removeItemWidget(inside, 0)


class _Wrapping(QStyledItemDelegate):
    """Gives a line as much height as its words need in the width that there is; a tree itself does not ask."""

    def __init__(self, tree: QTreeWidget) -> None:
        super().__init__(tree)
        self._tree = tree

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802  # Qt's name
        """Return the size of a cell of the first column."""
        usual = super().sizeHint(option, index)
        depth = 2 if index.parent().isValid() else 1
        margin = 2 * (self._tree.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1)
        width = self._tree.columnWidth(0) - depth * self._tree.indentation() - margin
        text = str(index.data())
        flow = int(Qt.TextFlag.TextWordWrap)
        needed = self._tree.fontMetrics().boundingRect(0, 0, max(width, 1), 10_000, flow, text).height()
        spare = usual.height() - self._tree.fontMetrics().height()
        return QSize(min(usual.width(), self._tree.columnWidth(0)), max(usual.height(), needed + spare))


def _item(line: LedgerLine) -> QTreeWidgetItem:
    item = QTreeWidgetItem([line.sentence, line.when, line.state])
    for number in range(3):
        item.setToolTip(number, line.tooltip)
    item.setData(0, Qt.ItemDataRole.AccessibleTextRole, line.spoken)
    item.setData(0, _LITERAL, line.literal)
    QTreeWidgetItem(item)
    return item


def breakable(literal: str) -> str:
    """Return the text with places at which a long line may break, without a visible change.

    >>> breakable('{"a":1,"b":2}').replace(chr(0x200B), "|")
    '{"a":1,|"b":2}'
    """
    return literal.replace(",", ",\u200b")
