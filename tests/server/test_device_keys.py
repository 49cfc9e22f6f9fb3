"""A device's key is changed: asked for, proposed under the old one, proven by the new one; the old one is over once the new one has sealed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from contract import wire
from contract.envelope import Address, SigningKey, VerifyKey, seal, unseal
from contract.messages import CheckIn, KeyProof, NextKey
from server.access.models import AuditEntry
from server.fleet.models import CheckInRecord, Device, FormerKey, ReceivedObservation
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, RefusedError, SimulatedDevice

Issue = Callable[..., str]


@pytest.fixture(params=["alone", "together"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def record(device: SimulatedDevice) -> Device:
    return Device.objects.get(pk=device.id)


def proposal(device: SimulatedDevice, key: SigningKey, place_of: str = "", device_id: str = "") -> NextKey:
    address = Address(type="device-key", tenant="acme", device=device_id or device.id, direction="to_server")
    proof = KeyProof(takes_place_of=place_of or device.key.public.text)
    return NextKey(public_key=key.public.text, proof=seal(wire.encode(proof), address, key))


def test_a_key_is_asked_for_once_it_is_a_year_old(device: SimulatedDevice, clock: FakeClock) -> None:
    clock.advance(timedelta(days=364))
    assert not device.check_in()[0].wants_new_key
    clock.advance(timedelta(days=1))
    assert device.check_in()[0].wants_new_key


def test_an_administrator_may_ask_at_once(console: Client, device: SimulatedDevice) -> None:
    page = console.post(f"/fleet/device/{device.id}/ask-key/", follow=True).content.decode()
    assert "is asked for a new key" in page
    assert "a new one is asked for" in page
    assert device.check_in()[0].wants_new_key
    assert AuditEntry.objects.get(action="device.key_asked").actor == "alice"
    assert console.get(f"/fleet/device/{device.id}/ask-key/").status_code == 403


def test_the_old_key_is_over_once_the_new_one_has_sealed(device: SimulatedDevice, clock: FakeClock) -> None:
    old, new = device.key, SigningKey.generate()
    clock.advance(timedelta(days=365))
    told, _ = device.check_in(
        device.report(seen("1a" * 16, "started", "violation", clock.now)), next_key=proposal(device, new)
    )
    assert (told.next_key, told.wants_new_key) == (new.public.text, False)
    device.check_in()  # the answer was lost: the old key still holds
    device.key = new
    told, _ = device.check_in(device.report(seen("1a" * 16, "ended", "violation", clock.now)))
    assert (told.next_key, told.wants_new_key) == (None, False)
    device.key = old
    with pytest.raises(RefusedError, match="seal_signature"):
        device.check_in()
    assert ReceivedObservation.objects.count() == 2
    assert AuditEntry.objects.get(action="device.key_changed").detail == new.public.fingerprint


def test_what_was_sealed_before_still_verifies_with_the_former_key(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    new = SigningKey.generate()
    device.check_in(
        device.report(seen("1a" * 16, "started", "violation", clock.now)), next_key=proposal(device, new)
    )
    device.key = new
    device.check_in()
    former = FormerKey.objects.get()
    address = Address(type="check-in", tenant="acme", device=device.id, direction="to_server")
    sealed = CheckInRecord.objects.get(reported=1).sealed
    said = wire.decode(CheckIn, unseal(sealed, address, VerifyKey(former.public_key)), limit_bytes=2**17)
    assert len(said.observations) == 1
    assert former.until == clock.now


def test_a_key_that_is_not_held_is_refused(device: SimulatedDevice, post: Post, issue: Issue) -> None:
    stolen = SimulatedDevice(post)
    stolen.enrol(issue())
    mine, theirs = SigningKey.generate(), stolen.key
    wrong = {
        "of another": proposal(device, theirs),
        "for another device": proposal(device, mine, device_id="another"),
        "for another key": proposal(device, mine, place_of=theirs.public.text),
        "sealed by another": NextKey(
            public_key=mine.public.text, proof=proposal(device, SigningKey.generate()).proof
        ),
        "no seal": NextKey(public_key=mine.public.text, proof="x"),
    }
    for how, said in wrong.items():
        with pytest.raises(RefusedError) as refused:
            device.check_in(next_key=said)
        assert refused.value.reason in {"key_not_proven", "key_known"}, how
    assert record(device).next_public_key is None
    device.check_in()


def test_a_former_key_never_comes_back(device: SimulatedDevice) -> None:
    old, new = device.key, SigningKey.generate()
    device.check_in(next_key=proposal(device, new))
    device.key = new
    device.check_in()
    with pytest.raises(RefusedError, match="key_known"):
        device.check_in(next_key=proposal(device, old))


def test_a_later_proposal_takes_the_place_of_one_that_was_never_used(device: SimulatedDevice) -> None:
    first, second = SigningKey.generate(), SigningKey.generate()
    device.check_in(next_key=proposal(device, first))
    device.check_in(next_key=proposal(device, second))
    before, device.key = device.key, first
    with pytest.raises(RefusedError, match="seal_signature"):
        device.check_in()
    device.key = second
    device.check_in()
    assert record(device).public_key == second.public.text
    assert before.public.text == FormerKey.objects.get().public_key
