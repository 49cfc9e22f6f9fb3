"""What the server holds of a device, told to that device alone: the very bytes, in parts, and nothing of anybody else's."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from contract import wire
from contract.envelope import Address, MessageType, SigningKey, seal, unseal
from contract.messages import (
    HeldCheckIn,
    Holdings,
    HoldingsReply,
    HoldingsRequest,
    SealedRequest,
)
from contract.observations import NoticeRecord, Trouble
from server.fleet import check_ins, holdings, revocation
from server.fleet.models import Device, ReceivedObservation
from server.identity import Identity
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, RefusedError, SimulatedDevice

PATH = "/agent/v1/holdings"
LIMIT = 1024 * 1024


def ask(
    device: SimulatedDevice,
    at: datetime,
    after: int = 0,
    key: SigningKey | None = None,
    kind: MessageType = "holdings-request",
) -> Holdings:
    address = Address(type=kind, tenant=device.tenant, device=device.id, direction="to_server")
    sealed = seal(wire.encode(HoldingsRequest(after=after, at=at)), address, key or device.key)
    status, answer = device.post(PATH, wire.encode(SealedRequest(sealed=sealed)))
    if status != 200:
        raise RefusedError(status, answer)
    reply = wire.decode(HoldingsReply, answer, limit_bytes=LIMIT)
    back = Address(type="holdings", tenant=device.tenant, device=device.id, direction="to_device")
    told = wire.decode(
        Holdings,
        unseal(reply.sealed, back, device._key("server", reply.certificates, reply.sealed)),
        limit_bytes=LIMIT,
    )
    assert told.request == wire.digest(sealed.encode())
    return told


@pytest.fixture
def busy(device: SimulatedDevice, clock: FakeClock) -> SimulatedDevice:
    device.check_in(device.report(NoticeRecord(version=1, how="shown", at=clock.now)))
    device.check_in(
        device.report(seen("1a" * 16, "started", "violation", clock.now)),
        device.report(b'{"type":"hologram","odd":"\\u00fc \xc3\xbc"}'),
    )
    device.check_in()
    return device


def test_it_is_told_the_very_bytes_and_what_was_made_of_them(busy: SimulatedDevice, clock: FakeClock) -> None:
    told = ask(busy, clock.now)
    kept = list(ReceivedObservation.objects.order_by("sequence"))
    bodies = [report.body for one in told.check_ins for report in one.reports]
    assert bodies == [bytes(one.body or b"").decode() for one in kept]
    assert '"odd":"\\u00fc ü"' in str(bodies[2])
    assert [len(one.reports) for one in told.check_ins] == [1, 2, 0]
    assert told.more_after is None
    about = told.about
    assert about is not None
    assert (about.name, about.ownership, about.sightings, about.public_key) == (
        "desk-1",
        "company",
        1,
        busy.key.public.text,
    )
    assert about.audit_entries == 1


def test_it_is_told_in_parts_that_leave_nothing_out(
    busy: SimulatedDevice, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ask(busy, clock.now)
    monkeypatch.setattr(holdings, "PART_BYTES", 100)
    parts: list[HeldCheckIn] = []
    after = 0
    while True:
        part = ask(busy, clock.now, after)
        assert (part.about is None) == bool(after)
        assert len(part.check_ins) == 1
        parts += part.check_ins
        if part.more_after is None:
            break
        after = part.more_after
    assert tuple(parts) == whole.check_ins


def test_what_was_erased_is_told_as_erased(busy: SimulatedDevice, clock: FakeClock) -> None:
    ReceivedObservation.objects.filter(sequence=2).update(body=None, salt="")
    reports = [report for one in ask(busy, clock.now).check_ins for report in one.reports]
    assert [(one.sequence, one.body is None) for one in reports] == [(1, False), (2, True), (3, False)]


def test_nobody_is_told_of_another(
    busy: SimulatedDevice, post: Post, issue: Callable[..., str], clock: FakeClock
) -> None:
    other = SimulatedDevice(post)
    other.enrol(issue(), device_name="desk-2")
    other.check_in(other.report(Trouble(code="mine", detail="mine", at=clock.now)))
    told = wire.encode(ask(other, clock.now))
    assert b"desk-2" in told
    assert b"desk-1" not in told
    assert b"elegram" not in told
    with pytest.raises(RefusedError) as caught:
        ask(busy, clock.now, key=other.key)
    assert caught.value.reason == "seal_signature"


@pytest.mark.parametrize("off", [timedelta(minutes=11), timedelta(minutes=-11), timedelta(days=400)])
def test_a_request_that_somebody_kept_is_not_answered(
    busy: SimulatedDevice, clock: FakeClock, off: timedelta
) -> None:
    with pytest.raises(RefusedError) as caught:
        ask(busy, clock.now - off)
    assert caught.value.reason == "not_timely"


def test_a_check_in_is_no_such_question_and_neither_is_a_device_that_is_out(
    busy: SimulatedDevice, clock: FakeClock, identity: Identity
) -> None:
    with pytest.raises(RefusedError) as caught:
        ask(busy, clock.now, kind="check-in")
    assert caught.value.reason == "seal_type"
    revocation.revoke(Device.objects.get(), "alice", clock.now)
    with pytest.raises(RefusedError) as caught:
        ask(busy, clock.now)
    assert caught.value.reason == "device_revoked"
    busy.id = "nobody"
    with pytest.raises(RefusedError) as caught:
        ask(busy, clock.now)
    assert caught.value.reason == "device_unknown"


def test_whoever_hurries_waits(
    busy: SimulatedDevice, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_ins.DEVICES, "take", lambda _: False)
    with pytest.raises(RefusedError) as caught:
        ask(busy, clock.now)
    assert caught.value.status == 429


def test_the_console_gives_the_same_to_whoever_answers_the_devices_user(
    busy: SimulatedDevice, clock: FakeClock, console: Client
) -> None:
    answer = console.get(f"/fleet/device/{busy.id}/holdings/")
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="decorum-{busy.id}.json"'
    given = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    told = ask(busy, clock.now)
    assert given["about"] == json.loads(wire.encode(told.about))
    assert given["check_ins"] == json.loads(wire.encode(told.check_ins))
    assert Client().get(f"/fleet/device/{busy.id}/holdings/").status_code == 302
