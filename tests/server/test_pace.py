"""Whoever hurries waits, and nobody can make another wait."""

from collections.abc import Callable

import pytest
from django.test import Client

from server.fleet import agent_api, check_ins
from server.fleet.pace import REMEMBERED, Pace
from tests.server.simulated_device import Post, RefusedError, SimulatedDevice

Issue = Callable[..., str]


class HandClock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(params=["alone", "together"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


def test_a_burst_is_taken_and_then_as_many_as_come_back(hand: HandClock) -> None:
    pace = Pace(burst=3, a_second=2, clock=hand)
    assert [pace.take("a") for _ in range(4)] == [True, True, True, False]
    assert pace.take("b")
    hand.seconds += 1
    assert [pace.take("a") for _ in range(3)] == [True, True, False]
    hand.seconds += 1000
    assert [pace.take("a") for _ in range(4)] == [True, True, True, False]


def test_asking_whether_there_is_room_takes_none(hand: HandClock) -> None:
    pace = Pace(burst=1, a_second=1, clock=hand)
    assert pace.has_room("a")
    assert pace.has_room("a")
    pace.take("a")
    assert not pace.has_room("a")


def test_memory_is_bounded(hand: HandClock) -> None:
    pace = Pace(burst=1, a_second=1, clock=hand)
    for number in range(REMEMBERED + 10):
        pace.take(str(number))
    assert len(pace._left) == REMEMBERED
    assert pace.has_room("0")
    assert not pace.has_room(str(REMEMBERED))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, hand: HandClock) -> HandClock:
    monkeypatch.setattr(agent_api, "REFUSALS", Pace(burst=5, a_second=2, clock=hand))
    monkeypatch.setattr(check_ins, "DEVICES", Pace(burst=3, a_second=5, clock=hand))
    return hand


def test_a_device_that_hurries_is_told_to_wait_and_loses_nothing(
    small: HandClock, device: SimulatedDevice, post: Post
) -> None:
    for _ in range(3):
        device.check_in()
    with pytest.raises(RefusedError) as refused:
        device.check_in()
    assert (refused.value.status, refused.value.reason) == (429, "too_often")
    small.seconds += 1
    device.check_in()


def test_who_pretends_to_be_a_device_does_not_use_up_its_room(
    small: HandClock, device: SimulatedDevice, post: Post, issue: Issue
) -> None:
    thief = SimulatedDevice(post)
    thief.enrol(issue())
    thief.id = device.id
    for _ in range(4):
        with pytest.raises(RefusedError, match="seal_signature"):
            thief.check_in()
    for _ in range(3):
        device.check_in()


def test_an_address_that_is_refused_again_and_again_waits(small: HandClock, identity: object) -> None:
    client = Client()
    path = "/agent/v1/check-in"
    for _ in range(5):
        assert client.post(path, b"{", content_type="application/json").status_code == 400
    told = client.post(path, b"{", content_type="application/json")
    assert (told.status_code, told["Retry-After"]) == (429, "5")
    assert b"refused_too_often" in told.content
    elsewhere = client.post(path, b"{", content_type="application/json", REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 400
    small.seconds += 5
    assert client.post(path, b"{", content_type="application/json").status_code == 400


def test_what_is_answered_never_counts_against_an_address(small: HandClock, device: SimulatedDevice) -> None:
    for _ in range(20):
        small.seconds += 1
        device.check_in()
