"""The ledger beside what the server holds: equal to the byte, and every difference by name."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import RefusedError, UnreachableError
from agent.reporting import comparing
from agent.reporting.comparing import Comparing
from agent.reporting.comparison import Comparer, Written
from agent.reporting.enrolment import current_enrolment
from contract.local import ComparisonPage, LedgerComparison
from contract.messages import HeldCheckIn, HeldReport, Holdings
from tests.fakes.central_server import START
from tests.fakes.device import Device


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Device:
    monkeypatch.setattr(comparing, "APART_SECONDS", 0.0)
    one = Device(tmp_path)
    one.enrol()
    for number in range(3):
        one.report(f"report {number}")
        one.check_in()
        one.clock.advance(timedelta(minutes=5))
    return one


def compare(device: Device, time: Callable[[], datetime | None] | None = None) -> ComparisonPage:
    async def once() -> ComparisonPage:
        one = Comparing(
            device.ledger,
            device.seals,
            device.server,
            device.clock,
            lambda: current_enrolment(device.store),
            time or device.check_ins.time,
        )
        one.begin()
        was_running = one.page.is_running
        await one.once()
        assert (was_running, one.page.is_running) == (True, False)
        return one.page

    return asyncio.run(once())


def outcome(device: Device) -> LedgerComparison:
    page = compare(device)
    assert page.problem is None
    assert page.result is not None
    return page.result


def change(device: Device, number: int, do: Callable[[HeldReport], HeldReport]) -> None:
    held = device.server.held[number]
    device.server.held[number] = msgspec.structs.replace(held, reports=tuple(map(do, held.reports)))


def test_both_are_equal_to_the_byte_and_the_question_itself_stands_in_the_ledger(device: Device) -> None:
    result = outcome(device)
    assert result.is_equal
    assert (result.equal_reports, result.equal_check_ins) == (3, 3)
    assert (result.erased_there, result.forgotten_here, result.not_arrived) == (0, 0, 0)
    questions = [row for row in device.ledger.rows(None, 100, None) if row.type == "question"]
    assert len(questions) == 3, "one for each part"
    assert all(row.acknowledged for row in questions)
    assert questions[0].sentence == "This device asked what the server holds of it."
    assert outcome(device).is_equal, "and asking again does not disturb it"


def test_one_byte_more_or_less_is_a_difference_on_both_sides(device: Device) -> None:
    change(device, 1, lambda one: msgspec.structs.replace(one, body=f"{one.body} "))
    result = outcome(device)
    assert not result.is_equal
    assert (result.equal_reports, result.missing_there, result.unknown_here) == (2, 1, 1)
    here, there = result.differences
    assert (here.side, there.side) == ("here", "there")
    assert "report 1" in here.literal
    assert there.literal == f"{here.literal} "


def test_what_the_server_has_lost_or_made_up_is_said(device: Device) -> None:
    del device.server.held[2]
    lost = outcome(device)
    assert (lost.missing_there, lost.unknown_here, lost.is_equal) == (1, 0, False)
    made_up = HeldReport(sequence=9, digest="0" * 64, body='{"type":"sighting"}')
    change(device, 0, lambda _: made_up)
    result = outcome(device)
    assert (result.missing_there, result.unknown_here) == (2, 1)


def test_what_was_erased_there_is_no_difference(device: Device) -> None:
    change(device, 0, lambda one: msgspec.structs.replace(one, body=None))
    result = outcome(device)
    assert result.is_equal
    assert (result.equal_reports, result.erased_there) == (2, 1)


def test_what_this_ledger_no_longer_has_is_older_and_no_difference(device: Device) -> None:
    with device.store.transaction():
        device.ledger.forget_before(START + timedelta(minutes=4))
    result = outcome(device)
    assert result.is_equal
    assert (result.equal_reports, result.forgotten_here) == (2, 2)


def test_a_report_whose_answer_was_lost_is_held_there_and_equal(device: Device) -> None:
    device.report("unheard")
    device.server.lose_answers = 1
    with pytest.raises(UnreachableError):
        device.check_in()
    assert outcome(device).equal_reports == 4
    device.report("never sent")
    device.server.is_down = True
    with pytest.raises(UnreachableError):
        device.check_in()
    device.server.is_down = False
    result = outcome(device)
    assert (result.equal_reports, result.not_arrived, result.is_equal) == (4, 1, True)


def test_what_is_sent_meanwhile_is_no_difference(device: Device) -> None:
    times = iter([device.check_ins.time])

    def time() -> datetime | None:
        if next(times, None):  # at the first question only
            device.report("meanwhile")
            device.check_in()
        return device.check_ins.time()

    result = compare(device, time).result
    assert result is not None
    assert result.is_equal
    assert (result.equal_reports, result.equal_check_ins) == (4, 4)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda server: setattr(server, "is_down", True), "nobody there"),
        (
            lambda server: setattr(server, "refusal", RefusedError("No.", "Update.", "path_unknown")),
            "does not tell what it holds",
        ),
        (
            lambda server: setattr(server, "refusal", RefusedError("Revoked.", "Ask.", "device_revoked")),
            "Revoked.",
        ),
        (
            lambda server: setattr(server, "tamper", lambda answer: answer[:-9] + b"AAAA" + answer[-5:]),
            "seal",
        ),
        (lambda server: setattr(server, "tamper", lambda _: b"[]"), "expected `object`"),
    ],
)
def test_what_goes_wrong_is_said_and_the_next_time_is_free(
    device: Device, break_it: Callable[[object], None], words: str
) -> None:
    was = (device.server.is_down, device.server.refusal, device.server.tamper, device.server.device)
    break_it(device.server)
    page = compare(device)
    assert page.result is None
    assert page.problem is not None
    assert words.lower() in f"{page.problem.sentence} {page.problem.remedy}".lower()
    device.server.is_down, device.server.refusal, device.server.tamper, device.server.device = was
    assert outcome(device).is_equal


def test_an_answer_to_another_question_is_not_believed(device: Device) -> None:
    answers: list[bytes] = []

    def first_again(answer: bytes) -> bytes:
        answers.append(answer)
        return answers[0]

    device.server.tamper = first_again
    page = compare(device)
    assert page.problem is not None
    assert "another message" in page.problem.sentence


LITERALS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8)


@given(here=LITERALS, there=LITERALS, erased=st.integers(0, 3))
def test_every_text_is_counted_exactly_once(here: list[str], there: list[str], erased: int) -> None:
    rows = [Written(0, "enrolment", None, b"{}", has_arrived=True)]
    rows += [
        Written(number, "sighting", None, text.encode(), has_arrived=True)
        for number, text in enumerate(here, start=1)
    ]
    comparer = Comparer(rows)
    reports = [HeldReport(sequence=1, digest="0" * 64, body=text) for text in (*there, *[None] * erased)]
    held = HeldCheckIn(number=1, received_at=START, sealed="x.e30.y", reports=tuple(reports))
    comparer.take(Holdings(request="0" * 64, at=START, about=None, check_ins=(held,), more_after=None))
    result = comparer.outcome(START)
    equal = sum(min(here.count(text), there.count(text)) for text in "abcd")
    assert result.equal_reports == equal
    assert result.unknown_here == len(there) - equal
    assert result.missing_there == max(0, len(here) - equal - erased)
    assert result.is_equal == (len(there) == equal and len(here) - equal <= erased)
