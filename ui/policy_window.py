"""The policy window: the document, opened at the rule that was asked for."""

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

from contract.local import PolicyPage, PolicyQuery
from ui import widgets
from ui.agent_link.conversation import Failure
from ui.agent_link.link import AgentLink
from ui.look import Look
from ui.page_view import PageView
from ui.present.page import Block, Page, find, marked
from ui.present.policy import policy_page
from ui.texts import policy as texts
from ui.texts import say

SIZE = QSize(560, 640)


class PolicyWindow(QWidget):
    """Owns the page; asks the agent for it each time it is opened."""

    def __init__(self, look: Look, link: AgentLink, now: Callable[[], datetime]) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self._link, self._now = link, now
        self._needles: tuple[str, ...] = ()
        self.setWindowTitle(say(texts.WINDOW))
        self.resize(SIZE)
        whole = widgets.column(0)
        self.setLayout(whole)
        self._page = PageView(look)
        self._page.setAccessibleName(say(texts.WINDOW))
        whole.addWidget(self._page)
        widgets.on_key(self, "Esc", self.close)

    def look_for(self, needles: tuple[str, ...]) -> None:
        """Open the document where the first of these texts is found, from the next `load` on."""
        self._needles = needles

    def load(self) -> None:
        """Ask for the policy and show it."""
        self._link.ask("policy", PolicyQuery(), self._show, self._fail)

    def _show(self, policy: PolicyPage) -> None:
        page = policy_page(policy, self._now(), None)
        self._page.show_page(marked(page, find(page.blocks, self._needles)))

    def _fail(self, failure: Failure) -> None:
        sentence = say(texts.UNAVAILABLE_TEXT, sentence=failure.sentence, remedy=failure.remedy)
        self._page.show_page(Page((Block("title", say(texts.UNAVAILABLE_TITLE)), Block("text", sentence))))
