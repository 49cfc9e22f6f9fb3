"""What a person can do with the list of what was sent: have it compared with what the server holds, and save all of it."""

from collections.abc import Callable

from PySide6.QtCore import QIODevice, QSaveFile, QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from contract import wire
from contract.local import ComparisonPage, ComparisonQuery, LedgerPage, LedgerQuery
from ui import widgets
from ui.agent_link.conversation import Failure
from ui.agent_link.link import AgentLink
from ui.present.ledger import comparison_sentence
from ui.texts import say, say_many
from ui.texts import sees as texts

AGAIN_MILLISECONDS = 300
ROWS_AT_ONCE = 500


class LedgerProof(QWidget):
    """Owns the two links and the sentence that says what came of them.

    Args:
        link: the way to the agent.
        choose: lets a person choose a file; gives its path, empty for none.
    """

    def __init__(self, link: AgentLink, choose: Callable[[QWidget], str]) -> None:
        super().__init__()
        self._link, self._choose = link, choose
        self._file: QSaveFile | None = None
        self._saved = 0
        whole = widgets.column(1, (0, 0, 0, 0))
        self.setLayout(whole)
        self._said = widgets.text_label("", "muted")
        self._said.hide()
        self._compare = widgets.button(say(texts.COMPARE), "link", self._begin)
        self._save = widgets.button(say(texts.SAVE_ALL), "link", self._begin_saving)
        links = widgets.row(2)
        links.addWidget(self._compare)
        links.addWidget(self._save)
        links.addStretch(1)
        whole.addWidget(self._said)
        whole.addLayout(links)

    def forget(self) -> None:
        """Say nothing any more: the list is shown anew."""
        self._said.hide()

    def _begin(self) -> None:
        self._compare.setEnabled(False)
        self._say(say(texts.COMPARING))
        self._link.ask("ledger.compare", ComparisonQuery(begin=True), self._take, self._fail)

    def _again(self) -> None:
        self._link.ask("ledger.compare", ComparisonQuery(), self._take, self._fail)

    def _take(self, page: ComparisonPage) -> None:
        if page.is_running:
            QTimer.singleShot(AGAIN_MILLISECONDS, self, self._again)
            return
        self._compare.setEnabled(True)
        self._say(comparison_sentence(page))

    def _fail(self, failure: Failure) -> None:
        self._compare.setEnabled(True)
        self._say(say(texts.SENT_UNAVAILABLE, sentence=failure.sentence, remedy=failure.remedy))

    def _begin_saving(self) -> None:
        path = self._choose(self)
        if not path:
            return
        self._file, self._saved = QSaveFile(path), 0
        if not self._file.open(QIODevice.OpenModeFlag.WriteOnly):
            self._end_saving(say(texts.NOT_SAVED, why=self._file.errorString()))
            return
        self._save.setEnabled(False)
        self._ask_rows(None)

    def _ask_rows(self, before: int | None) -> None:
        query = LedgerQuery(before=before, limit=ROWS_AT_ONCE)
        self._link.ask("ledger", query, self._write, self._fail_saving)

    def _write(self, page: LedgerPage) -> None:
        if self._file is None:
            return
        for row in page.rows:
            self._file.write(wire.encode(row) + b"\n")
        self._saved += len(page.rows)
        if page.rows:
            self._ask_rows(page.rows[-1].number)
        elif self._file.commit():
            self._end_saving(say_many(*texts.SAVED, self._saved))
        else:
            self._end_saving(say(texts.NOT_SAVED, why=self._file.errorString()))

    def _fail_saving(self, failure: Failure) -> None:
        self._end_saving(say(texts.SENT_UNAVAILABLE, sentence=failure.sentence, remedy=failure.remedy))

    def _end_saving(self, sentence: str) -> None:
        if self._file is not None:
            self._file.cancelWriting()  # what was committed stays
        self._file = None
        self._save.setEnabled(True)
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        self._said.setText(sentence)
        self._said.show()


def choose_file(parent: QWidget) -> str:
    """Let a person choose where to save the list."""
    path, _ = QFileDialog.getSaveFileName(parent, say(texts.SAVE_TITLE), "decorum-ledger.jsonl")
    return path
