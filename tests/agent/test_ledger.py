"""What was sent stays readable: every row, word for word, for those whom it concerns."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.reporting.ledger import Ledger
from agent.store import Store
from contract import wire
from contract.local import LINE_LIMIT_BYTES, LedgerPage, LedgerRow
from contract.observations import LIMIT_BYTES, Trouble

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LITERAL = wire.encode(Trouble(code="c", detail="The disk is full.", at=AT))
OWN, OTHER = 1000, 1001


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(Store(tmp_path / "state.sqlite3"))


def numbers(rows: tuple[LedgerRow, ...]) -> list[int]:
    return [row.number for row in rows]


def test_a_row_is_the_very_words_that_left_and_what_they_mean(ledger: Ledger) -> None:
    ledger.write_observation(7, "trouble", None, LITERAL, AT)
    assert ledger.rows(None, 10, None) == (
        LedgerRow(
            number=1,
            type="trouble",
            sentence="A part of Decorum does not work: The disk is full.",
            literal=LITERAL.decode(),
            first_attempt=AT,
            attempts=1,
            acknowledged=None,
        ),
    )


def test_sending_again_counts_and_keeps_the_first_time(ledger: Ledger) -> None:
    for hours in range(3):
        ledger.write_observation(7, "trouble", None, LITERAL, AT + timedelta(hours=hours))
    (row,) = ledger.rows(None, 10, None)
    assert (row.attempts, row.first_attempt) == (3, AT)


def test_the_first_receipt_counts_and_no_other_row_is_touched(ledger: Ledger) -> None:
    heartbeat = ledger.write_heartbeat(b"{}", AT)
    ledger.write_observation(7, "trouble", None, LITERAL, AT)
    ledger.acknowledge(heartbeat, AT + timedelta(seconds=1))
    ledger.acknowledge(heartbeat, AT + timedelta(seconds=9))
    ledger.acknowledge_observation(8, AT)
    observation, beat = ledger.rows(None, 10, None)
    assert beat.acknowledged == AT + timedelta(seconds=1)
    assert observation.acknowledged is None
    ledger.acknowledge_observation(7, AT + timedelta(seconds=2))
    assert ledger.rows(None, 1, None)[0].acknowledged == AT + timedelta(seconds=2)


def test_people_see_their_own_rows_and_those_of_the_device(ledger: Ledger) -> None:
    ledger.write_heartbeat(b"{}", AT)
    ledger.write_observation(1, "trouble", OWN, LITERAL, AT)
    ledger.write_observation(2, "trouble", OTHER, LITERAL, AT)
    assert numbers(ledger.rows(None, 10, None)) == [3, 2, 1]
    assert numbers(ledger.rows(None, 10, OWN)) == [2, 1]
    assert numbers(ledger.rows(None, 10, OTHER)) == [3, 1]
    assert numbers(ledger.rows(None, 10, 0)) == [1]


def test_pages_follow_each_other_without_gap_or_double(ledger: Ledger) -> None:
    for number in range(7):
        ledger.write_observation(number, "trouble", OWN, LITERAL, AT)
    pages: list[int] = []
    before: int | None = None
    while page := ledger.rows(before, 3, OWN):
        pages += numbers(page)
        before = page[-1].number
    assert pages == [7, 6, 5, 4, 3, 2, 1]


def test_a_page_is_cut_where_a_line_ends_and_the_rest_follows(ledger: Ledger) -> None:
    # Each quotation mark is written in two characters once more.
    literal = wire.encode({"x": '"' * (LIMIT_BYTES // 2 - 10)})
    for _ in range(300):
        ledger.write_heartbeat(literal, AT)
    page = ledger.rows(None, 300, None)
    assert len(wire.encode(LedgerPage(page))) < LINE_LIMIT_BYTES
    assert len(wire.encode(LedgerPage(page))) > LINE_LIMIT_BYTES * 0.9
    assert numbers(ledger.rows(page[-1].number, 1, None)) == [page[-1].number - 1]


@pytest.mark.parametrize(
    ("kind", "literal", "words"),
    [
        ("heartbeat", b"{}", "This device said that it is there."),
        ("enrolment", b"{}", "This device asked the server to take it in."),
        (
            "sighting",
            b'{"type":"sighting","of":"another version"}',
            "This device sent a report of the kind sighting.",
        ),
        ("invented later", b"{}", "This device sent a report of the kind invented later."),
    ],
)
def test_a_row_of_any_version_is_shown(ledger: Ledger, kind: str, literal: bytes, words: str) -> None:
    ledger.write_observation(1, kind, OWN, literal, AT)
    ledger.write_observation(2, "trouble", OWN, LITERAL, AT)
    newest, oldest = ledger.rows(None, 10, OWN)
    assert (oldest.sentence, oldest.literal) == (words, literal.decode())
    assert newest.type == "trouble"


def test_what_waits_for_nothing_is_forgotten_in_time_and_what_waits_stays(ledger: Ledger) -> None:
    lost = ledger.write_heartbeat(b"{}", AT)
    heard = ledger.write_heartbeat(b"{}", AT)
    ledger.acknowledge(heard, AT + timedelta(days=2))
    ledger.write_observation(7, "trouble", None, LITERAL, AT)
    young = ledger.write_heartbeat(b"{}", AT + timedelta(days=3))
    ledger.forget_before(AT)
    assert len(numbers(ledger.rows(None, 10, None))) == 4
    ledger.forget_before(AT + timedelta(days=1))
    assert lost not in numbers(ledger.rows(None, 10, None))
    ledger.forget_before(AT + timedelta(days=3))
    assert numbers(ledger.rows(None, 10, None)) == [young, 3]
