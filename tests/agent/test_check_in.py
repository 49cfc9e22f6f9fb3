"""Check-in: exactly once whatever is lost on the way, and nothing of an answer that does not hold."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from agent.errors import CredentialError, DistrustError, UnreachableError
from agent.reporting.enrolment import current_enrolment
from agent.reporting.wishes import kept
from agent.store import STATE_FILE
from contract import wire
from contract.envelope import EVERY_DEVICE, Address, SigningKey, seal
from contract.messages import OBSERVATIONS_AT_MOST, CheckInReply, PolicyBundle
from contract.observations import PolicyAnswer, Trouble
from tests.fakes.device import Device, policy


@pytest.fixture
def device(tmp_path: Path) -> Device:
    one = Device(tmp_path)
    one.enrol()
    return one


def _details(device: Device) -> list[str]:
    return [one.detail for one in device.server.taken.values() if isinstance(one, Trouble)]


def test_what_is_acknowledged_is_not_sent_again(device: Device) -> None:
    device.report("first")
    device.check_in()
    device.report("second")
    device.check_in()
    assert _details(device) == ["first", "second"]
    assert [len(message.observations) for message in device.server.check_ins] == [1, 1]


def test_a_lost_request_and_a_lost_answer_lose_and_double_nothing(device: Device) -> None:
    device.report("first")
    device.server.is_down = True
    with pytest.raises(UnreachableError):
        device.check_in()
    device.server.is_down = False
    device.server.lose_answers = 2
    for word in ("second", "third"):
        device.report(word)
        with pytest.raises(UnreachableError):
            device.check_in()
    device.check_in()
    assert _details(device) == ["first", "second", "third"]
    assert device.server.forks == []
    assert device.outbox.count_due(device.clock.now()) == 0


def test_numbers_have_no_gap_and_survive_a_new_start(device: Device, tmp_path: Path) -> None:
    device.report("first")
    device.server.lose_answers = 1
    with pytest.raises(UnreachableError):
        device.check_in()
    again = Device(tmp_path)
    again.server, again.credentials = device.server, device.credentials
    again.seals._credentials = device.credentials
    again.report("second")
    again.check_in()
    assert sorted(device.server.digests) == [1, 2]
    assert _details(device) == ["first", "second"]


def test_more_than_one_message_holds_goes_in_several(device: Device) -> None:
    for number in range(OBSERVATIONS_AT_MOST + 7):
        device.report(f"number {number}")
    device.check_in()
    device.check_in()
    assert _details(device) == [f"number {number}" for number in range(OBSERVATIONS_AT_MOST + 7)]


def test_the_ledger_has_every_row_before_it_leaves(device: Device) -> None:
    device.report("first")
    device.server.is_down = True
    with pytest.raises(UnreachableError):
        device.check_in()
    rows = device.ledger.rows(None, 10, None)
    assert [(row.type, row.acknowledged) for row in rows[:2]] == [("trouble", None), ("heartbeat", None)]
    device.server.is_down = False
    device.check_in()
    row = next(row for row in device.ledger.rows(None, 10, None) if row.type == "trouble")
    assert row.acknowledged is not None
    assert row.attempts == 2
    assert row.literal.encode() == wire.encode(device.server.taken[1])


def test_each_row_of_the_ledger_is_another_although_the_outbox_was_empty_between(device: Device) -> None:
    for word in ("first", "second"):
        device.report(word)
        device.check_in()
    rows = [row for row in device.ledger.rows(None, 10, None) if row.type == "trouble"]
    assert [
        (word in row.literal, row.attempts) for word, row in zip(("second", "first"), rows, strict=True)
    ] == [
        (True, 1),
        (True, 1),
    ]


def test_each_check_in_moves_the_journals_head_even_if_nothing_happened(device: Device) -> None:
    device.check_in()
    device.check_in()
    heads = {message.journal.digest for message in device.server.check_ins}
    assert len(heads) == 2
    assert device.journal.first_broken() is None


def test_a_new_policy_is_put_in_force_and_said_so(device: Device) -> None:
    device.server.publish(policy())
    device.check_in()
    assert device.shelf.serial == 1
    device.check_in()
    answers = [one for one in device.server.taken.values() if isinstance(one, PolicyAnswer)]
    assert [(one.serial, one.outcome) for one in answers] == [(1, "applied")]
    assert device.server.check_ins[-1].policy_serial == 1


def _other_key(device: Device, bundle: PolicyBundle) -> str:
    return device.server.sealed_bundle(bundle, SigningKey.generate())


def _unsigned(_: Device, bundle: PolicyBundle) -> str:
    return wire.encode(bundle).decode()


def _tampered(device: Device, bundle: PolicyBundle) -> str:
    head, payload, signature = device.server.sealed_bundle(bundle, device.server.policy_key).split(".")
    swapped = "A" if payload[40] != "A" else "B"
    return ".".join((head, payload[:40] + swapped + payload[41:], signature))


def _older(device: Device, bundle: PolicyBundle) -> str:
    return device.server.sealed_bundle(msgspec.structs.replace(bundle, serial=1), device.server.policy_key)


def _expired(device: Device, bundle: PolicyBundle) -> str:
    old = msgspec.structs.replace(bundle, expires_at=device.clock.at - timedelta(seconds=1))
    return device.server.sealed_bundle(old, device.server.policy_key)


def _malformed(device: Device, _: PolicyBundle) -> str:
    address = Address(type="policy-bundle", tenant="acme", device=EVERY_DEVICE, direction="to_device")
    return seal(b'{"serial": "three"}', address, device.server.policy_key)


def _by_the_server_key(device: Device, bundle: PolicyBundle) -> str:
    return device.server.sealed_bundle(bundle, device.server.server_key)


@pytest.mark.parametrize(
    "make", [_other_key, _unsigned, _tampered, _older, _expired, _malformed, _by_the_server_key]
)
def test_a_policy_that_does_not_hold_is_refused_said_so_once_and_the_last_good_one_stays(
    device: Device, make: Callable[[Device, PolicyBundle], str]
) -> None:
    device.server.publish(policy())
    device.check_in()
    device.server.publish(policy(version=2))
    good = device.server.publish(policy(version=3))
    device.server.bundle = make(device, good)
    device.check_in()
    device.check_in()
    device.check_in()
    assert device.shelf.in_force is not None
    assert device.shelf.in_force.policy.version == 1
    refused = device.shelf.refused()
    assert refused is not None
    answers = [one for one in device.server.taken.values() if isinstance(one, PolicyAnswer)]
    assert [one.outcome for one in answers] == ["applied", "refused"]
    device.server.bundle = device.server.sealed_bundle(good, device.server.policy_key)
    device.check_in()
    assert device.shelf.serial == good.serial
    assert device.shelf.refused() is None


def test_an_old_answer_cannot_be_played_again(device: Device) -> None:
    answers: list[bytes] = []

    def keep(answer: bytes) -> bytes:
        answers.append(answer)
        return answer

    device.server.tamper = keep
    device.report("first")
    device.check_in()
    device.report("second")
    device.server.tamper = lambda _: answers[0]
    with pytest.raises(DistrustError) as caught:
        device.check_in()
    assert caught.value.reason == "answer_replayed"
    assert device.outbox.count_due(device.clock.now()) == 1


def test_an_answer_of_another_root_takes_nothing(device: Device) -> None:
    device.report("first")
    stranger = Device(Path(device.store.execute("PRAGMA database_list").fetchone()[2]).parent / "other")

    def by_stranger(answer: bytes) -> bytes:
        reply = wire.decode(CheckInReply, answer, limit_bytes=10**6)
        return wire.encode(msgspec.structs.replace(reply, certificates=stranger.server.certificates()))

    device.server.tamper = by_stranger
    with pytest.raises(DistrustError) as caught:
        device.check_in()
    assert caught.value.reason == "key_unknown"
    assert device.outbox.count_due(device.clock.now()) == 1


def test_a_stored_policy_that_was_changed_on_disk_is_not_believed(device: Device) -> None:
    device.server.publish(policy())
    device.check_in()
    device.store.execute("UPDATE bundle SET sealed = replace(sealed, '.', '.A')")
    enrolment = current_enrolment(device.store)
    assert enrolment is not None
    with pytest.raises(DistrustError):
        device.shelf.load(enrolment.trust)
    assert device.shelf.in_force is None
    device.check_in()
    assert device.shelf.serial == 1


def test_a_fork_is_reported_as_trouble(device: Device) -> None:
    device.report("first")
    device.check_in()
    device.store.remember("last_sequence", "0")
    device.report("another with the same number")
    device.check_in()
    assert device.server.forks == [1]
    device.store.remember("last_sequence", "1")
    device.check_in()
    assert [one.code for one in device.server.taken.values() if isinstance(one, Trouble)] == ["test", "fork"]


def test_a_key_is_believed_no_more_once_a_newer_one_has_served_here(tmp_path: Path) -> None:
    device = Device(tmp_path)
    device.enrol()
    device.server.publish(policy())
    device.check_in()
    stolen_server, stolen_policy = device.server.server_key, device.server.policy_key
    old_certificates = device.server.certificates()
    device.server.change_keys()
    device.server.publish(policy(version=2))
    device.check_in()
    assert device.shelf.serial == 2

    # A thief of the old keys still has their certificates, which have not run out.
    new_server, new_policy = device.server.server_key, device.server.policy_key
    certificates = (*device.server.certificates(), *old_certificates)
    device.server.certificates = lambda: certificates  # type: ignore[method-assign]
    device.server.server_key = stolen_server
    with pytest.raises(DistrustError) as distrusted:
        device.check_in()
    assert distrusted.value.reason == "key_superseded"

    device.server.server_key, device.server.policy_key = new_server, stolen_policy
    device.server.publish(policy(version=3))
    device.check_in()
    assert device.shelf.serial == 2
    refused = device.shelf.refused()
    assert refused is not None
    assert "has taken this one's place" in refused.sentence
    device.server.policy_key = new_policy
    device.server.publish(policy(version=4))
    device.check_in()
    assert device.shelf.serial == 4


def changing(folder: Path) -> tuple[Device, str]:
    """Return a device that has been asked for a new key, and its present one."""
    device = Device(folder)
    device.enrol()
    device.server.wants_new_key = True
    device.check_in()
    key = device.credentials.load()
    assert key is not None
    return device, key.public.text


def kept_key(device: Device) -> str:
    key = device.credentials.load()
    assert key is not None
    return key.public.text


def test_a_key_is_changed_when_the_server_asks_and_reports_go_on(tmp_path: Path) -> None:
    device, old = changing(tmp_path)
    assert device.check_ins.has_more_to_say()
    assert kept_key(device) == old
    device.report("under the old key")
    device.check_in()
    assert kept_key(device) != old
    assert not device.check_ins.has_more_to_say()
    device.report("under the new key")
    device.check_in()
    assert device.server.device_key is not None
    assert device.server.device_key.text == kept_key(device)
    assert sorted(device.server.taken) == [1, 2]


def test_a_lost_answer_while_the_key_is_changed_locks_nobody_out(tmp_path: Path) -> None:
    device, old = changing(tmp_path)
    device.server.lose_answers = 2
    for _ in range(2):
        with pytest.raises(UnreachableError):
            device.check_in()
        assert kept_key(device) == old
    device.check_in()
    device.check_in()
    assert device.server.device_key is not None
    assert device.server.device_key.text == kept_key(device) != old


def test_a_new_start_while_the_key_is_changed_goes_on_with_the_old_one(tmp_path: Path) -> None:
    device, old = changing(tmp_path)
    device.server.lose_answers = 1
    with pytest.raises(UnreachableError):
        device.check_in()
    device.store.close()
    again = Device(tmp_path)
    again.server, again.credentials, again.clock = device.server, device.credentials, device.clock
    again.seals._credentials = device.credentials
    again.report("after a new start")
    again.check_in()
    assert kept_key(again) == old
    assert len(again.server.taken) == 1


def test_a_key_that_cannot_be_kept_is_not_changed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device, old = changing(tmp_path)

    def full(_key: SigningKey) -> None:
        raise CredentialError("The disk is full.", "Free some space.")

    monkeypatch.setattr(device.credentials, "keep", full)
    with pytest.raises(CredentialError):
        device.check_in()
    assert kept_key(device) == old
    monkeypatch.undo()
    device.check_in()
    assert kept_key(device) != old
    device.check_in()


def test_what_the_server_wishes_for_is_kept_until_it_wishes_for_something_else(
    device: Device, tmp_path: Path
) -> None:
    assert kept(tmp_path) == {}
    device.server.wishes = {"poll_milliseconds": 2000}
    device.check_in()
    assert kept(tmp_path) == {"poll_milliseconds": 2000, "check_in_seconds": 300}
    device.server.wishes, device.server.next_check_in_seconds = {}, 60
    device.check_in()
    assert kept(tmp_path) == {"check_in_seconds": 60}


def test_where_the_state_cannot_be_read_nothing_is_wished_for(tmp_path: Path) -> None:
    assert kept(tmp_path / "elsewhere") == {}
    (tmp_path / STATE_FILE).write_text("no database")
    assert kept(tmp_path) == {}
