"""The window `What Decorum sees`: what is collected and what is not; and every line that was sent."""

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QTabWidget, QWidget

from contract.local import DisclosurePage, Nothing
from ui import widgets
from ui.agent_link.conversation import Failure
from ui.agent_link.link import AgentLink
from ui.ledger_view import LedgerView
from ui.look import Look
from ui.page_view import PageView
from ui.present.sees import sees_page, unavailable_page
from ui.texts import say
from ui.texts import sees as texts

SIZE = QSize(640, 640)


class SeesWindow(QWidget):
    """Owns both pages; asks the agent each time it is opened, so it works without the server.

    Args:
        look: the theme.
        link: the way to the agent.
        company: gives the company's name, once it is known.
        now: the clock.
    """

    def __init__(
        self,
        look: Look,
        link: AgentLink,
        company: Callable[[], str | None],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self._link, self._company = link, company
        self.setWindowTitle(say(texts.WINDOW))
        widgets.styled(self, "header")
        self.resize(SIZE)
        whole = widgets.column(0)
        self.setLayout(whole)
        tabs = QTabWidget()
        tabs.setDocumentMode(True)
        tabs.tabBar().setDrawBase(False)
        self._page = PageView(look)
        self._page.setAccessibleName(say(texts.TAB_COLLECTED))
        self._sent = LedgerView(link, now)
        tabs.addTab(self._page, say(texts.TAB_COLLECTED))
        tabs.addTab(self._sent, say(texts.TAB_SENT))
        whole.addWidget(tabs)
        self._page.setFocus()
        widgets.on_key(self, "Esc", self.close)
        widgets.on_key(self, "F5", self.load)

    def load(self) -> None:
        """Ask the agent for both pages."""
        self._link.ask("disclosure", Nothing(), self._show, self._fail)
        self._sent.load()

    def _show(self, page: DisclosurePage) -> None:
        self._page.show_page(sees_page(page, self._company()))

    def _fail(self, failure: Failure) -> None:
        self._page.show_page(unavailable_page(failure.sentence))
