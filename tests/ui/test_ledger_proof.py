"""Comparing the list of what was sent with the server's, and saving it: what a person presses, and what they are told."""

import json
from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from contract.local import ComparisonPage, ComparisonQuery, LedgerComparison, Problem
from tests.fakes.local_agent import LocalAgent
from tests.ui import examples
from ui import ledger_proof
from ui.agent_link.link import AgentLink
from ui.ledger_proof import LedgerProof

EQUAL = LedgerComparison(
    at=examples.NOW,
    equal_reports=41,
    equal_check_ins=30,
    erased_there=0,
    forgotten_here=0,
    not_arrived=0,
    missing_there=0,
    unknown_here=0,
    about=None,
    differences=(),
)


class Proof:
    """The two links, and what is said below the list."""

    def __init__(self, link: AgentLink, file: Path) -> None:
        self.chosen = str(file)
        self.widget = LedgerProof(link, lambda _: self.chosen)

    def press(self, label: str) -> None:
        """Click a link."""
        self.button(label).click()

    def button(self, label: str) -> QPushButton:
        """Return a link by what a screen reader calls it."""
        return next(one for one in self.widget.findChildren(QPushButton) if one.accessibleName() == label)

    def said(self) -> str:
        """Return the sentence, empty while it is hidden."""
        return " ".join(one.text() for one in self.widget.findChildren(QLabel) if not one.isHidden())


@pytest.fixture
def proof(agent: LocalAgent, link: AgentLink, tmp_path: Path, qtbot: QtBot) -> Proof:
    with qtbot.waitSignal(link.snapshot_came):
        link.start()
    made = Proof(link, tmp_path / "ledger.jsonl")
    qtbot.addWidget(made.widget)
    return made


def answered(**changes: object) -> ComparisonPage:
    result = msgspec.structs.replace(EQUAL, **changes)
    return ComparisonPage(is_running=False, result=result, problem=None)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (answered(), "holds what stands here and nothing else: 41 reports"),
        (answered(erased_there=3), "3 older reports are erased there."),
        (answered(missing_there=2), "2 reports are missing there"),
        (answered(unknown_here=5), "5 are held there alone"),
        (
            ComparisonPage(is_running=False, result=None, problem=Problem("x", "Nobody there.", "Wait.")),
            "could not be compared. Nobody there. Wait.",
        ),
    ],
)
def test_what_came_of_comparing_is_said(
    proof: Proof, agent: LocalAgent, qtbot: QtBot, page: ComparisonPage, words: str
) -> None:
    agent.answers["ledger.compare"] = page
    proof.press("Compare with the server")
    qtbot.waitUntil(lambda: words in proof.said())
    assert proof.button("Compare with the server").isEnabled()
    proof.widget.forget()
    assert proof.said() == ""


def test_it_is_asked_again_until_it_is_done(
    proof: Proof, agent: LocalAgent, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_proof, "AGAIN_MILLISECONDS", 1)
    agent.answers["ledger.compare"] = ComparisonPage(is_running=True, result=None, problem=None)
    proof.press("Compare with the server")
    assert "is being asked" in proof.said()
    qtbot.waitUntil(lambda: agent.methods().count("ledger.compare") > 3)
    assert not proof.button("Compare with the server").isEnabled()
    agent.answers["ledger.compare"] = answered()
    qtbot.waitUntil(lambda: "41 reports" in proof.said())
    begins = [asked.begin for _, asked in agent.asked if isinstance(asked, ComparisonQuery)]
    assert begins[0] is True
    assert not any(begins[1:])


def test_all_of_it_is_saved_line_by_line(proof: Proof, agent: LocalAgent, qtbot: QtBot) -> None:
    agent.ledger = tuple(examples.ledger_row(number) for number in range(1200, 0, -1))
    proof.press("Save all\N{HORIZONTAL ELLIPSIS}")
    qtbot.waitUntil(lambda: "1200 lines are saved." in proof.said())
    lines = [json.loads(line) for line in Path(proof.chosen).read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(1200, 0, -1))
    assert lines[0]["literal"] == agent.ledger[0].literal


@pytest.mark.parametrize("chosen", ["", "/nonexistent/folder/ledger.jsonl"])
def test_where_it_cannot_be_saved_nothing_is_and_it_is_said(
    proof: Proof, agent: LocalAgent, chosen: str
) -> None:
    proof.chosen = chosen
    proof.press("Save all\N{HORIZONTAL ELLIPSIS}")
    assert ("could not be saved" in proof.said()) == bool(chosen)
    assert "ledger" not in agent.methods()
    assert proof.button("Save all\N{HORIZONTAL ELLIPSIS}").isEnabled()


def test_what_cannot_be_read_to_its_end_leaves_no_half_file(
    proof: Proof, agent: LocalAgent, qtbot: QtBot, link: AgentLink
) -> None:
    agent.stop()
    qtbot.waitUntil(lambda: link.state.kind == "absent")
    proof.press("Save all\N{HORIZONTAL ELLIPSIS}")
    qtbot.waitUntil(lambda: "cannot be read now" in proof.said())
    assert not Path(proof.chosen).exists()
