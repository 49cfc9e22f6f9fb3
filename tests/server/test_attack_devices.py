"""Devices, and what pretends to be one, that say what no agent of ours would say."""

import base64
import json
from collections.abc import Callable

import pytest

from contract.messages import SealedRequest
from server.fleet.models import Device, ReceivedObservation
from server.identity import Identity
from tests.server.simulated_device import Post, RefusedError, SimulatedDevice


def _message(header: str, payload: str = "{}", signature: bytes = b"a" * 64) -> bytes:
    parts = (header.encode(), payload.encode(), signature)
    sealed = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
    return json.dumps({"sealed": sealed}).encode()


@pytest.mark.parametrize("path", ["enrol", "check-in"])
@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"Ed25519","device":"\\ud800"}',
        '{"alg":"Ed25519","device":"\\u0000"}',
        '{"alg":"Ed25519","device":["a"]}',
        '{"alg":{},"device":"a"}',
        '{"alg":"none","device":"a"}',
        '{"alg":"Ed25519","device":"a","x":' + "9" * 6000 + "}",
        "[" * 5000,
        '["alg"]',
        "null",
    ],
)
def test_a_header_that_is_none_is_refused_with_a_sentence(
    identity: Identity, post: Post, path: str, header: str
) -> None:
    for payload in ("{}", "[" * 3000, '{"secret":"\\ud800.x"}'):
        status, answer = post(f"/agent/v1/{path}", _message(header, payload))
        assert status in {400, 401}
        assert json.loads(answer)["remedy"]


@pytest.mark.parametrize("kind", ["[]", "{}", '["sighting"]', "1e400", "null"])
def test_an_observation_of_an_impossible_kind_is_kept_and_said_to_be_unreadable(
    device: SimulatedDevice, kind: str
) -> None:
    acknowledgement, _ = device.check_in(device.report(b'{"type":%s}' % kind.encode()))
    assert acknowledgement.taken_up_to == 1
    assert ReceivedObservation.objects.get().kind == "unreadable"


def test_one_device_cannot_speak_for_another(
    device: SimulatedDevice, post: Post, issue: Callable[..., str]
) -> None:
    other = SimulatedDevice(post)
    other.enrol(issue())
    own_id, device.id = device.id, other.id
    with pytest.raises(RefusedError) as refused:
        device.check_in(device.report(b'{"type":"forged"}'))
    assert refused.value.reason == "seal_signature"
    assert not ReceivedObservation.objects.exists()
    assert Device.objects.get(pk=own_id).last_check_in_at is None


def test_bodies_of_another_device_do_not_fit(
    device: SimulatedDevice, post: Post, issue: Callable[..., str]
) -> None:
    other = SimulatedDevice(post)
    other.enrol(issue())
    own = device.request(device.report(b'{"type":"own"}'))
    foreign = other.request(other.report(b'{"type":"foreign"}'))
    with pytest.raises(RefusedError) as refused:
        device.send(SealedRequest(sealed=own.sealed, bodies=foreign.bodies))
    assert refused.value.reason == "digest_differs"
    assert not ReceivedObservation.objects.exists()


def test_the_last_number_there_is_leaves_one_gap(device: SimulatedDevice) -> None:
    acknowledgement, _ = device.check_in(device.report(b'{"type":"x"}', sequence=2**53))
    assert acknowledgement.missing == ((1, 2**53 - 1),)
    acknowledgement, _ = device.check_in(device.report(b'{"type":"y"}', sequence=1))
    assert acknowledgement.missing == ((2, 2**53 - 1),)
    assert acknowledgement.forks == ()
