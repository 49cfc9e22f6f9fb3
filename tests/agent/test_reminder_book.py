from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.reminder_book import KEPT, ReminderBook
from agent.store import Store
from contract.local import Reminder

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWN, OTHER = 1000, 1001


def reminder(letter: str, at: datetime = NOW) -> Reminder:
    return Reminder(
        reminder=letter * 32,
        sighting="5" * 32,
        title="Please close Telegram",
        sentence="Why.",
        conduct="Be kind.",
        instead_names=("Teams",),
        rule="r",
        rule_text=None,
        language="en",
        text_digest="0" * 64,
        policy_serial=7,
        at=at,
    )


class Shelf:
    """A book in its own file, which can be opened anew."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.open()

    def open(self) -> None:
        self.store = Store(self.file)
        self.book = ReminderBook(self.store)

    def write(self, letter: str, at: datetime = NOW, uid: int = OWN, channel: str = "telegram/work") -> None:
        with self.store.transaction():
            self.book.write(reminder(letter, at), uid, channel, "work")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "state.sqlite3")


def test_what_was_written_is_there_after_a_new_start(shelf: Shelf) -> None:
    shelf.write("a")
    shelf.store.close()
    shelf.open()
    found = shelf.book.find("a" * 32)
    assert found is not None
    assert found.reminder == reminder("a")
    assert (found.uid, found.channel, found.profile, found.made) == (OWN, "telegram/work", "work", NOW)
    assert (found.outcome, found.answered) == (None, None)


def test_what_nobody_wrote_is_not_found(shelf: Shelf) -> None:
    shelf.write("a")
    assert shelf.book.find("b" * 32) is None
    assert shelf.book.find("' OR 1=1 --") is None


def test_each_user_has_a_past_of_their_own(shelf: Shelf) -> None:
    shelf.write("a")
    shelf.write("b", uid=OTHER)
    assert [one.reminder.reminder for one in shelf.book.past(OWN)] == ["a" * 32]
    assert [one.reminder.reminder for one in shelf.book.past(OTHER)] == ["b" * 32]
    assert shelf.book.past(0) == []


def test_an_answer_is_kept_with_its_time_and_touches_no_other(shelf: Shelf) -> None:
    shelf.write("a")
    shelf.write("b")
    shelf.book.answer("a" * 32, "deferred", NOW + timedelta(minutes=3))
    answered, other = shelf.book.find("a" * 32), shelf.book.find("b" * 32)
    assert answered is not None
    assert other is not None
    assert (answered.outcome, answered.answered) == ("deferred", NOW + timedelta(minutes=3))
    assert other.outcome is None


def test_what_nobody_was_shown_is_known(shelf: Shelf) -> None:
    shelf.write("b", NOW + timedelta(minutes=1))
    shelf.write("a")
    shelf.write("c")
    shelf.book.answer("c" * 32, "shown", NOW)
    assert [one.reminder.reminder for one in shelf.book.unshown()] == ["a" * 32, "b" * 32]


def test_what_is_long_over_is_forgotten_when_the_next_is_written(shelf: Shelf) -> None:
    shelf.write("a", NOW - KEPT - timedelta(minutes=1))
    shelf.write("b", NOW - KEPT + timedelta(minutes=1))
    shelf.write("c", NOW)
    assert {one.reminder.reminder[0] for one in shelf.book.past(OWN)} == {"b", "c"}
