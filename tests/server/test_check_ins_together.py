"""Check-ins that wait at the same moment are taken together: the plain ones, all or none; whoever is not plain harms nobody."""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connection

from contract import wire
from contract.messages import ObservationBody, SealedRequest
from server.fleet import agent_api, check_ins, revocation
from server.fleet.models import CheckInRecord, Device, ReceivedObservation, Sighting
from server.fleet.pace import Pace
from server.fleet.sequences import GAPS_AT_MOST
from server.identity import Identity
from server.policies.models import Publication
from tests.server.conftest import FakeClock, as_environ, seen
from tests.server.simulated_device import Post, RefusedError, SimulatedDevice

Issue = Callable[..., str]
Fleet = list[SimulatedDevice]
Spoil = Callable[[SimulatedDevice, FakeClock], SealedRequest]


@pytest.fixture
def fleet(post: Post, issue: Issue) -> Fleet:
    secret = issue(uses=4)
    devices = [SimulatedDevice(post) for _ in range(4)]
    for device in devices:
        device.enrol(secret)
    return devices


def together(requests: Sequence[SealedRequest]) -> list[bytes | None]:
    return agent_api.together([as_environ(wire.encode(request)) for request in requests])


def plain(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    """Return a check-in that reports a sighting that started."""
    return device.request(device.report(seen(secrets.token_hex(16), "started", "violation", clock.now)))


def numbers(device: SimulatedDevice) -> list[int]:
    stored = ReceivedObservation.objects.filter(device=device.id).order_by("sequence")
    return list(stored.values_list("sequence", flat=True))


def test_all_are_taken_and_each_is_answered_for_itself(fleet: Fleet, clock: FakeClock) -> None:
    fleet[1].check_in(fleet[1].report(seen(secrets.token_hex(16), "ended", "attention", clock.now)))
    requests = [plain(device, clock) for device in fleet]
    for device, request, answer in zip(fleet, requests, together(requests), strict=True):
        assert answer is not None
        acknowledgement, _ = device.answered(request, answer)
        assert (acknowledgement.taken_up_to, acknowledgement.at) == (device.sequence, clock.now)
    assert [numbers(device) for device in fleet] == [[1], [1, 2], [1], [1]]
    assert set(Device.objects.values_list("state", flat=True)) == {"violation"}
    for record in CheckInRecord.objects.all():
        (observation,) = record.observations.all()
        assert observation.device_id == record.device_id


def test_together_and_alone_leave_the_same_behind(fleet: Fleet, clock: FakeClock) -> None:
    """Two devices say the very same, one together with others, the other alone; nothing tells them apart afterwards."""
    first, second, *others = fleet
    story = [
        seen("5e" * 16, "started", "violation", clock.now),
        seen("5e" * 16, "judged", "attention", clock.now + timedelta(minutes=5)),
        msgspec.structs.replace(seen("6e" * 16, "ended", "compliant", clock.now), at=None, detail="kind"),
        b'{"type":"hologram"}',
        b'{"type":"notice","version":1,"how":"shown","at":"2026-03-02T10:00:00Z"}',
    ]
    for part in (story, story[:1], []):
        sent = [[device.report(one, salt="00" * 16) for one in part] for device in (first, second)]
        second.check_in(*sent[1], policy_serial=1)
        lot = [first.request(*sent[0], policy_serial=1), *(plain(one, clock) for one in others)]
        assert None not in together(lot)
        clock.advance(timedelta(minutes=10))
    for model in (Device, Sighting, ReceivedObservation, CheckInRecord):
        mine, theirs = (_told(model, device.id) for device in (first, second))
        assert mine == theirs
        assert mine


def _told(model: Any, device: str) -> list[dict[str, Any]]:
    """Return everything of a device but what is its own by nature, and when the two spoke."""
    own = {
        "id",
        "device_id",
        "public_key",
        "hardware",
        "sealed",
        "check_in_id",
        "clock_behind_seconds",
        "enrolled_at",
    }
    name = "pk" if model is Device else "device"
    order = "pk" if model is not Sighting else "identity"
    return [
        {key: value for key, value in row.items() if key not in own}
        for row in model.objects.filter(**{name: device}).order_by(order).values()
    ]


def wrong_seal(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    stranger = SimulatedDevice(device.post)
    stranger.id = device.id
    return plain(stranger, clock)


def unknown_device(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    device.id = "nobody"
    return plain(device, clock)


def no_seal(_device: SimulatedDevice, _clock: FakeClock) -> SealedRequest:
    return SealedRequest(sealed="not.a.seal")


def another_body(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    request = plain(device, clock)
    changed = ObservationBody(sequence=device.sequence, salt=request.bodies[0].salt, body=msgspec.Raw(b"{}"))
    return msgspec.structs.replace(request, bodies=(changed,))


def revoked(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    revocation.revoke(Device.objects.get(pk=device.id), "alice", clock.now)
    return plain(device, clock)


def too_many_gaps(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    gaps = [[2 * number, 2 * number] for number in range(1, GAPS_AT_MOST + 1)]
    Device.objects.filter(pk=device.id).update(taken_highest=2 * GAPS_AT_MOST + 1, taken_gaps=gaps)
    return device.request(device.report(b"{}", sequence=3 * GAPS_AT_MOST))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (wrong_seal, "seal_signature"),
        (unknown_device, "device_unknown"),
        (no_seal, "seal_malformed"),
        (another_body, "digest_differs"),
        (revoked, "device_revoked"),
        (too_many_gaps, "too_many_gaps"),
    ],
)
def test_one_that_is_refused_harms_no_other_and_is_refused_by_name(
    fleet: Fleet, clock: FakeClock, spoil: Spoil, reason: str
) -> None:
    spoilt, *others = fleet
    together([plain(device, clock) for device in fleet])  # so that its key is remembered
    before = ReceivedObservation.objects.count()
    requests = [spoil(spoilt, clock), *(plain(device, clock) for device in others)]
    answers = together(requests)
    assert [answer is None for answer in answers] == [True, False, False, False]
    assert [numbers(device) for device in others] == [[1, 2]] * 3
    assert ReceivedObservation.objects.count() == before + 3
    with pytest.raises(RefusedError, match=reason):
        spoilt.send(requests[0])


def again(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    request = plain(device, clock)
    device.send(request)
    return request


def fork(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    device.check_in(device.report(b"{}", sequence=9))
    return device.request(device.report(b'{"of":"the clone"}', sequence=9))


def shares_hardware(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
    Device.objects.filter(pk=device.id).update(shares_hardware=True)
    return plain(device, clock)


@pytest.mark.parametrize("special", [again, fork, shares_hardware])
def test_one_of_which_more_may_come_goes_alone(fleet: Fleet, clock: FakeClock, special: Spoil) -> None:
    requests = [special(fleet[0], clock), *(plain(device, clock) for device in fleet[1:])]
    assert [answer is None for answer in together(requests)] == [True, False, False, False]
    fleet[0].answered(requests[0], fleet[0].send(requests[0]))


def test_two_of_one_device_go_one_after_the_other(fleet: Fleet, clock: FakeClock) -> None:
    device = fleet[0]
    requests = [plain(device, clock), plain(device, clock)]
    first, second = together(requests)
    assert (first is None, second is None, numbers(device)) == (False, True, [1])
    assert device.answered(requests[1], device.send(requests[1]))[0].taken_up_to == 2


def test_the_very_same_twice_in_one_lot_is_answered_once(fleet: Fleet, clock: FakeClock) -> None:
    request = plain(fleet[0], clock)
    assert [answer is None for answer in together([request, request])] == [False, True]
    assert numbers(fleet[0]) == [1]


@pytest.fixture
def poison(identity: Identity) -> Spoil:
    """Make check-ins that the database itself refuses at the last table but one; the test's transaction takes the index with it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX poison ON fleet_sighting (rule) WHERE rule = 'poison'")

    def poisoned(device: SimulatedDevice, clock: FakeClock) -> SealedRequest:
        both = [seen(secrets.token_hex(16), "started", "violation", clock.now, rule="poison") for _ in "ab"]
        return device.request(*(device.report(one) for one in both))

    return poisoned


@pytest.mark.expected_warnings("taken one by one", "could not be answered", "Internal Server Error")
def test_an_error_of_the_database_takes_nothing_of_any_and_each_then_comes_alone(
    fleet: Fleet, clock: FakeClock, poison: Spoil
) -> None:
    requests = [plain(fleet[0], clock), poison(fleet[1], clock), *(plain(one, clock) for one in fleet[2:])]
    assert together(requests) == [None] * 4
    assert not ReceivedObservation.objects.exists()
    assert not CheckInRecord.objects.exists()
    assert not Device.objects.exclude(last_check_in_at=None).exists()
    with pytest.raises(RefusedError) as refused:
        fleet[1].send(requests[1])
    assert (refused.value.status, refused.value.reason) == (500, "fault")
    for device, request in zip(fleet, requests, strict=True):
        if device is not fleet[1]:
            assert device.answered(request, device.send(request))[0].taken_up_to == 1
    assert [numbers(device) for device in fleet] == [[1], [], [1], [1]]


@pytest.mark.expected_warnings("taken one by one")
def test_after_an_error_the_next_are_taken_together_again(
    fleet: Fleet, clock: FakeClock, poison: Spoil
) -> None:
    assert together([poison(fleet[0], clock), plain(fleet[1], clock)]) == [None, None]
    assert None not in together([plain(device, clock) for device in fleet[1:]])


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("place", ["rows.update", "_reply"])
def test_an_end_before_the_commit_takes_nothing_and_one_after_it_doubles_nothing(
    fleet: Fleet, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    outside = len(
        connection.savepoint_ids
    )  # a test is a transaction itself, so that one within it is a savepoint

    def crash(*_: object) -> None:
        is_inside = len(connection.savepoint_ids) > outside
        assert is_inside == (place == "rows.update"), "answers are made after the commit"
        raise Crash

    requests = [plain(device, clock) for device in fleet]
    with monkeypatch.context() as patched:
        patched.setattr(f"server.fleet.check_ins.{place}", crash)
        with pytest.raises(Crash):
            together(requests)
    assert ReceivedObservation.objects.count() == (0 if place == "rows.update" else 4)
    for device, request in zip(fleet, requests, strict=True):
        assert device.answered(request, device.send(request))[0].taken_up_to == 1
        assert numbers(device) == [1]


def test_a_device_that_hurries_goes_alone_and_is_told_to_wait(
    fleet: Fleet, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_ins, "DEVICES", Pace(burst=2, a_second=1, clock=lambda: 1.0))
    for _ in range(2):
        assert None not in together([plain(fleet[0], clock)])
    request = plain(fleet[0], clock)
    assert together([request, plain(fleet[1], clock)])[0] is None
    with pytest.raises(RefusedError, match="too_often"):
        fleet[0].send(request)


def test_an_address_that_was_refused_too_often_is_not_answered_here(
    fleet: Fleet, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_api, "REFUSALS", Pace(burst=1, a_second=0.1, clock=lambda: 1.0))
    agent_api.REFUSALS.take("192.0.2.7")
    requests = [wire.encode(plain(device, clock)) for device in fleet[:2]]
    refused, taken = agent_api.together(
        [as_environ(requests[0], REMOTE_ADDR="192.0.2.7"), as_environ(requests[1])]
    )
    assert refused is None
    assert taken is not None


@pytest.mark.parametrize(
    "changes", [{"REQUEST_METHOD": "GET"}, {"CONTENT_TYPE": "text/plain"}, {"CONTENT_TYPE": ""}]
)
def test_what_is_no_check_in_by_its_form_goes_the_usual_way_with_its_body(
    fleet: Fleet, clock: FakeClock, changes: dict[str, str]
) -> None:
    request = as_environ(wire.encode(plain(fleet[0], clock)), **changes)
    assert agent_api.together([request]) == [None]
    assert request["wsgi.input"].read()
    malformed = as_environ(b"{")
    assert agent_api.together([malformed]) == [None]
    assert malformed["wsgi.input"].read() == b"{"


def test_a_key_changed_elsewhere_is_not_believed_from_memory(
    fleet: Fleet, clock: FakeClock, post: Post
) -> None:
    """Another replica has taken the device's next key; what this one remembers opens the old seal, and no more than that."""
    device = fleet[0]
    assert None not in together([plain(device, clock)])
    new = SimulatedDevice(post)
    new.id, new.root, new.sequence = device.id, device.root, device.sequence
    Device.objects.filter(pk=device.id).update(public_key=new.key.public.text)
    late = plain(device, clock)
    assert together([late]) == [None]
    with pytest.raises(RefusedError, match="seal_signature"):
        device.send(late)
    assert together([plain(new, clock)]) == [None], "what is remembered does not fit, and is forgotten"
    assert None not in together([plain(new, clock)])


def test_a_policy_published_elsewhere_comes_with_the_next_answer(
    fleet: Fleet, clock: FakeClock, publish: Callable[..., Publication]
) -> None:
    for version in (1, 2):
        serial = publish(version).serial
        requests = [plain(device, clock) for device in fleet]
        for device, request, answer in zip(fleet, requests, together(requests), strict=True):
            assert answer is not None
            acknowledgement, reply = device.answered(request, answer)
            assert acknowledgement.current_serial == serial
            assert device.bundle(reply).policy.version == version


def test_one_policy_text_does_not_stand_for_another_with_its_serial(
    fleet: Fleet, clock: FakeClock, publish: Callable[..., Publication]
) -> None:
    """Records restored from a backup may give a serial again; what was read before under it is not told then."""
    publish(1)
    fleet[0].check_in()
    Publication.objects.all().delete()
    clock.advance(timedelta(seconds=1))
    publish(2)
    assert fleet[1].bundle(fleet[1].check_in()[1]).policy.version == 2


def test_nothing_that_waits_is_nothing_to_do(identity: Identity) -> None:
    assert agent_api.together([]) == []
    assert agent_api.together([as_environ(b"")]) == [None]


@pytest.mark.expected_warnings("taken one by one")
def test_a_server_without_its_keys_leaves_it_to_the_usual_way(
    fleet: Fleet, clock: FakeClock, settings: Any, tmp_path: Path
) -> None:
    request = plain(fleet[0], clock)
    settings.STATE = tmp_path / "elsewhere"
    assert together([request]) == [None]


def test_a_time_in_a_zone_that_no_database_knows_is_taken(fleet: Fleet, clock: FakeClock) -> None:
    report = wire.encode(seen("5e" * 16, "started", "violation", clock.now)).replace(
        wire.encode(clock.now)[1:-1], b"2026-03-02T23:30:00+23:59"
    )
    device = fleet[0]
    assert device.check_in(device.report(report))[0].taken_up_to == 1
    sighting = Sighting.objects.get()
    assert sighting.started_at is not None
    assert sighting.started_at.isoformat() == "2026-03-01T23:31:00+00:00"
