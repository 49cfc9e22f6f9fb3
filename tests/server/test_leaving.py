"""A person's own device leaves: nothing about it stays but a line without a name."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.db import models

from contract import wire
from contract.envelope import Address, SigningKey, seal, unseal
from contract.messages import LeaveReply, LeaveRequest, Left, SealedRequest
from server.access.models import AuditEntry
from server.fleet import revocation
from server.fleet.models import Device, EnrolmentSecret
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, RefusedError, SimulatedDevice

PATH = "/agent/v1/leave"
Enrol = Callable[..., SimulatedDevice]


def leave(device: SimulatedDevice, at: datetime, key: SigningKey | None = None) -> Left:
    address = Address(type="leave-request", tenant=device.tenant, device=device.id, direction="to_server")
    sealed = seal(wire.encode(LeaveRequest(at=at)), address, key or device.key)
    status, answer = device.post(PATH, wire.encode(SealedRequest(sealed=sealed)))
    if status != 200:
        raise RefusedError(status, answer)
    reply = wire.decode(LeaveReply, answer, limit_bytes=100_000)
    back = Address(type="left", tenant=device.tenant, device=device.id, direction="to_device")
    key_ = device._key("server", reply.certificates, reply.sealed)
    left = wire.decode(Left, unseal(reply.sealed, back, key_), limit_bytes=100_000)
    assert left.request == wire.digest(sealed.encode())
    return left


@pytest.fixture
def enrol(post: Post, issue: Callable[..., str], clock: FakeClock) -> Enrol:
    def enrolled(ownership: str = "personal") -> SimulatedDevice:
        device = SimulatedDevice(post)
        own = ownership == "personal"
        device.enrol(
            issue(),
            ownership=ownership,
            assurance="self_attested" if own else "managed",
            device_name=None if own else "desk-1",
        )
        device.check_in(device.report(seen("1a" * 16, "started", "violation", clock.now)))
        device.check_in()
        return device

    return enrolled


def rows_about(device: str) -> dict[str, int]:
    """Return how many rows of each table, the audit log aside, point at a device."""
    found = {}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            points = isinstance(field, models.ForeignKey) and field.related_model is Device
            if points or (model is Device and field.primary_key):
                found[f"{model.__name__}.{field.name}"] = model._default_manager.filter(
                    **{field.name: device}
                ).count()
    return found


def test_everything_about_it_is_erased_and_nothing_about_another(enrol: Enrol, clock: FakeClock) -> None:
    one, other = enrol(), enrol()
    before = rows_about(one.id)
    assert {name for name, count in before.items() if count} >= {
        "Device.id",
        "ReceivedObservation.device",
        "CheckInRecord.device",
        "Sighting.device",
        "ChannelSeen.device",
    }
    left = leave(one, clock.now)
    assert (left.reports, left.check_ins) == (1, 2)
    assert set(rows_about(one.id).values()) == {0}
    assert rows_about(other.id) == before
    assert EnrolmentSecret.objects.count() == 2
    entry = AuditEntry.objects.get(action="device.left")
    assert entry.subject == f"device {one.id}"
    assert entry.detail == "1 reports and 2 check-ins erased at its user's own wish"
    with pytest.raises(RefusedError) as caught:
        one.check_in()
    assert caught.value.reason == "device_unknown"
    with pytest.raises(RefusedError) as caught:
        leave(one, clock.now)
    assert caught.value.reason == "device_unknown"
    other.check_in()


def test_a_companys_device_is_taken_out_by_the_company_alone(enrol: Enrol, clock: FakeClock) -> None:
    one = enrol("company")
    with pytest.raises(RefusedError) as caught:
        leave(one, clock.now)
    assert (caught.value.status, caught.value.reason) == (403, "not_personal")
    assert Device.objects.filter(pk=one.id).exists()
    one.check_in()


def test_it_leaves_by_its_own_key_now_and_not_once_it_was_taken_out(enrol: Enrol, clock: FakeClock) -> None:
    one, other = enrol(), enrol()
    for at, key, reason in (
        (clock.now, other.key, "seal_signature"),
        (clock.now - timedelta(hours=1), None, "not_timely"),
    ):
        with pytest.raises(RefusedError) as caught:
            leave(one, at, key)
        assert caught.value.reason == reason
    revocation.revoke(Device.objects.get(pk=one.id), "alice", clock.now)
    with pytest.raises(RefusedError) as caught:
        leave(one, clock.now)
    assert caught.value.reason == "device_revoked"
    assert Device.objects.count() == 2


def test_a_record_that_took_the_place_of_another_can_leave(enrol: Enrol, clock: FakeClock) -> None:
    old, new = enrol(), enrol()
    revocation.replace(Device.objects.get(pk=old.id), Device.objects.get(pk=new.id), "alice", clock.now)
    leave(new, clock.now)
    assert Device.objects.get().replaced_by is None
