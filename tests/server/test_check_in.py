import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from contract import wire
from contract.envelope import Address, unseal
from contract.messages import OBSERVATIONS_AT_MOST, CheckIn, ObservationBody
from contract.observations import NoticeRecord, Trouble
from server.access.models import AuditEntry
from server.fleet.models import CheckInRecord, Device, ReceivedObservation, Sighting
from server.fleet.sequences import GAPS_AT_MOST
from server.policies.models import Publication
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, RefusedError, Report, SimulatedDevice

Publish = Callable[..., Publication]
Issue = Callable[..., str]


@pytest.fixture(params=["alone", "together"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def trouble(code: str, at: datetime) -> Trouble:
    return Trouble(code=code, detail="", at=at)


def test_what_was_reported_is_kept_byte_for_byte_with_its_seal(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    report = device.report(b'{"type":"trouble", "code":"x","detail":"y","at":"2026-03-02T10:00:00Z"}')
    device.check_in(report)
    kept = ReceivedObservation.objects.get()
    assert bytes(kept.body or b"") == report.body
    address = Address(type="check-in", tenant="acme", device=device.id, direction="to_server")
    payload = unseal(kept.check_in.sealed, address, device.key.public)
    listed = wire.decode(CheckIn, payload, limit_bytes=2**16).observations
    assert [(one.sequence, one.digest) for one in listed] == [(1, kept.digest)]


def test_each_number_is_taken_once_however_often_it_comes(device: SimulatedDevice, clock: FakeClock) -> None:
    reports = [device.report(trouble(f"t{number}", clock.now)) for number in range(3)]
    for _ in range(3):
        acknowledgement, _ = device.check_in(*reports)
        assert (acknowledgement.taken_up_to, acknowledgement.missing, acknowledgement.forks) == (3, (), ())
    assert ReceivedObservation.objects.count() == 3
    assert Device.objects.get().forked_at is None


def test_the_very_same_request_twice_is_taken_once(
    post: Post, device: SimulatedDevice, clock: FakeClock
) -> None:
    request = device.request(device.report(trouble("t", clock.now)))
    assert device.send(request)
    assert device.send(request)
    assert ReceivedObservation.objects.count() == 1


def test_the_same_number_with_another_digest_is_kept_flagged_and_told(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    device.check_in(device.report(trouble("mine", clock.now)), device.report(trouble("next", clock.now)))
    other = device.report(trouble("of the clone", clock.now), sequence=1)
    for _ in range(2):
        acknowledgement, _ = device.check_in(other)
        assert acknowledgement.forks == (1,)
        assert acknowledgement.taken_up_to == 2
    assert ReceivedObservation.objects.filter(sequence=1).count() == 2
    assert list(ReceivedObservation.objects.filter(is_fork=True).values_list("digest", flat=True)) == [
        other.digest
    ]
    assert Device.objects.get().forked_at == clock.now


def test_the_first_one_stays_no_fork_when_it_comes_again(device: SimulatedDevice, clock: FakeClock) -> None:
    mine = device.report(trouble("mine", clock.now))
    device.check_in(mine)
    device.check_in(device.report(trouble("of the clone", clock.now), sequence=1))
    assert device.check_in(mine)[0].forks == ()


def test_what_is_missing_is_asked_for_until_it_comes(device: SimulatedDevice, clock: FakeClock) -> None:
    reports = [device.report(trouble(f"t{number}", clock.now)) for number in range(1, 8)]
    acknowledgement, _ = device.check_in(reports[0], reports[3], reports[6])
    assert (acknowledgement.taken_up_to, acknowledgement.missing) == (1, ((2, 3), (5, 6)))
    acknowledgement, _ = device.check_in(reports[4])
    assert (acknowledgement.taken_up_to, acknowledgement.missing) == (1, ((2, 3), (6, 6)))
    acknowledgement, _ = device.check_in(*reports)
    assert (acknowledgement.taken_up_to, acknowledgement.missing, acknowledgement.forks) == (7, (), ())
    assert ReceivedObservation.objects.count() == 7


def test_a_device_that_leaves_too_many_gaps_is_refused_whole(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    number = 2
    for _ in range(GAPS_AT_MOST // OBSERVATIONS_AT_MOST):
        numbers = range(number, number + 2 * OBSERVATIONS_AT_MOST, 2)
        device.check_in(*(device.report(trouble("t", clock.now), sequence=one) for one in numbers))
        number += 2 * OBSERVATIONS_AT_MOST
    before = ReceivedObservation.objects.count()
    with pytest.raises(RefusedError, match="too_many_gaps"):
        device.check_in(device.report(trouble("t", clock.now), sequence=number))
    assert ReceivedObservation.objects.count() == before


def test_a_body_that_was_not_sealed_is_refused(device: SimulatedDevice, clock: FakeClock) -> None:
    report = device.report(trouble("sealed", clock.now))
    request = device.request(report)
    changed = ObservationBody(sequence=1, salt=report.salt, body=msgspec.Raw(b'{"type":"trouble"}'))
    for bodies, reason in (
        ((changed,), "digest_differs"),
        ((), "bodies_differ"),
        ((*request.bodies, *request.bodies), "bodies_differ"),
        ((msgspec.structs.replace(request.bodies[0], sequence=2),), "bodies_differ"),
    ):
        with pytest.raises(RefusedError) as refused:
            device.send(msgspec.structs.replace(request, bodies=bodies))
        assert (refused.value.status, refused.value.reason) == (400, reason)
    assert not ReceivedObservation.objects.exists()


def test_a_number_listed_twice_is_refused(device: SimulatedDevice, clock: FakeClock) -> None:
    report = device.report(trouble("t", clock.now))
    with pytest.raises(RefusedError, match="bodies_differ"):
        device.check_in(report, report)


def test_a_device_cannot_speak_for_another(post: Post, issue: Issue, device: SimulatedDevice) -> None:
    other = SimulatedDevice(post)
    other.enrol(issue())
    other.id = device.id
    with pytest.raises(RefusedError) as refused:
        other.check_in()
    assert (refused.value.status, refused.value.reason) == (401, "seal_signature")


def test_an_unknown_device_is_told_to_enrol(post: Post) -> None:
    stranger = SimulatedDevice(post)
    stranger.id = "nobody"
    with pytest.raises(RefusedError) as refused:
        stranger.check_in()
    assert (refused.value.status, refused.value.reason) == (401, "device_unknown")
    assert "Enrol" in refused.value.answer["remedy"]


def test_another_tenants_or_an_answers_seal_is_refused(device: SimulatedDevice) -> None:
    device.tenant = "other"
    with pytest.raises(RefusedError, match="seal_tenant"):
        device.check_in()


def test_a_type_of_a_newer_agent_is_kept_not_lost(device: SimulatedDevice) -> None:
    device.check_in(
        device.report(b'{"type":"hologram","shape":"cube"}'),
        device.report(b'{"type":"trouble"}'),
        device.report(b'"not even an object"'),
    )
    kinds = ReceivedObservation.objects.order_by("sequence").values_list("kind", flat=True)
    assert list(kinds) == ["unknown", "unreadable", "unreadable"]
    assert Device.objects.get().taken.up_to == 3


def test_the_servers_clock_going_back_is_not_told_to_the_device(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    first, _ = device.check_in()
    clock.advance(timedelta(hours=-3))
    second, _ = device.check_in()
    assert second.at == first.at


def test_the_bundle_comes_exactly_while_the_serial_differs(device: SimulatedDevice, publish: Publish) -> None:
    acknowledgement, reply = device.check_in()
    assert (acknowledgement.current_serial, reply.bundle) == (0, None)
    publish()
    acknowledgement, reply = device.check_in()
    assert acknowledgement.current_serial == 1
    assert device.bundle(reply).policy.company == "Acme"
    assert device.check_in()[1].bundle is None
    publish(version=2)
    assert device.bundle(device.check_in()[1]).serial == 2


def test_heartbeats_do_not_pile_up_and_evidence_stays(device: SimulatedDevice, clock: FakeClock) -> None:
    device.check_in(device.report(trouble("t", clock.now)))
    for _ in range(4):
        device.check_in()
    assert sorted(CheckInRecord.objects.values_list("reported", flat=True)) == [0, 1]


def test_a_refused_check_in_is_written_down_once(post: Post, issue: Issue, device: SimulatedDevice) -> None:
    clone = SimulatedDevice(post)
    clone.id = device.id
    for _ in range(3):
        with pytest.raises(RefusedError):
            clone.check_in()
    assert AuditEntry.objects.filter(action="check_in.seal_signature").count() == 1


def _story(device: SimulatedDevice, at: datetime) -> list[Report]:
    sighting = "5e" * 16
    return [
        device.report(seen(sighting, "started", "violation", at)),
        device.report(seen(sighting, "judged", "compliant", at + timedelta(minutes=5))),
        device.report(seen(sighting, "ended", "compliant", at + timedelta(minutes=9))),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_a_sighting_reads_the_same_in_whatever_order_its_reports_come(
    device: SimulatedDevice, clock: FakeClock, order: tuple[int, ...]
) -> None:
    reports = _story(device, clock.now)
    for number in order:
        device.check_in(reports[number])
    sighting = Sighting.objects.get()
    assert (sighting.verdict, sighting.is_open, sighting.started_at, sighting.ended_at) == (
        "compliant",
        False,
        clock.now,
        clock.now + timedelta(minutes=9),
    )


def test_the_devices_state_is_the_worst_of_what_is_open(device: SimulatedDevice, clock: FakeClock) -> None:
    def state() -> str:
        return Device.objects.get().state

    device.check_in()
    assert state() == "pending"
    device.check_in(policy_serial=1)
    assert state() == "pending", "before the notice nothing is collected, so nothing is known"
    device.check_in(device.report(NoticeRecord(version=1, how="shown", at=clock.now)), policy_serial=1)
    assert state() == "compliant"
    first, second = secrets.token_hex(16), secrets.token_hex(16)
    device.check_in(
        device.report(seen(first, "started", "violation", clock.now)),
        device.report(seen(second, "started", "attention", clock.now)),
        policy_serial=1,
    )
    assert state() == "violation"
    device.check_in(device.report(seen(first, "ended", "violation", clock.now)), policy_serial=1)
    assert state() == "attention"
    device.check_in(device.report(seen(second, "judged", "exempt", clock.now)), policy_serial=1)
    assert state() == "exempt"


def test_a_withheld_time_stays_withheld(device: SimulatedDevice, clock: FakeClock) -> None:
    full = seen("0a" * 16, "started", "violation", clock.now)
    coarse = msgspec.structs.replace(full, at=None, detail="kind", messenger=None, name=None, listed=None)
    device.check_in(device.report(coarse))
    sighting = Sighting.objects.get()
    assert (sighting.started_at, sighting.judged_at, sighting.messenger) == (None, None, None)
