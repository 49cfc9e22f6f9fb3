from collections.abc import Iterator
from datetime import timedelta

import pytest

from server.fleet import spread
from server.fleet.models import Device
from tests.server.conftest import FakeClock
from tests.server.simulated_device import SimulatedDevice


@pytest.fixture(autouse=True)
def _counted_anew() -> Iterator[None]:
    counted = spread._devices
    counted.cache_clear()
    yield
    counted.cache_clear()


def test_a_small_fleet_may_come_at_once(device: SimulatedDevice) -> None:
    assert device.check_in()[0].spread_seconds == 0


def test_a_large_one_is_spread_by_its_size_counted_once_a_minute(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    assert device.check_in()[0].spread_seconds == 0
    one = Device.objects.get()
    Device.objects.bulk_create(
        Device(
            pk=f"{number:032x}",
            public_key=f"{number:043}",
            enrolled_at=clock.now,
            enrolled_with=one.enrolled_with,
            key_since=clock.now,
            silent_from=clock.now,
        )
        for number in range(149)
    )
    clock.advance(timedelta(minutes=1))
    assert device.check_in()[0].spread_seconds == 3


def test_nobody_waits_for_longer_than_an_hour(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> None:
    monkeypatch.setattr(spread, "_devices", lambda _minute: 10_000_000)
    assert spread.spread_seconds(clock.now) == 3600
