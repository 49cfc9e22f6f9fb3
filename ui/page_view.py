"""Shows a page of running text. Texts are inserted as text, never as markup; only mail and https addresses become links."""

import re

from PySide6.QtCore import QUrl
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextListFormat,
)
from PySide6.QtWidgets import QTextBrowser

from ui import widgets
from ui.look import Look
from ui.present.page import Block, BlockKind, Page

_LINK = re.compile(r"(?:https://|mailto:)[^\s<>\"]*[^\s<>\".,;:!?)\]]")
_ABOVE: dict[BlockKind, int] = {"title": 0, "heading": 24, "strong": 16, "text": 8, "muted": 4, "item": 6}
"""Pixels above a block, on the grid."""


class PageView(QTextBrowser):
    """Owns the text on the screen."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._page = Page(())
        self.setOpenLinks(False)
        self.anchorClicked.connect(_open)
        self.document().setDocumentMargin(3 * widgets.GRID)
        self.document().setIndentWidth(2.5 * widgets.GRID)
        look.changed.connect(self._render)

    def show_page(self, page: Page) -> None:
        """Show another page, from its marked block if it has one."""
        self._page = page
        self._render()

    def _render(self) -> None:
        self.clear()
        cursor = QTextCursor(self.document())
        found = None
        for number, block in enumerate(self._page.blocks):
            if number:
                cursor.insertBlock()
            cursor.setBlockFormat(self._block_format(block, is_first=number == 0))
            if block.is_marked:
                found = cursor.position()
            self._insert(cursor, block)
        self._scroll_to(found)

    def _insert(self, cursor: QTextCursor, block: Block) -> None:
        plain = self._char_format(block)
        end = 0
        for link in _LINK.finditer(block.text):
            cursor.insertText(block.text[end : link.start()], plain)
            cursor.insertText(link[0], self._link_format(plain, link[0]))
            end = link.end()
        cursor.insertText(block.text[end:], plain)
        if block.kind == "item":
            cursor.createList(QTextListFormat.Style.ListDisc)

    def _scroll_to(self, position: int | None) -> None:
        cursor = QTextCursor(self.document())
        if position is None:
            self.setTextCursor(cursor)
            return
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self.setTextCursor(cursor)
        cursor.setPosition(position)
        self.setTextCursor(cursor)
        above = self.cursorRect(cursor).top() - 6 * widgets.GRID
        self.verticalScrollBar().setValue(self.verticalScrollBar().value() + above)

    def _block_format(self, block: Block, *, is_first: bool) -> QTextBlockFormat:
        made = QTextBlockFormat()
        made.setTopMargin(0 if is_first else _ABOVE[block.kind])
        made.setLineHeight(120, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        if block.is_marked:
            made.setBackground(QColor(self._look.colours.surface))
        return made

    def _char_format(self, block: Block) -> QTextCharFormat:
        made, size, colours = QTextCharFormat(), self._look.tokens.size, self._look.colours
        ratio = {"title": size.title, "muted": size.small, "strong": size.small}.get(block.kind, size.body)
        made.setFontPointSize(self._look.points * ratio)
        made.setForeground(QColor(colours.muted if block.kind in {"muted", "strong"} else colours.ink))
        if block.kind in {"title", "heading", "strong"} or block.is_marked:
            made.setFontWeight(QFont.Weight.DemiBold)
        return made

    def _link_format(self, plain: QTextCharFormat, address: str) -> QTextCharFormat:
        made = QTextCharFormat(plain)
        made.setAnchor(True)
        made.setAnchorHref(address)
        made.setForeground(QColor(self._look.colours.accent))
        made.setFontUnderline(True)
        return made


def _open(address: QUrl) -> None:
    if address.scheme() in {"https", "mailto"}:
        QDesktopServices.openUrl(address)
