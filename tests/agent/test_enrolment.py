"""Enrolment: whom a new device believes, and what it tells before it does."""

from pathlib import Path

import msgspec
import pytest

from agent.errors import AlreadyEnrolledError, EnrolmentError, RefusedError
from agent.managed.files import Files
from agent.reporting.enrolment import current_enrolment
from agent.settings import load
from contract import wire
from contract.envelope import SigningKey
from contract.messages import EnrolmentReply
from tests.fakes.central_server import SECRET
from tests.fakes.device import Device


def test_without_a_fingerprint_the_met_root_is_pinned_and_said_so(tmp_path: Path) -> None:
    device = Device(tmp_path)
    enrolment = device.enrol()
    assert enrolment.pinned == "met"
    assert enrolment.trust.root == device.server.root.public
    assert current_enrolment(device.store) == enrolment


def test_with_the_right_fingerprint_it_is_given(tmp_path: Path) -> None:
    device = Device(tmp_path)
    settings = msgspec.structs.replace(
        load(None, Files(tmp_path / "none")), root_fingerprint=device.server.root.public.fingerprint
    )
    assert device.enrol(settings=settings).pinned == "given"


def test_another_root_than_the_settings_name_is_not_believed(tmp_path: Path) -> None:
    device = Device(tmp_path)
    other = SigningKey.generate().public.fingerprint
    settings = msgspec.structs.replace(load(None, Files(tmp_path / "none")), root_fingerprint=other)
    with pytest.raises(EnrolmentError, match="root key is not the one"):
        device.enrol(settings=settings)
    assert current_enrolment(device.store) is None


def test_a_root_that_did_not_certify_the_server_is_not_believed(tmp_path: Path) -> None:
    device = Device(tmp_path)

    def other_root(answer: bytes) -> bytes:
        reply = wire.decode(EnrolmentReply, answer, limit_bytes=10**6)
        return wire.encode(msgspec.structs.replace(reply, root=SigningKey.generate().public.text))

    device.server.tamper = other_root
    with pytest.raises(EnrolmentError, match="does not hold"):
        device.enrol()
    assert current_enrolment(device.store) is None


def test_a_wrong_secret_is_refused_with_the_servers_words_and_the_key_stays_for_the_next_try(
    tmp_path: Path,
) -> None:
    device = Device(tmp_path)
    with pytest.raises(RefusedError) as caught:
        device.enrol("acme.wrong")
    assert caught.value.reason == "secret_unknown"
    before = device.credentials.load()
    device.enrol()
    after = device.credentials.load()
    assert before is not None
    assert after is not None
    assert before.public == after.public


@pytest.mark.parametrize("secret", ["", "acme", ".x", "acme."])
def test_what_is_no_secret_never_leaves(tmp_path: Path, secret: str) -> None:
    device = Device(tmp_path)
    device.server.is_down = True
    with pytest.raises(EnrolmentError, match="no enrolment secret"):
        device.enrol(secret)
    assert device.ledger.rows(None, 10, None) == ()


def test_the_ledger_shows_the_enrolment_without_its_secret(tmp_path: Path) -> None:
    device = Device(tmp_path)
    device.enrol()
    (row,) = device.ledger.rows(None, 10, None)
    assert row.acknowledged is not None
    assert SECRET not in row.literal
    assert '"secret":"withheld"' in row.literal


def test_a_second_enrolment_is_refused_here(tmp_path: Path) -> None:
    device = Device(tmp_path)
    device.enrol()
    with pytest.raises(AlreadyEnrolledError):
        device.enrol()


def test_a_personal_device_never_tells_its_name(tmp_path: Path) -> None:
    device = Device(tmp_path)
    device.enrol()
    (row,) = device.ledger.rows(None, 10, None)
    assert '"device_name":null' in row.literal
    assert '"ownership":"personal"' in row.literal
