"""The first notice: what will be collected, shown before anything is."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

from contract.local import DisclosurePage, Nothing, NoticeShown
from ui import widgets
from ui.agent_link.conversation import Failure
from ui.agent_link.link import AgentLink
from ui.look import Look
from ui.page_view import PageView
from ui.present.sees import notice_page, unavailable_page
from ui.texts import language, say
from ui.texts import sees as texts

SIZE = QSize(560, 640)


class NoticeWindow(QWidget):
    """Owns the page and its one button.

    Args:
        look: the theme.
        link: the way to the agent.
        company: gives the company's name, once it is known.
    """

    def __init__(self, look: Look, link: AgentLink, company: Callable[[], str | None]) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self._link, self._company = link, company
        self.setWindowTitle(say(texts.NOTICE_WINDOW))
        widgets.styled(self, "header")
        self.resize(SIZE)
        whole = widgets.column(0)
        self.setLayout(whole)
        self._page = PageView(look)
        self._page.setAccessibleName(say(texts.NOTICE_TITLE))
        self._trouble = widgets.text_label("", "muted")
        self._trouble.hide()
        self._read = widgets.button(say(texts.NOTICE_READ), "primary", self._confirm)
        self._read.setEnabled(False)
        foot = widgets.row(2, (3, 2, 3, 2))
        foot.addWidget(self._trouble, 1)
        foot.addStretch(1)
        foot.addWidget(self._read)
        whole.addWidget(self._page, 1)
        whole.addWidget(widgets.line())
        whole.addLayout(foot)
        widgets.on_key(self, "Esc", self.close)

    def load(self) -> None:
        """Ask the agent what holds for this device."""
        self._link.ask("disclosure", Nothing(), self._show, self._fail)

    def _show(self, page: DisclosurePage) -> None:
        self._page.show_page(notice_page(page, self._company()))
        self._trouble.hide()
        self._read.setEnabled(True)

    def _fail(self, failure: Failure) -> None:
        """Show what there is; it cannot count as the notice, since it does not say what holds for this device."""
        self._page.show_page(unavailable_page(failure.sentence))
        self._read.setEnabled(False)

    def _confirm(self) -> None:
        self._link.ask("notice.shown", NoticeShown(language()), self._end, self._complain)

    def _end(self, _: Nothing) -> None:
        self.close()

    def _complain(self, failure: Failure) -> None:
        sentence = say(texts.NOTICE_FAILED, sentence=failure.sentence, remedy=failure.remedy)
        self._trouble.setText(sentence)
        self._trouble.show()
