"""The exposure of the fleet, of a messenger and of a device: what devices told of days that are over, counted once and right."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from contract.observations import ExposureObserved, NoticeRecord
from server.access import audit
from server.console import channels
from server.console.exposure import CHART_HEIGHT, CHART_WIDTH, answer
from server.fleet import exposure, figures, holdings, retention
from server.fleet.exposure import DAYS, Amount
from server.fleet.models import Device, ExposureDay
from server.fleet.retention import Limits
from server.policies.models import Publication
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, SimulatedDevice
from tests.server.test_console import page, words
from tests.server.test_leaving import leave

KEPT = Limits(1, records_days=200, personal_data_days=30)
HOUR = 3600


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    """What is kept for a while is forgotten between tests."""
    yield
    cache.clear()
    for kept in (figures._devices, figures._kept, channels._kept, exposure._kept):
        kept.cache_clear()


def told(
    number: int, day: date, hours: float = 2, uncaptured: float = 2, **changes: object
) -> ExposureObserved:
    """Return what was counted of Telegram on a day."""
    values: dict[str, object] = {
        "exposure": f"{number:032x}",
        "detail": "exact",
        "messenger": "telegram",
        "name": "Telegram",
        "kind": "consumer",
        "listed": True,
        "day": day,
        "sessions": 2,
        "uncaptured_sessions": 2,
        "seconds": round(hours * HOUR),
        "uncaptured_seconds": round(uncaptured * HOUR),
    }
    return ExposureObserved(**(values | changes))  # type: ignore[arg-type]  # checked when the server decodes it


def kind_alone(number: int, day: date) -> ExposureObserved:
    """Return what a ceiling of `kind` leaves of it."""
    return ExposureObserved(exposure=f"{number:032x}", detail="kind", kind="consumer", day=day, sessions=3)


def tell(device: SimulatedDevice, *observed: object) -> None:
    device.check_in(*(device.report(one) for one in observed))


def yesterday(clock: FakeClock) -> date:
    return exposure.span(clock.now)[1]


def panel(html: str) -> str:
    """Return what stands under `Exposure`."""
    return words(html.partition("<h3>Exposure")[2].partition("<h3>")[0])


@pytest.fixture
def fleet(
    post: Post, issue: Callable[..., str], publish: Callable[..., Publication], clock: FakeClock
) -> list[SimulatedDevice]:
    """Two of the company's, one of a person's own, and one that may tell of no duration; Teams is captured for half of its time."""
    publish()
    day = yesterday(clock)
    made = [SimulatedDevice(post) for _ in range(4)]
    for number, device in enumerate(made):
        ownership = "personal" if number == 2 else "company"
        device.enrol(issue(), device_name=None if number == 2 else f"desk-{number}", ownership=ownership)
    teams = {"messenger": "microsoft-teams", "name": "Microsoft Teams", "kind": "business"}
    tell(
        made[0],
        told(1, day, 3, 3),
        told(2, day, 4, 2, **teams),
        seen("ab" * 16, "started", "violation", clock.now),
    )
    tell(made[1], told(3, day - timedelta(days=1), 2, 0, **teams))
    tell(made[2], told(4, day - timedelta(days=9), 1, 1))
    tell(made[3], kind_alone(5, day))
    return made


def test_without_a_report_it_is_said_that_nothing_is_known(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    assert "Nothing was reported" in panel(page(console, "/"))
    assert "Nothing was reported" in panel(page(console, f"/fleet/device/{device.id}/change/"))
    assert answer(exposure.exposure(clock.now)).bars == ()


def test_the_first_page_says_in_one_number_what_the_exposure_is(
    console: Client, fleet: list[SimulatedDevice], clock: FakeClock
) -> None:
    counted = exposure.exposure(clock.now)
    assert counted.total == Amount(10 * HOUR, 6 * HOUR)
    assert counted.by_messenger == {
        "telegram": Amount(4 * HOUR, 4 * HOUR),
        "microsoft-teams": Amount(6 * HOUR, 2 * HOUR),
    }
    assert counted.by_ownership == {"company": Amount(9 * HOUR, 5 * HOUR), "personal": Amount(HOUR, HOUR)}
    shown = panel(page(console, "/"))
    assert "60 % of 10 h 0 min" in shown
    assert "on 2 devices" in shown
    assert "Company: 56 % of 9 h 0 min" in shown
    assert "Personal (BYOD): 100 % of 1 h 0 min" in shown
    assert "Last 7 days: 56 % of 9 h 0 min. The 7 before: 100 % of 1 h 0 min." in shown
    assert "On 1 device messengers were open at work for a time that may not be told" in shown


def test_the_trend_has_every_day_and_a_bar_where_something_was_told(
    fleet: list[SimulatedDevice], clock: FakeClock
) -> None:
    bars = answer(exposure.exposure(clock.now)).bars
    assert len(bars) == DAYS
    assert (bars[0].day, bars[-1].day) == exposure.span(clock.now)
    last, before, none = bars[-1], bars[-2], bars[-3]
    assert (last.uncaptured_height + last.captured_height, last.captured_y) == (CHART_HEIGHT, 0)
    assert last.uncaptured_height == round(CHART_HEIGHT * 5 / 7)
    assert (before.uncaptured_height, before.captured_height) == (0, round(CHART_HEIGHT * 2 / 7))
    assert (none.uncaptured_height, none.captured_height, none.words) == (0, 0, "nothing was told")
    assert last.x + last.width <= CHART_WIDTH


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("exposed=any", ["", "desk-0"]),
        ("exposed=telegram", ["", "desk-0"]),
        ("exposed=microsoft-teams", ["desk-0"]),
        ("exposed=any&ownership=personal", [""]),
        ("exposed=signal", []),
        ("exposed=", ["", "desk-0", "desk-1", "desk-3"]),
    ],
)
def test_each_number_leads_to_the_devices_behind_it(
    console: Client, fleet: list[SimulatedDevice], query: str, names: list[str]
) -> None:
    changes = console.get(f"/fleet/device/?{query}").context["cl"]
    assert sorted(device.name or "" for device in changes.result_list) == names
    assert changes.result_count == len(names)


def test_the_links_of_the_first_page_are_those_addresses(
    console: Client, fleet: list[SimulatedDevice]
) -> None:
    html = page(console, "/")
    for query in ("exposed=any", "exposed=any&amp;ownership=personal", "exposed=telegram"):
        assert f'href="/fleet/device/?{query}"' in html


def test_a_messengers_row_says_its_own(console: Client, fleet: list[SimulatedDevice]) -> None:
    html = page(console, "/").partition("Channels in use and installed")[2]
    row = next(words(row) for row in html.split("<tr>") if "Telegram" in row)
    assert "4 h 0 min 100 %" in row


def test_of_another_side_a_messengers_row_says_nothing(
    console: Client, fleet: list[SimulatedDevice], clock: FakeClock
) -> None:
    tell(fleet[1], seen("cd" * 16, "started", "compliant", clock.now, profile="personal"))
    html = page(console, "/").partition("Channels in use and installed")[2]
    (row,) = (words(row) for row in html.split("<tr>") if "Telegram" in row and "personal" in row)
    assert "h 0 min" not in row


def test_a_devices_page_says_its_own(console: Client, fleet: list[SimulatedDevice]) -> None:
    first = page(console, f"/fleet/device/{fleet[0].id}/change/")
    assert "71 % of 7 h 0 min at work not captured" in panel(first)
    assert "Telegram 3 h 0 min of 3 h 0 min not captured, on 1 day" in panel(first)
    assert "Microsoft Teams 2 h 0 min of 4 h 0 min not captured, on 1 day" in panel(first)
    assert (
        "Time at work Microsoft Teams 4 h 0 min, 2 h 0 min of it not captured; Telegram 3 h 0 min, not captured"
        in words(first)
    )
    kind = panel(page(console, f"/fleet/device/{fleet[3].id}/change/"))
    assert "A consumer messenger for how long is not told, on 1 day" in kind
    assert "%" not in kind
    second = words(page(console, f"/fleet/device/{fleet[1].id}/change/"))
    assert "Time at work Microsoft Teams 2 h 0 min, captured" in second


def test_a_day_that_is_told_again_counts_once_and_as_it_was_last_told(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    day = yesterday(clock)
    first, again = device.report(told(1, day, 2)), device.report(told(1, day, 3, 3))
    device.check_in(again)
    device.check_in(first)
    device.check_in(again)
    assert exposure.exposure(clock.now).total == Amount(3 * HOUR, 3 * HOUR)


def test_told_twice_in_one_check_in_the_later_counts(device: SimulatedDevice, clock: FakeClock) -> None:
    day = yesterday(clock)
    tell(device, told(1, day, 2), told(1, day, 3, 3))
    assert exposure.exposure(clock.now).total == Amount(3 * HOUR, 3 * HOUR)


def test_two_devices_may_use_the_same_number(
    post: Post, issue: Callable[..., str], device: SimulatedDevice, clock: FakeClock
) -> None:
    other = SimulatedDevice(post)
    other.enrol(issue())
    for one in (device, other):
        tell(one, told(1, yesterday(clock), 2))
    assert exposure.exposure(clock.now).total.seconds == 4 * HOUR


def test_a_part_is_never_more_than_the_whole_whatever_a_device_says(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    tell(device, told(1, yesterday(clock), 1, 2000), told(2, yesterday(clock), 1, seconds=None))
    assert exposure.exposure(clock.now).total == Amount(HOUR, HOUR)
    assert exposure.exposure(clock.now).untold_devices == 1


@pytest.mark.parametrize(
    ("days_ago", "counts"), [(0, False), (1, True), (DAYS, True), (DAYS + 1, False), (-3, False)]
)
def test_only_the_last_days_that_are_over_are_counted(
    device: SimulatedDevice, clock: FakeClock, days_ago: int, *, counts: bool
) -> None:
    tell(device, told(1, yesterday(clock) + timedelta(days=1 - days_ago)))
    counted = exposure.exposure(clock.now)
    assert bool(counted.total.seconds) is counts
    assert bool(counted.devices) is counts


def test_a_device_that_was_taken_out_counts_no_more(
    console: Client, fleet: list[SimulatedDevice], clock: FakeClock
) -> None:
    Device.objects.filter(pk=fleet[0].id).update(revoked_at=datetime.now().astimezone())
    counted = exposure.exposure(clock.now)
    assert (counted.total, counted.devices) == (Amount(3 * HOUR, HOUR), 1)
    assert console.get("/fleet/device/?exposed=any").context["cl"].result_count == 1


def test_time_at_work_judges_nobody(device: SimulatedDevice, clock: FakeClock) -> None:
    tell(device, NoticeRecord(version=1, how="shown", at=clock.now))
    before = Device.objects.values("state", "forked_at").get()
    tell(device, told(1, yesterday(clock)))
    assert Device.objects.values("state", "forked_at").get() == before


@pytest.mark.parametrize(
    ("amount", "percent"),
    [
        (Amount(), None),
        (Amount(10, 0), 0),
        (Amount(10_000, 1), 1),
        (Amount(10_000, 9_999), 99),
        (Amount(10_000, 10_000), 100),
        (Amount(3, 1), 33),
    ],
)
def test_nothing_and_everything_are_said_only_of_nothing_and_everything(
    amount: Amount, percent: int | None
) -> None:
    assert amount.percent == percent


def test_a_large_fleet_is_counted_once_and_says_when(
    console: Client,
    fleet: list[SimulatedDevice],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(figures, "LARGE", 4)
    page(console, "/")
    with django_assert_max_num_queries(9) as asked:
        html = page(console, "/")
    assert not [one["sql"] for one in asked.captured_queries if "exposureday" in one["sql"]]
    assert "counted" in panel(html)


@pytest.mark.parametrize("path", ["/", "/fleet/device/"])
def test_a_page_asks_as_often_for_the_exposure_of_many_as_of_few(
    console: Client,
    fleet: list[SimulatedDevice],
    post: Post,
    issue: Callable[..., str],
    clock: FakeClock,
    path: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with CaptureQueriesContext(connection) as asked:
        page(console, path)
    few = len(asked)
    for number in range(12):
        device = SimulatedDevice(post)
        device.enrol(issue(note=f"secret {number}"), device_name=f"more-{number}")
        tell(device, told(number, yesterday(clock)), told(100 + number, yesterday(clock), messenger="signal"))
    with django_assert_max_num_queries(few):
        page(console, path)


def test_what_is_too_old_goes_and_is_counted_no_more(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    tell(device, told(1, yesterday(clock)))
    clock.advance(timedelta(days=20))
    tell(device, told(2, yesterday(clock), 1, 1))
    clock.advance(timedelta(days=11))
    device.check_in()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    planned = retention.overdue(KEPT, clock.now)
    erased = retention.apply(KEPT, clock.now, audit.COMMAND_LINE, settings.STATE)  # type: ignore[arg-type]  # set by the fixture
    assert erased == planned
    assert (erased.exposure, erased.bodies) == (1, 1)
    assert "1 days of exposure" in erased.in_words()
    assert ExposureDay.objects.get().seconds == HOUR
    assert exposure.exposure(clock.now).total == Amount(HOUR, HOUR)


def test_what_is_held_of_a_device_is_counted_with_it(device: SimulatedDevice, clock: FakeClock) -> None:
    tell(device, told(1, yesterday(clock)), told(2, yesterday(clock)))
    about = holdings.part(Device.objects.get(pk=device.id), 0, clock.now, "0" * 64).about
    assert about is not None
    assert about.exposure == 2


def test_a_device_that_leaves_takes_it_along(fleet: list[SimulatedDevice], clock: FakeClock) -> None:
    leave(fleet[2], clock.now)
    assert not ExposureDay.objects.filter(device_id=fleet[2].id).exists()
    assert "personal" not in exposure.exposure(clock.now).by_ownership
