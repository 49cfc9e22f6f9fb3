"""Leaving, seen from the device: what is asked, what is believed, and that nothing is erased before the server said so."""

from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import DistrustError, RefusedError, UnreachableError
from agent.reporting.enrolment import Enrolment, current_enrolment
from agent.reporting.leaving import LEFT_FACT, Leaver
from tests.fakes.device import Device


@pytest.fixture
def device(tmp_path: Path) -> Device:
    one = Device(tmp_path)
    one.enrol()
    one.report("something")
    one.check_in()
    return one


def enrolment(device: Device) -> Enrolment:
    found = current_enrolment(device.store)
    assert found is not None
    return found


def leaver(device: Device) -> Leaver:
    return Leaver(device.store, device.ledger, device.seals, device.server, device.clock)


def test_it_is_asked_under_seal_answered_under_seal_and_stands_in_the_ledger(device: Device) -> None:
    left = leaver(device).leave(enrolment(device))
    assert left is not None
    assert (left.reports, left.check_ins) == (1, 1)
    assert device.server.has_left
    newest = device.ledger.rows(None, 1, None)[0]
    assert (newest.type, newest.literal[:6]) == ("leaving", '{"at":')
    assert newest.sentence == "This device asked the server to erase everything about it."
    assert newest.acknowledged is not None


def test_an_answer_that_was_lost_on_its_way_is_as_good(device: Device) -> None:
    device.server.lose_answers = 1
    with pytest.raises(UnreachableError):
        leaver(device).leave(enrolment(device))
    assert leaver(device).leave(enrolment(device)) is None, "the server knows nothing of it any more"


def test_what_does_not_hold_is_not_believed_and_a_refusal_is_passed_on(device: Device) -> None:
    answers: list[bytes] = []

    def first_again(answer: bytes) -> bytes:
        answers.append(answer)
        return answers[0]

    for tamper in (lambda _: b"[]", lambda answer: answer[:-9] + b"AAAA" + answer[-5:]):
        device.server.tamper = tamper
        device.server.has_left = False
        with pytest.raises(DistrustError):
            leaver(device).leave(enrolment(device))
    device.server.tamper = first_again
    device.server.has_left = False
    assert leaver(device).leave(enrolment(device))
    device.server.has_left = False
    device.clock.advance(timedelta(minutes=1))
    with pytest.raises(DistrustError, match="another message"):
        leaver(device).leave(enrolment(device))
    device.server.refusal = RefusedError("The device is the company's.", "Ask.", "not_personal")
    with pytest.raises(RefusedError, match="the company's"):
        leaver(device).leave(enrolment(device))


def test_that_it_has_left_is_remembered_for_an_agent_that_runs(device: Device) -> None:
    assert device.store.fact(LEFT_FACT) is None
    leaver(device).remember()
    assert device.store.fact(LEFT_FACT)
