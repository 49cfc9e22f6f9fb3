"""Office hours against a model of their own: sets of wall-clock minutes, and offsets from the law's own words."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.hours import DAYS, Day, HoursState, Interval, OfficeHours
from contract.wire import convert
from tests.contract.strategies import clock_times, intervals, offsets

A_MONDAY = date(2026, 1, 5)
SUMMER_TIMES = {
    # Directive 2000/84/EC: the last Sundays of March and October, at 01:00 UTC.
    "Europe/Berlin": [
        (datetime(2026, 3, 29, 1, tzinfo=UTC), 60, 120),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), 120, 60),
    ],
    # Energy Policy Act of 2005: second Sunday of March, first of November, at 02:00 by the clock before the change.
    "America/New_York": [
        (datetime(2026, 3, 8, 7, tzinfo=UTC), -300, -240),
        (datetime(2026, 11, 1, 6, tzinfo=UTC), -240, -300),
    ],
    # New South Wales' Standard Time Act 1987: first Sundays of April and October, by half an hour.
    "Australia/Lord_Howe": [
        (datetime(2026, 4, 4, 15, tzinfo=UTC), 660, 630),
        (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), 630, 660),
    ],
}


def offset_minutes(zone: str, at: datetime) -> int:
    (first, before, between), (second, _, after) = SUMMER_TIMES[zone]
    return before if at < first else between if at < second else after


def minute_of(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def minutes_held(interval: Interval, holidays: tuple[date, ...], days: range) -> set[int]:
    """The wall-clock minutes since A_MONDAY that an interval holds, written out one by one."""
    held: set[int] = set()
    off = {(holiday - A_MONDAY).days for holiday in holidays}
    for day in days:
        if DAYS[day % 7] in interval.days and day not in off:
            start, end = minute_of(interval.start), minute_of(interval.end)
            length = end - start if end > start else end + 1440 - start
            held.update(day * 1440 + start + minute for minute in range(length))
    return held


def modelled(hours: OfficeHours, at: datetime, offset: int) -> HoursState:
    minute = (at - datetime(2026, 1, 5, tzinfo=UTC)) // timedelta(minutes=1) + offset
    days = range(minute // 1440 - 2, minute // 1440 + 2)
    if not any(minute in minutes_held(one, hours.holidays, days) for one in hours.work):
        return "outside"
    # A break that begins on a holiday is one of a shift that began the day before.
    return "break" if any(minute in minutes_held(one, (), days) for one in hours.breaks) else "office_hours"


def hours_of(zone: st.SearchStrategy[str]) -> st.SearchStrategy[OfficeHours]:
    return st.builds(
        OfficeHours,
        time_zone=zone,
        work=st.lists(intervals, max_size=3).map(tuple),
        breaks=st.lists(intervals, max_size=2).map(tuple),
        holidays=st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=3).map(tuple),
    )


changes = st.sampled_from([(zone, change[0]) for zone, both in SUMMER_TIMES.items() for change in both])
near = st.timedeltas(timedelta(hours=-30), timedelta(hours=30))
in_2026 = st.datetimes(datetime(2026, 1, 3), datetime(2026, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@settings(max_examples=400)
@given(hours_of(st.just("Europe/Berlin")), changes, near)
def test_around_every_change_of_the_clocks_the_wall_clock_decides(
    hours: OfficeHours, change: tuple[str, datetime], away: timedelta
) -> None:
    zone, at = change[0], change[1] + away
    named = OfficeHours(
        time_zone=zone, work=hours.work, breaks=hours.breaks, holidays=(*hours.holidays, change[1].date())
    )
    assert named.state(at) == modelled(named, at, offset_minutes(zone, at))


@settings(max_examples=200)
@given(hours_of(st.sampled_from(sorted(SUMMER_TIMES))), in_2026)
def test_all_year_round_the_zone_that_is_named_decides(hours: OfficeHours, at: datetime) -> None:
    assert hours.state(at) == modelled(hours, at, offset_minutes(hours.time_zone, at))


@given(hours_of(st.sampled_from(sorted(SUMMER_TIMES))), in_2026, offsets)
def test_where_the_device_is_makes_no_difference_in_a_named_zone(
    hours: OfficeHours, at: datetime, elsewhere: timezone
) -> None:
    assert hours.state(at.astimezone(elsewhere)) == hours.state(at)


@given(hours_of(st.just("local")), in_2026, st.integers(-14 * 60, 14 * 60))
def test_local_hours_follow_the_device(hours: OfficeHours, at: datetime, offset: int) -> None:
    assert hours.state(at.astimezone(timezone(timedelta(minutes=offset)))) == modelled(hours, at, offset)


def of(
    days: list[Day], start: str, end: str, zone: str = "Europe/Berlin", **more: tuple[object, ...]
) -> OfficeHours:
    return OfficeHours(time_zone=zone, work=(Interval(days=tuple(days), start=start, end=end),), **more)  # type: ignore[arg-type]  # breaks or holidays


def worked(hours: OfficeHours, start: datetime) -> timedelta:
    """How much of the two days from a moment on is office time, in real minutes."""
    minutes = (start + timedelta(minutes=number) for number in range(2880))
    return timedelta(minutes=sum(hours.state(at) == "office_hours" for at in minutes))


@pytest.mark.parametrize(
    ("zone", "saturday", "length"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), 7.0),
        ("Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 9.0),
        ("Europe/Berlin", datetime(2026, 6, 6, 12, tzinfo=UTC), 8.0),
        ("America/New_York", datetime(2026, 3, 7, 18, tzinfo=UTC), 7.0),
        ("America/New_York", datetime(2026, 10, 31, 18, tzinfo=UTC), 9.0),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 2, tzinfo=UTC), 8.5),
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 2, tzinfo=UTC), 7.5),
    ],
)
def test_a_night_shift_is_as_long_as_the_night_is(zone: str, saturday: datetime, length: float) -> None:
    assert worked(of(["sat"], "22:00", "06:00", zone), saturday) == timedelta(hours=length)


def test_an_hour_that_does_not_exist_that_night_has_no_minute() -> None:
    assert worked(of(["sun"], "02:00", "03:00"), datetime(2026, 3, 28, 12, tzinfo=UTC)) == timedelta(0)


def test_an_hour_that_comes_twice_that_night_counts_twice() -> None:
    assert worked(of(["sun"], "02:00", "03:00"), datetime(2026, 10, 24, 12, tzinfo=UTC)) == timedelta(hours=2)


def test_the_second_of_two_equal_wall_times_is_another_moment_elsewhere() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)
    new_york = of(["sat"], "21:00", "22:00", "America/New_York")
    assert new_york.state(first) == "outside"  # 20:30
    assert new_york.state(second) == "office_hours"  # 21:30
    at_home = of(["sun"], "02:30", "02:31", "local")
    assert at_home.state(first) == at_home.state(second) == "office_hours"


BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-03-02 08:59:59", "outside"),
        ("2026-03-02 09:00:00", "office_hours"),
        ("2026-03-02 16:59:59", "office_hours"),
        ("2026-03-02 17:00:00", "outside"),
        ("2026-03-01 12:00:00", "outside"),
        ("2026-03-06 12:00:00", "office_hours"),
        ("2026-03-07 12:00:00", "outside"),
    ],
)
def test_the_start_belongs_to_the_interval_and_the_end_does_not(moment: str, state: str) -> None:
    assert of(["mon", "tue", "wed", "thu", "fri"], "09:00", "17:00").state(at(moment)) == state


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-03-08 21:59", "outside"),
        ("2026-03-08 22:00", "office_hours"),
        ("2026-03-09 05:59", "office_hours"),  # Monday: the week begins, the shift goes on
        ("2026-03-09 06:00", "outside"),
        ("2026-03-09 22:00", "outside"),
        ("2026-03-08 03:00", "outside"),
    ],
)
def test_a_shift_goes_on_over_midnight_and_over_the_end_of_the_week(moment: str, state: str) -> None:
    assert of(["sun"], "22:00", "06:00").state(at(moment)) == state


def test_an_interval_that_ends_when_it_starts_is_a_whole_day() -> None:
    day = of(["mon"], "06:00", "06:00")
    assert worked(day, datetime(2026, 3, 1, 12, tzinfo=UTC)) == timedelta(hours=24)
    assert day.state(at("2026-03-03 05:59")) == "office_hours"
    assert day.state(at("2026-03-02 05:59")) == "outside"


def test_midnight_is_an_end() -> None:
    evening = of(["mon"], "18:00", "00:00")
    assert evening.state(at("2026-03-02 23:59")) == "office_hours"
    assert evening.state(at("2026-03-03 00:00")) == "outside"


def test_a_holiday_frees_the_day_on_which_the_shift_would_have_begun() -> None:
    nights = of(["thu", "fri"], "22:00", "06:00", holidays=(date(2026, 12, 25),))  # a Friday
    assert nights.state(at("2026-12-25 03:00")) == "office_hours"  # begun on Thursday
    assert nights.state(at("2026-12-25 23:00")) == "outside"
    assert nights.state(at("2026-12-26 03:00")) == "outside"


def test_a_break_holds_on_a_holiday_into_which_the_shift_goes_on() -> None:
    pause = Interval(days=("fri",), start="02:00", end="02:30")
    nights = of(["thu"], "22:00", "06:00", holidays=(date(2026, 12, 25),), breaks=(pause,))
    assert nights.state(at("2026-12-25 01:59")) == "office_hours"
    assert nights.state(at("2026-12-25 02:15")) == "break"
    assert nights.state(at("2026-12-25 02:30")) == "office_hours"


def test_a_break_outside_office_hours_is_nothing_but_outside() -> None:
    lunch = Interval(days=DAYS, start="12:00", end="13:00")
    weekdays = of(["mon"], "09:00", "17:00", breaks=(lunch,))
    assert weekdays.state(at("2026-03-02 12:30")) == "break"
    assert weekdays.state(at("2026-03-03 12:30")) == "outside"


def test_without_office_hours_it_is_always_outside() -> None:
    assert (
        OfficeHours(breaks=(Interval(days=DAYS, start="00:00", end="00:00"),)).state(at("2026-03-02 12:00"))
        == "outside"
    )


def test_a_zone_that_this_system_does_not_know_is_an_error_of_its_own() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        OfficeHours(time_zone="Europe/Atlantis").state(at("2026-03-02 12:00"))


@given(clock_times)
def test_every_clock_time_is_taken_as_it_is_written(time: str) -> None:
    assert convert(Interval, {"days": ["mon"], "start": time, "end": time}).start == time
