"""The pages to read: the policy, what Decorum sees, the first notice, the list of what was sent."""

from datetime import UTC, timedelta

import msgspec
import pytest

from contract.ceiling import DETAILS
from contract.local import LedgerRow, PolicyPage
from contract.observations import DISCLOSURES
from tests.ui import examples
from ui.present.ledger import LedgerLine, folded, ledger_line
from ui.present.page import Page
from ui.present.policy import policy_page
from ui.present.sees import notice_page, sees_page, unavailable_page
from ui.texts import sees as texts


def lines(page: Page) -> list[str]:
    return [block.text for block in page.blocks]


def test_the_policy_is_told_whole_and_in_order() -> None:
    policy = examples.policy()
    told = lines(policy_page(policy, examples.NOW, UTC))
    assert told[:2] == ["Messaging policy", "version 4 · in force until 21 Feb 2027 · serial 12"]
    wanted = [line for section in policy.sections for line in (section.heading, *section.paragraphs)]
    assert told[2:] == wanted


def test_an_expired_policy_says_so() -> None:
    later = examples.NOW + timedelta(days=91)
    assert "expired on 21 Feb 2027" in lines(policy_page(examples.policy(), later, UTC))[1]


def test_no_policy_yet() -> None:
    nothing = PolicyPage(title=None, version=None, serial=0, expires=None, sections=())
    assert lines(policy_page(nothing, examples.NOW, UTC))[0] == "No policy yet"


def test_every_type_that_can_leave_has_a_name() -> None:
    assert set(texts.TYPES) == {disclosure.type for disclosure in DISCLOSURES}


def test_everything_that_can_leave_is_told_with_why_and_who() -> None:
    told = lines(sees_page(examples.disclosure(personal="count"), "Acme"))
    for disclosure in DISCLOSURES:
        assert disclosure.what in told
        assert f"{disclosure.why} Seen by: {disclosure.who}." in told


@pytest.mark.parametrize("kind", ["installed", "unretained", "receipt"])
def test_each_observation_that_has_a_ceiling_of_its_own_is_told_in_its_own_words(kind: str) -> None:
    levels = {"work": "hour", "personal": "nothing", "unknown": "count"}
    page = examples.disclosure(work="exact", others={kind: levels})
    told = lines(sees_page(page, "Acme"))
    title = told.index(texts.TYPES[kind])
    words = texts.OF_A_SIDE[kind]
    assert f"At work: {words['hour']}" in told[title : title + 6]
    assert "On the personal side: nothing." in told[title : title + 6]
    closed = examples.disclosure(work="exact", others={kind: dict.fromkeys(levels, "count")})
    told = lines(sees_page(closed, "Acme"))
    assert told[told.index(texts.TYPES[kind]) + 1] == texts.NOT_FROM_HERE


def test_days_are_said_to_be_counted_where_no_more_is_told_and_nowhere_else() -> None:
    told = lines(sees_page(examples.disclosure(work="exact", personal="count"), "Acme"))
    title = told.index(texts.TYPES["daily_count"])
    assert f"On the personal side: {texts.DETAILS_OF_COUNTS['count']}" in told[title : title + 6]
    told = lines(sees_page(examples.disclosure(work="exact", personal="nothing"), "Acme"))
    assert told[told.index(texts.TYPES["daily_count"]) + 1] == texts.NOT_FROM_HERE


def test_what_is_about_the_person_comes_first() -> None:
    told = lines(sees_page(examples.disclosure(), "Acme"))
    order = [told.index(texts.TYPES[disclosure.type]) for disclosure in DISCLOSURES]
    personal = [place for place, disclosure in zip(order, DISCLOSURES, strict=True) if disclosure.personal]
    assert max(personal) < min(set(order) - set(personal))


@pytest.mark.parametrize("detail", DETAILS)
def test_each_ceiling_is_told_in_words_for_its_side(detail: str) -> None:
    told = lines(sees_page(examples.disclosure(personal=detail), "Acme"))
    assert f"On the personal side: {texts.DETAILS[detail]}" in told  # type: ignore[index]  # parametrized over its keys


def test_what_the_ceiling_closes_on_every_side_does_not_leave() -> None:
    closed = examples.disclosure(work="nothing")
    told = lines(sees_page(closed, "Acme"))
    at = told.index(texts.TYPES["sighting"])
    assert told[at + 1] == "Nothing of this leaves this device."
    assert told[told.index(texts.TYPES["receipt"]) + 1] == "Nothing of this leaves this device."
    assert told[told.index(texts.TYPES["heartbeat"]) + 1] != "Nothing of this leaves this device."


def test_whose_device_it_is() -> None:
    assert lines(sees_page(examples.disclosure(), "Acme"))[1] == "This device belongs to Acme."
    assert lines(sees_page(examples.disclosure(), None))[1] == "This device belongs to your company."
    own = examples.disclosure(ownership="personal")
    assert lines(sees_page(own, "Acme"))[1] == "This device is your own."


def test_until_the_notice_is_confirmed_the_page_says_that_nothing_leaves() -> None:
    due = lines(sees_page(examples.disclosure(notice_due=True), "Acme"))
    assert any("only a sign of life" in line for line in due)
    told = lines(sees_page(examples.disclosure(), "Acme"))
    assert not any("only a sign of life" in line for line in told)


def test_the_notice_tells_the_same_as_the_page() -> None:
    page = examples.disclosure()
    body = lines(sees_page(page, "Acme"))[2:]
    notice = lines(notice_page(page, "Acme"))
    assert set(body) <= set(notice)
    assert "Acme's messaging policy" in notice[1]
    assert "None" not in lines(notice_page(page, None))[1]


def test_without_the_agent_nothing_is_claimed_for_this_device() -> None:
    told = lines(unavailable_page("The agent is not there."))
    assert not any("At work:" in line or "30 days" in line for line in told)
    assert all(sentence in told for sentence in texts.NEVER)


def test_a_line_that_was_received_and_one_that_was_tried() -> None:
    row = examples.ledger_row(1)
    received = ledger_line(row, examples.NOW, UTC)
    assert (received.when, received.state) == ("11:53", "received")
    assert "received by the server 2026-11-23 11:53:31 UTC" in received.tooltip
    tried = ledger_line(msgspec.structs.replace(row, acknowledged=None, attempts=1), examples.NOW, UTC)
    assert tried.state == "tried 1 time"
    assert "not confirmed" in tried.tooltip
    assert tried.literal == row.literal


def heartbeat(number: int, **changes: object) -> LedgerRow:
    row = msgspec.structs.replace(
        examples.ledger_row(number), type="heartbeat", sentence="This device said that it is there."
    )
    return msgspec.structs.replace(row, **changes)


def lines_of(*rows: LedgerRow) -> list[LedgerLine]:
    return [ledger_line(row, examples.NOW, UTC) for row in rows]


def test_signs_of_life_in_a_row_stand_as_one_line() -> None:
    early = examples.NOW - timedelta(minutes=40)
    rows = (
        heartbeat(6),
        heartbeat(5),
        heartbeat(4, first_attempt=early),
        examples.ledger_row(3),
        heartbeat(2),
        examples.ledger_row(1),
    )
    many, report, single, _ = folded(lines_of(*rows))
    assert many.sentence == "This device said 3 times that it is there."
    assert many.when == f"{many.lines[2].when} to {many.lines[0].when}"
    assert many.state == "received"
    assert report.sentence.startswith("Telegram was started")
    assert (single.sentence, single.is_one) == ("This device said that it is there.", True)


def test_a_fold_says_how_many_of_it_were_not_received() -> None:
    lost = heartbeat(2, acknowledged=None)
    (fold,) = folded(lines_of(heartbeat(3), lost, lost))
    assert fold.state == "2 not received"
    (all_lost,) = folded(lines_of(lost, lost))
    assert all_lost.state == ledger_line(lost, examples.NOW, UTC).state


def test_a_fold_goes_on_in_the_next_part() -> None:
    (first,) = folded(lines_of(heartbeat(9), heartbeat(8)))
    whole, report = folded(lines_of(heartbeat(7), examples.ledger_row(6)), first)
    assert [line.number for line in whole.lines] == [9, 8, 7]
    assert not report.lines[0].is_sign_of_life
