"""What is installed on the fleet's devices, told apart from what is in use; and that it is never judged."""

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import QueryDict
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from contract.observations import ASKED_FOR, InstalledObserved, NoticeRecord, SightingObserved
from server.access import audit
from server.console import channels
from server.fleet import exposure, figures, retention
from server.fleet.filters import known_count
from server.fleet.models import ChannelSeen, Device, InstalledMessenger, ReceivedObservation, Sighting
from server.fleet.retention import Limits
from server.policies.models import Publication
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, SimulatedDevice
from tests.server.test_console import page, words

KEPT = Limits(1, records_days=200, personal_data_days=30)
FIRST, SECOND = "1a" * 16, "2b" * 16
NEVER, IN_USE = "installed, never started", "in use"


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    """What is kept for a minute is forgotten between tests."""
    yield
    cache.clear()
    for kept in (figures._devices, figures._kept, channels._kept, exposure._kept):
        kept.cache_clear()


@pytest.fixture(params=["alone", "together"])
def way(request: pytest.FixtureRequest) -> str:
    """How check-ins arrive."""
    return str(request.param)


def noticed(change: str, at: datetime, installation: str = FIRST, **changes: object) -> InstalledObserved:
    """Return an observation of Telegram at work."""
    values: dict[str, object] = {
        "installation": installation,
        "change": change,
        "detail": "exact",
        "profile": "work",
        "messenger": "telegram",
        "name": "Telegram",
        "kind": "consumer",
        "listed": True,
        "day": at.date(),
        "at": at,
    }
    return InstalledObserved(**(values | changes))  # type: ignore[arg-type]  # checked when the server decodes it


def tell(device: SimulatedDevice, *observed: object) -> None:
    device.check_in(*(device.report(one) for one in observed))


def shown(console: Client, device: SimulatedDevice) -> str:
    """Return what stands under `Installed messengers` on a device's page."""
    html = page(console, f"/fleet/device/{device.id}/change/")
    return words(html.partition("Installed messengers")[2].partition("<h3>Facts")[0])


def used(
    sighting: str, at: datetime, messenger: str = "telegram", *, end: bool = True
) -> list[SightingObserved]:
    start = seen(sighting, "started", "compliant", at, messenger=messenger)
    return [start, seen(sighting, "ended", "compliant", at, messenger=messenger)] if end else [start]


def test_a_server_says_that_it_takes_what_came_later(device: SimulatedDevice) -> None:
    acknowledgement, _ = device.check_in()
    assert set(acknowledgement.also_takes) == ASKED_FOR


def test_what_is_installed_was_never_started_until_it_is_seen_in_use(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    assert "None is known" in shown(console, device)
    tell(device, noticed("found", clock.now))
    assert "Telegram installed, never started" in shown(console, device)
    tell(device, *used(SECOND, clock.now, end=False))
    assert "in use, open now" in shown(console, device)
    tell(device, seen(SECOND, "ended", "compliant", clock.now))
    clock.advance(timedelta(hours=3))
    assert "in use, last 3 hours ago" in shown(console, device)
    tell(device, noticed("removed", clock.now))
    assert "None is known" in shown(console, device)
    story = words(page(console, f"/fleet/device/{device.id}/change/"))
    assert "Telegram is installed" in story
    assert "Telegram was removed" in story


def test_what_was_in_use_before_it_was_told_as_installed_is_in_use(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    tell(device, *used(SECOND, clock.now))
    tell(device, noticed("found", clock.now))
    assert "in use, last" in shown(console, device)
    assert InstalledMessenger.objects.get().is_started


def test_both_in_one_check_in_are_brought_together(device: SimulatedDevice, clock: FakeClock) -> None:
    tell(device, noticed("found", clock.now), *used(SECOND, clock.now))
    assert InstalledMessenger.objects.get().is_started


@pytest.mark.parametrize("other", ["signal", None])
def test_the_use_of_another_messenger_or_of_one_that_is_withheld_is_none_of_this(
    console: Client, device: SimulatedDevice, clock: FakeClock, other: str | None
) -> None:
    tell(device, noticed("found", clock.now))
    started = seen(SECOND, "started", "compliant", clock.now, messenger=other)
    tell(device, started)
    assert NEVER in shown(console, device)


def test_the_use_on_another_device_is_none_of_this(
    console: Client, device: SimulatedDevice, post: Post, issue: Callable[..., str], clock: FakeClock
) -> None:
    other = SimulatedDevice(post)
    other.enrol(issue())
    tell(device, noticed("found", clock.now))
    tell(other, noticed("found", clock.now, SECOND), *used("3c" * 16, clock.now))
    assert NEVER in shown(console, device)
    assert "in use, last" in shown(console, other)


def test_installing_is_never_judged(console: Client, device: SimulatedDevice, clock: FakeClock) -> None:
    tell(device, NoticeRecord(version=1, how="shown", at=clock.now))
    before = Device.objects.values("state", "forked_at").get()
    tell(device, noticed("found", clock.now))
    assert Device.objects.values("state", "forked_at").get() == before
    assert not Sighting.objects.exists()
    assert not ChannelSeen.objects.exists()


def test_what_is_withheld_is_not_guessed(console: Client, device: SimulatedDevice, clock: FakeClock) -> None:
    told = noticed("found", clock.now, detail="kind", messenger=None, name=None, listed=None)
    tell(device, msgspec.structs.replace(told, at=None))
    assert "A consumer messenger whether it is in use is not told" in shown(console, device)
    story = words(page(console, f"/fleet/device/{device.id}/change/"))
    assert "only after the day is over" in story
    named = noticed("found", clock.now + timedelta(days=1), detail="name")
    tell(device, msgspec.structs.replace(named, at=None))
    assert "Telegram installed, never started" in shown(console, device)
    assert InstalledMessenger.objects.get().day == clock.now.date()


def test_a_use_that_has_no_time_is_told_by_its_day(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    start, end = (msgspec.structs.replace(one, detail="name", at=None) for one in used(SECOND, clock.now))
    tell(device, noticed("found", clock.now), start, end)
    assert f"in use, last on {clock.now:%-d %B %Y}" in shown(console, device)


def test_an_older_report_that_comes_late_changes_nothing(device: SimulatedDevice, clock: FakeClock) -> None:
    found, removed = device.report(noticed("found", clock.now)), device.report(noticed("removed", clock.now))
    device.check_in(removed)
    device.check_in(found)
    device.check_in(removed)
    row = InstalledMessenger.objects.get()
    assert (row.is_there, row.found_at, row.removed_at) == (False, clock.now, clock.now)


def test_a_device_that_lost_its_state_and_finds_all_anew_has_each_once(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    first, again = (
        device.report(noticed("found", clock.now)),
        device.report(noticed("found", clock.now, SECOND)),
    )
    device.check_in(again)
    device.check_in(first)
    assert shown(console, device).count("Telegram") == 1
    assert InstalledMessenger.objects.get(is_there=True).identity == SECOND
    tell(device, noticed("found", clock.now, "3c" * 16, messenger="signal", name="Signal"))
    tell(device, noticed("removed", clock.now, SECOND))
    assert [one.messenger for one in InstalledMessenger.objects.filter(is_there=True)] == ["signal"]


@pytest.fixture
def fleet(
    post: Post, issue: Callable[..., str], publish: Callable[..., Publication], clock: FakeClock
) -> list[SimulatedDevice]:
    """Telegram: in use on 0, never started on 1 and 2, removed from 3, which also has an unlisted one that is never started."""
    publish()
    made = [SimulatedDevice(post) for _ in range(4)]
    for number, device in enumerate(made):
        device.enrol(issue(), device_name=f"desk-{number}")
        tell(device, noticed("found", clock.now, secrets.token_hex(16) if number != 3 else FIRST))
    tell(made[0], *used(SECOND, clock.now))
    tell(made[3], noticed("removed", clock.now))
    odd = {"messenger": "unlisted:org.x", "name": "Chatterbox", "listed": False, "kind": None}
    tell(made[3], noticed("found", clock.now, "4d" * 16, **odd))
    return made


def figures_of(html: str) -> dict[str, list[str]]:
    """Return the figures of each row of the channels."""
    rows = html.partition("Channels in use and installed")[2].split("<tr>")[2:]
    return {words(row).split()[0]: [one for one in words(row).split() if one.isdigit()] for row in rows}


def test_the_first_page_tells_in_use_from_never_started_and_each_number_leads_to_its_devices(
    console: Client, fleet: list[SimulatedDevice]
) -> None:
    html = page(console, "/")
    assert figures_of(html) == {"Telegram": ["1", "0", "2"], "Chatterbox": ["0", "0", "1"]}
    link = "/fleet/device/?never_started=telegram&amp;profile=work"
    assert link in html
    devices = words(page(console, link.replace("&amp;", "&")))
    assert [name for name in ("desk-0", "desk-1", "desk-2", "desk-3") if name in devices] == [
        "desk-1",
        "desk-2",
    ]
    assert "never started: telegram" in devices
    Device.objects.filter(pk=fleet[1].id).update(revoked_at=datetime.now().astimezone())
    assert figures_of(page(console, "/"))["Telegram"] == ["1", "0", "1"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("never_started=telegram", "12"),
        ("never_started=telegram&profile=work", "12"),
        ("never_started=telegram&profile=personal", ""),
        ("never_started=unlisted:org.x", "3"),
        ("never_started=signal", ""),
        ("never_started=", "0123"),
        ("messenger=telegram", "0"),
        ("messenger=telegram&never_started=telegram", ""),
    ],
)
def test_the_list_is_narrowed_to_where_it_was_never_started(
    console: Client, fleet: list[SimulatedDevice], clock: FakeClock, query: str, names: str
) -> None:
    changes = console.get(f"/fleet/device/?{query}").context["cl"]
    assert sorted(device.name for device in changes.result_list) == [f"desk-{name}" for name in names]
    assert known_count(QueryDict(query), figures.figures(clock.now)) in {None, len(names)}
    assert changes.result_count == len(names)


def test_a_large_fleets_page_asks_no_more_than_before(
    console: Client,
    fleet: list[SimulatedDevice],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(figures, "LARGE", 4)
    page(console, "/")
    with django_assert_max_num_queries(9) as asked:
        page(console, "/")
    assert not [one["sql"] for one in asked.captured_queries if "installedmessenger" in one["sql"]]


def test_a_devices_page_reads_no_observation_to_tell_what_is_in_use(
    console: Client, fleet: list[SimulatedDevice], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(30) as asked:
        page(console, f"/fleet/device/{fleet[0].id}/change/")
    of_observations = [one["sql"] for one in asked.captured_queries if "receivedobservation" in one["sql"]]
    assert len(of_observations) == 2, "the story's own, and that of files which nothing retained"


def erase(clock: FakeClock) -> retention.Erased:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    told = retention.overdue(KEPT, clock.now)
    erased = retention.apply(KEPT, clock.now, audit.COMMAND_LINE, settings.STATE)  # type: ignore[arg-type]  # set by the fixture
    assert erased == told, "a dry run tells what happens"
    return erased


def test_what_is_there_stays_and_what_is_gone_goes_in_time(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    tell(device, noticed("found", clock.now), noticed("found", clock.now, SECOND, messenger="signal"))
    tell(device, noticed("removed", clock.now, SECOND, messenger="signal"))
    clock.advance(timedelta(days=31))
    device.check_in()
    erased = erase(clock)
    assert (erased.installed, erased.bodies) == (1, 3)
    assert "1 installed messengers" in erased.in_words()
    assert [one.messenger for one in InstalledMessenger.objects.all()] == ["telegram"]
    assert not ReceivedObservation.objects.exclude(body=None).exists()
    assert NEVER in shown(console, device)


def test_of_a_device_that_is_not_heard_from_nothing_stays(device: SimulatedDevice, clock: FakeClock) -> None:
    tell(device, noticed("found", clock.now))
    clock.advance(timedelta(days=31))
    assert erase(clock).installed == 1
    assert not InstalledMessenger.objects.exists()


def test_what_was_used_and_is_erased_is_not_called_never_started(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    tell(device, noticed("found", clock.now), *used(SECOND, clock.now))
    clock.advance(timedelta(days=31))
    device.check_in()
    erase(clock)
    assert not ChannelSeen.objects.exists()
    assert "installed, not in use lately" in shown(console, device)
    assert NEVER not in shown(console, device)


def test_what_is_installed_anew_after_that_was_never_started(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    tell(device, noticed("found", clock.now), *used(SECOND, clock.now))
    clock.advance(timedelta(days=31))
    tell(device, noticed("removed", clock.now))
    erase(clock)
    tell(device, noticed("found", clock.now, "5e" * 16))
    assert NEVER in shown(console, device)
