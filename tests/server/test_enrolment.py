from collections.abc import Callable
from datetime import timedelta

import pytest

from contract import wire
from contract.envelope import SigningKey
from contract.messages import SealedRequest
from server.access.models import AuditEntry
from server.fleet import secrets
from server.fleet.models import Device, EnrolmentSecret
from server.identity import Identity
from tests.server.conftest import FakeClock
from tests.server.simulated_device import Post, RefusedError, SimulatedDevice

Issue = Callable[..., str]


def test_a_device_is_taken_in_and_told_by_a_certified_key(
    post: Post, issue: Issue, identity: Identity
) -> None:
    device = SimulatedDevice(post)
    enrolled = device.enrol(issue())
    assert (enrolled.tenant, enrolled.company, enrolled.public_key) == (
        "acme",
        "Acme",
        device.key.public.text,
    )
    assert device.root is not None
    assert device.root.fingerprint == identity.root_fingerprint
    assert Device.objects.get().pk == enrolled.device


def test_the_secret_itself_is_not_kept(issue: Issue, identity: Identity) -> None:
    text = issue()
    assert text.startswith("acme.")
    kept = EnrolmentSecret.objects.get()
    assert text not in repr(kept.__dict__)
    assert text.partition(".")[2] not in repr(list(AuditEntry.objects.values()))


def test_a_secret_takes_in_no_more_devices_than_its_quota(post: Post, issue: Issue) -> None:
    secret = issue(uses=2)
    for _ in range(2):
        SimulatedDevice(post).enrol(secret)
    with pytest.raises(RefusedError) as refused:
        SimulatedDevice(post).enrol(secret)
    assert (refused.value.status, refused.value.reason) == (403, "secret_used_up")
    assert Device.objects.count() == 2


def test_a_lost_answer_uses_nothing_up(post: Post, issue: Issue, clock: FakeClock) -> None:
    secret, device = issue(uses=1), SimulatedDevice(post)
    first = device.enrol(secret)
    clock.advance(
        timedelta(days=30)
    )  # the secret has run out meanwhile, and it is the one that took the device in
    assert device.enrol(secret).device == first.device
    assert EnrolmentSecret.objects.get().uses == 1
    assert Device.objects.count() == 1


def test_the_same_key_with_another_secret_is_the_same_device_and_uses_it(post: Post, issue: Issue) -> None:
    device = SimulatedDevice(post)
    first = device.enrol(issue(note="first"))
    assert device.enrol(issue(note="second"), ownership="personal").device == first.device
    assert EnrolmentSecret.objects.get(note="second").uses == 1
    assert Device.objects.get().ownership == "personal"


def test_a_known_key_with_a_spent_secret_of_others_is_refused(post: Post, issue: Issue) -> None:
    device, spent = SimulatedDevice(post), issue()
    device.enrol(issue())
    SimulatedDevice(post).enrol(spent)
    with pytest.raises(RefusedError, match="secret_used_up"):
        device.enrol(spent)


def test_secrets_end_are_taken_back_or_were_never_known(post: Post, issue: Issue, clock: FakeClock) -> None:
    ended, revoked = issue(days=1), issue(days=30, note="revoked")
    secrets.revoke(EnrolmentSecret.objects.get(note="revoked"), "alice", clock.now)
    clock.advance(timedelta(days=1))
    for secret, reason in (
        (ended, "secret_expired"),
        (revoked, "secret_revoked"),
        ("acme.never-issued", "secret_unknown"),
    ):
        with pytest.raises(RefusedError) as refused:
            SimulatedDevice(post).enrol(secret)
        assert (refused.value.status, refused.value.reason) == (403, reason)
        assert refused.value.answer["detail"]
        assert refused.value.answer["remedy"]
    assert not Device.objects.exists()


def test_a_repeated_refusal_is_written_down_once_in_twelve_hours(
    post: Post, issue: Issue, clock: FakeClock
) -> None:
    secret = issue()
    SimulatedDevice(post).enrol(secret)
    refusals = AuditEntry.objects.filter(action="enrolment.secret_used_up")
    for hours, expected in ((0, 1), (11, 1), (2, 2)):
        clock.advance(timedelta(hours=hours))
        for _ in range(3):
            with pytest.raises(RefusedError):
                SimulatedDevice(post).enrol(secret)
        assert refusals.count() == expected


def test_made_up_secrets_cannot_flood_the_log(post: Post) -> None:
    for number in range(5):
        with pytest.raises(RefusedError):
            SimulatedDevice(post).enrol(f"acme.made-up-{number}")
    assert AuditEntry.objects.count() == 1


def test_another_tenant_is_refused(post: Post, issue: Issue) -> None:
    with pytest.raises(RefusedError, match="seal_tenant"):
        SimulatedDevice(post, tenant="other").enrol(issue())


def test_a_secret_of_another_companys_server_is_refused_as_that(post: Post, identity: Identity) -> None:
    with pytest.raises(RefusedError, match="another company's server") as refused:
        SimulatedDevice(post, tenant="other").enrol("other.a-secret-of-theirs")
    assert (refused.value.status, refused.value.reason) == (403, "secret_of_another_server")


def test_a_key_that_is_not_held_is_refused(post: Post, issue: Issue) -> None:
    thief = SimulatedDevice(post)
    with pytest.raises(RefusedError, match="seal_signature"):
        thief.enrol(issue(), public_key=SigningKey.generate().public.text)


def test_a_check_in_is_no_enrolment(post: Post, device: SimulatedDevice) -> None:
    status, answer = post("/agent/v1/enrol", wire.encode(device.request()))
    assert status == 400
    assert b'"malformed"' in answer


def test_shared_hardware_flags_both_and_evicts_neither(post: Post, issue: Issue) -> None:
    hardware = "ab" * 32
    first, second, other = (SimulatedDevice(post) for _ in range(3))
    first.enrol(issue(), hardware=hardware)
    assert not Device.objects.get().shares_hardware
    second.enrol(issue(), hardware=hardware)
    other.enrol(issue())
    assert set(Device.objects.filter(shares_hardware=True).values_list("pk", flat=True)) == {
        first.id,
        second.id,
    }
    first.check_in()
    second.check_in()


def test_unknown_hardware_is_shared_with_nobody(post: Post, issue: Issue) -> None:
    for _ in range(2):
        SimulatedDevice(post).enrol(issue(), hardware=None)
    assert not Device.objects.filter(shares_hardware=True).exists()


def test_a_personal_devices_name_is_not_kept_even_if_told(post: Post, issue: Issue) -> None:
    SimulatedDevice(post).enrol(issue(), ownership="personal", device_name="annas-laptop")
    assert Device.objects.get().name is None


@pytest.mark.parametrize("sealed", ["", "no seal", "a.b.c", "e30.e30.", "\N{SNOWMAN}.\N{SNOWMAN}.x"])
def test_what_is_no_seal_is_refused_with_a_sentence(post: Post, sealed: str) -> None:
    for path in ("/agent/v1/enrol", "/agent/v1/check-in"):
        status, answer = post(path, wire.encode(SealedRequest(sealed=sealed)))
        assert status in {400, 401}
        assert answer.startswith(b'{"detail":')
