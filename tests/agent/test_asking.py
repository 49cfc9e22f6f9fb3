"""What people ask for: it leaves as they wrote it, by the door, and nothing is asked where nobody could answer."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.asking import Asking, lines_of
from agent.catalogue import load
from agent.errors import CannotAskError, NotEnrolledError, NoticeFirstError
from contract.ceiling import Ceiling
from contract.errors import MalformedError
from contract.local import AskQuery
from contract.observations import Request, decode, sentence
from tests.fakes.device import Device

CATALOGUE = load()
UID = 1000


class Desk:
    """Asking on a made-up device."""

    def __init__(self, folder: Path, *, told: bool = True) -> None:
        self.device = Device(folder, told=told, ceiling=Ceiling())
        self.is_enrolled = self.takes = True
        device = self.device
        self.asking = Asking(
            device.store,
            device.journal,
            device.outbox,
            device.door,
            lambda: CATALOGUE,
            device.clock,
            lambda: self.is_enrolled,
            lambda: self.takes,
        )

    def sent(self) -> list[Request]:
        told = [decode(one.body) for one in self.device.outbox.due(self.device.clock.now())]
        return [one for one in told if isinstance(one, Request)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    one = Desk(tmp_path)
    yield one
    one.device.store.close()


def test_a_question_leaves_word_for_word_whatever_the_ceiling(desk: Desk) -> None:
    asked = desk.asking.ask(AskQuery(about="question", text="May I use Signal\nwith a client?"), UID)
    assert desk.sent() == [asked]
    assert asked.lines == ("May I use Signal", "with a client?")
    assert (asked.messenger, asked.until) == (None, None)
    assert sentence(asked) == "You asked: May I use Signal with a client?"
    (entry,) = desk.device.store.execute("SELECT kind FROM journal WHERE kind = 'request'")
    assert entry == ("request",)


def test_an_exemption_names_its_messenger_by_id_or_name_and_its_end(desk: Desk) -> None:
    until = desk.device.clock.now().date() + timedelta(days=14)
    for name in ("telegram", "Telegram"):
        query = AskQuery(about="exemption", messenger=name, until=until, text="A client writes there.")
        asked = desk.asking.ask(query, UID)
        assert (asked.messenger, asked.name, asked.until) == ("telegram", "Telegram", until)
        assert sentence(asked) == (
            f"You asked for an exemption for Telegram until {until}: A client writes there."
        )
    assert len(desk.sent()) == 2


@pytest.mark.parametrize("days", [-1, 367])
def test_an_exemption_ends_within_a_year(desk: Desk, days: int) -> None:
    until = desk.device.clock.now().date() + timedelta(days=days)
    with pytest.raises(MalformedError, match="within a year"):
        desk.asking.ask(AskQuery(about="exemption", messenger="telegram", until=until, text="x"), UID)
    assert desk.sent() == []


@pytest.mark.parametrize("messenger", [None, "", "nobody-knows"])
def test_an_exemption_is_for_a_messenger_that_is_known(desk: Desk, messenger: str | None) -> None:
    with pytest.raises(MalformedError, match="for a messenger"):
        desk.asking.ask(AskQuery(about="exemption", messenger=messenger, text="please"), UID)


@pytest.mark.parametrize(
    ("text", "problem"), [(" \n ", "Nothing was said"), ("word " * 300, "More than fits")]
)
def test_what_says_nothing_or_too_much_is_refused(text: str, problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        lines_of(text)


def test_nothing_is_asked_where_nobody_could_answer(desk: Desk) -> None:
    query = AskQuery(about="question", text="May I?")
    desk.takes = False
    with pytest.raises(CannotAskError):
        desk.asking.ask(query, UID)
    desk.is_enrolled = False
    with pytest.raises(NotEnrolledError):
        desk.asking.ask(query, UID)
    assert desk.sent() == []


def test_before_the_notice_nothing_leaves_that_way_either(tmp_path: Path) -> None:
    desk = Desk(tmp_path, told=False)
    with pytest.raises(NoticeFirstError):
        desk.asking.ask(AskQuery(about="question", text="May I?"), UID)
    assert desk.sent() == []
    desk.device.store.close()
