"""The journal: a chain over salted digests that shows every change, and still verifies when a body was erased by law."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.journal import EMPTY_CHAIN, Journal
from agent.store import Store
from contract.messages import salted_digest

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(Store(tmp_path / "state.sqlite3"))
    for number in range(5):
        journal.append("agent", {"number": number}, AT)
    return journal


def test_an_empty_journal_has_an_empty_chain_and_nothing_is_broken(tmp_path: Path) -> None:
    empty = Journal(Store(tmp_path / "state.sqlite3"))
    assert empty.head() == EMPTY_CHAIN == "0" * 64
    assert empty.first_broken() is None
    assert list(empty.entries()) == []


def test_the_chain_is_what_the_module_says_and_anybody_can_recompute_it(journal: Journal) -> None:
    chain = "0" * 64
    for number, entry in enumerate(journal.entries()):
        assert entry.body == b'{"number":%d}' % number
        digest = hashlib.sha256(bytes.fromhex(str(entry.salt)) + entry.body).hexdigest()
        chain = hashlib.sha256(f"{chain} {entry.at} {entry.kind} {digest}".encode()).hexdigest()
        assert (entry.digest, entry.chain) == (digest, chain)
    assert journal.head() == chain


def test_the_same_words_have_another_digest_each_time(journal: Journal) -> None:
    journal.append("agent", {"number": 0}, AT)
    digests = [entry.digest for entry in journal.entries()]
    assert len(set(digests)) == len(digests)


def test_a_body_can_be_erased_for_good_and_the_chain_still_verifies(journal: Journal) -> None:
    head = journal.head()
    journal.erase(3)
    erased = list(journal.entries())[2]
    assert (erased.salt, erased.body) == (None, None)
    assert journal.first_broken() is None
    assert journal.head() == head


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE journal SET body = '{\"number\":9}' WHERE sequence = 3", 3),
        ("UPDATE journal SET body = x'7b7d' WHERE sequence = 3", 3),
        ("UPDATE journal SET body = 9 WHERE sequence = 3", 3),
        ("UPDATE journal SET salt = printf('%032d', 1) WHERE sequence = 3", 3),
        ("UPDATE journal SET salt = 'no digits' WHERE sequence = 3", 3),
        ("UPDATE journal SET salt = x'00' WHERE sequence = 3", 3),
        ("UPDATE journal SET kind = 'policy' WHERE sequence = 3", 3),
        ("UPDATE journal SET at = '2026-03-02T10:00:00+00:00' WHERE sequence = 3", 3),
        ("UPDATE journal SET digest = printf('%064d', 1) WHERE sequence = 3", 3),
        ("UPDATE journal SET chain = printf('%064d', 1) WHERE sequence = 3", 3),
        ("DELETE FROM journal WHERE sequence = 3", 4),
        ("DELETE FROM journal WHERE sequence = 1", 2),
        ("UPDATE journal SET sequence = 99 WHERE sequence = 3", 4),
    ],
)
def test_every_change_shows_at_the_first_entry_that_it_touches(
    journal: Journal, change: str, broken: int
) -> None:
    assert journal.first_broken() is None
    journal._store.execute(change)
    assert journal.first_broken() == broken


def test_an_entry_rewritten_with_a_digest_that_fits_still_breaks_the_chain(journal: Journal) -> None:
    body, salt = b'{"number":9}', "0" * 32
    journal._store.execute(
        "UPDATE journal SET body = ?, salt = ?, digest = ? WHERE sequence = 2",
        body,
        salt,
        salted_digest(salt, body),
    )
    assert journal.first_broken() == 2


def test_a_journal_cut_at_its_end_shows_by_its_head(journal: Journal) -> None:
    head = journal.head()
    journal._store.execute("DELETE FROM journal WHERE sequence = 5")
    assert journal.first_broken() is None  # which is why the head goes with each check-in
    assert journal.head() != head


def test_an_entry_of_a_failed_transaction_never_was(journal: Journal) -> None:
    head = journal.head()

    def append_and_fail() -> None:
        with journal._store.transaction():
            journal.append("agent", {}, AT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        append_and_fail()
    assert journal.head() == head
    journal.append("agent", {}, AT)
    assert journal.first_broken() is None


def test_the_oldest_entries_are_forgotten_and_the_chain_still_verifies(tmp_path: Path) -> None:
    journal = Journal(Store(tmp_path / "state.sqlite3"))
    for day in range(10):
        journal.append("agent", {"day": day}, AT + timedelta(days=day))
    head = journal.head()
    journal.forget_before(AT + timedelta(days=4))
    assert [entry.sequence for entry in journal.entries()] == [5, 6, 7, 8, 9, 10]
    assert (journal.head(), journal.first_broken()) == (head, None)
    journal.forget_before(AT + timedelta(days=400))
    assert list(journal.entries()) == []
    assert journal.head() == head
    journal.append("agent", {"day": 400}, AT + timedelta(days=400))
    assert journal.first_broken() is None


def test_forgetting_the_beginning_does_not_hide_what_was_changed(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite3")
    journal = Journal(store)
    for day in range(10):
        journal.append("agent", {"day": day}, AT + timedelta(days=day))
    store.execute("DELETE FROM journal WHERE sequence = 6")
    journal.forget_before(AT + timedelta(days=4))
    assert journal.first_broken() == 7
