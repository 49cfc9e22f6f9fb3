from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ui.present.moments import day, exactly, when

NOW = datetime(2026, 11, 23, 12, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), "00:00"),
        (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), "23:59"),
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), "yesterday 23:59"),
        (datetime(2026, 11, 21, 9, 5, tzinfo=UTC), "Sat 09:05"),
        (datetime(2026, 11, 17, 9, 5, tzinfo=UTC), "Tue 09:05"),
        (datetime(2026, 11, 16, 9, 5, tzinfo=UTC), "16 Nov 09:05"),
        (datetime(2026, 1, 2, 9, 5, tzinfo=UTC), "2 Jan 2026"),
        (datetime(2026, 11, 24, 0, 1, tzinfo=UTC), "24 Nov 00:01"),
        (datetime(2028, 11, 23, 12, 4, tzinfo=UTC), "23 Nov 2028"),
    ],
)
def test_a_moment_is_as_short_as_it_can_be_without_doubt(moment: datetime, words: str) -> None:
    assert when(moment, NOW, UTC) == words


def test_what_was_today_is_yesterday_after_midnight() -> None:
    moment = datetime(2026, 11, 23, 23, 58, tzinfo=UTC)
    assert when(moment, moment + timedelta(minutes=1), UTC) == "23:58"
    assert when(moment, moment + timedelta(minutes=2), UTC) == "yesterday 23:58"


def test_the_day_is_the_users_own_not_that_of_utc() -> None:
    moment = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert when(moment, NOW, ZoneInfo("Europe/Berlin")) == "00:30"
    assert when(moment, NOW, ZoneInfo("America/New_York")) == "yesterday 18:30"


def test_the_night_that_ends_summer_time_keeps_both_clocks_right() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    after = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)
    before_change = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    after_change = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert when(before_change, after, berlin) == when(after_change, after, berlin) == "02:30"
    assert exactly(before_change, berlin) == "2026-10-25 02:30:00 CEST"
    assert exactly(after_change, berlin) == "2026-10-25 02:30:00 CET"


def test_a_day_is_the_users_own() -> None:
    assert day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin")) == "1 Jan 2027"
