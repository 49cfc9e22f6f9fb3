"""Whether the wall clock can be believed: it is compared with what the server's sealed replies said."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.clock import DOUBT, ServerTime, SystemClock, best_time, is_in_doubt
from tests.fakes.device import HandClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def seen_at(clock: HandClock, server: datetime) -> ServerTime:
    return ServerTime(server, clock.monotonic(), clock.boot_id())


def test_without_a_sealed_reply_there_is_nothing_to_doubt_by() -> None:
    assert is_in_doubt(HandClock(NOON), None) is False


@pytest.mark.parametrize(
    ("off", "doubt"),
    [
        (0 * MINUTE, False),
        (DOUBT, False),
        (-DOUBT, False),
        (DOUBT + MINUTE / 60, True),
        (-DOUBT - MINUTE / 60, True),
    ],
)
def test_ten_minutes_either_way_are_believed_and_no_more(off: timedelta, doubt: object) -> None:
    clock = HandClock(NOON)
    seen = seen_at(clock, NOON)
    clock.advance(timedelta(days=3))
    clock.at += off
    assert is_in_doubt(clock, seen) is doubt


def test_a_clock_that_runs_evenly_stays_believed_however_long_it_is_offline() -> None:
    clock = HandClock(NOON)
    seen = seen_at(clock, NOON)
    for _ in range(100):
        clock.advance(timedelta(days=7))
        assert is_in_doubt(clock, seen) is False


def test_a_clock_in_another_zone_is_the_same_clock() -> None:
    clock = HandClock(NOON.astimezone())
    assert is_in_doubt(clock, seen_at(clock, NOON)) is False


def test_after_a_reboot_only_going_back_behind_the_last_reply_shows() -> None:
    clock = HandClock(NOON)
    seen = seen_at(clock, NOON)
    clock.boot, clock.seconds = "boot-2", 5.0
    clock.at = NOON + timedelta(days=30)
    assert is_in_doubt(clock, seen) is False
    clock.at = NOON - DOUBT
    assert is_in_doubt(clock, seen) is False
    clock.at = NOON - DOUBT - MINUTE
    assert is_in_doubt(clock, seen) is True


def test_the_systems_clock_knows_its_zone_and_never_goes_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is not None
    assert abs(clock.now() - datetime.now(UTC)) < MINUTE
    first = clock.monotonic()
    assert clock.monotonic() >= first > 0
    woken = clock.awake()
    assert clock.awake() >= woken > 0


def test_a_clock_that_counts_sleep_is_never_behind_one_that_does_not() -> None:
    clock = SystemClock(awake_seconds=lambda: 7.0)
    assert clock.awake() == 7.0
    awake = SystemClock().awake()
    assert SystemClock().monotonic() >= awake


def test_the_boot_has_the_systems_id_and_without_one_an_id_of_this_run() -> None:
    assert SystemClock(lambda: "4f6b").boot_id() == "4f6b"
    alone = SystemClock(lambda: None)
    assert alone.boot_id() == alone.boot_id() != SystemClock(lambda: None).boot_id()


def test_the_best_time_is_the_wall_clocks_while_it_can_be_believed() -> None:
    clock = HandClock(NOON)
    assert best_time(clock, None) == NOON
    assert best_time(clock, seen_at(clock, NOON + MINUTE)) == NOON


def test_on_a_clock_in_doubt_the_servers_time_goes_on() -> None:
    clock = HandClock(NOON)
    seen = seen_at(clock, NOON)
    clock.advance(timedelta(hours=3))
    clock.at += timedelta(days=1000)
    assert best_time(clock, seen) == NOON + timedelta(hours=3)


def test_after_a_reboot_into_the_past_no_time_is_known() -> None:
    clock = HandClock(NOON)
    seen = seen_at(clock, NOON)
    clock.boot, clock.at = "boot-2", NOON - timedelta(days=1000)
    assert best_time(clock, seen) is None
