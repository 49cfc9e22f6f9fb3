"""How the console counts a large fleet without reading all of it, and that it counts right."""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import QueryDict
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from contract.observations import NoticeRecord
from server import search
from server.access import audit
from server.access.models import AuditEntry
from server.console import channels
from server.distinct import distinct
from server.fleet import exposure, figures, retention
from server.fleet.filters import known_count
from server.fleet.models import ChannelSeen, Device, Sighting
from server.fleet.retention import Limits
from server.policies.models import Publication
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, SimulatedDevice
from tests.server.test_console import page, words

KEPT = Limits(1, records_days=200, personal_data_days=30)
CHANGED_BY_EVERY_CHECK_IN = {
    "last_check_in_at",
    "acknowledged_at",
    "silent_from",
    "clock_behind_seconds",
    "journal_head",
    "waiting",
    "taken_highest",
    "taken_gaps",
}
Enrol = Callable[[str], SimulatedDevice]


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    """What is kept for a minute is forgotten between tests."""
    yield
    cache.clear()
    for kept in (figures._devices, figures._kept, channels._kept, exposure._kept, audit._settled):
        kept.cache_clear()


@pytest.fixture
def enrol(post: Post, issue: Callable[..., str]) -> Enrol:
    def enrolled(name: str) -> SimulatedDevice:
        device = SimulatedDevice(post)
        device.enrol(issue(), device_name=name)
        return device

    return enrolled


@pytest.fixture
def fleet(enrol: Enrol, publish: Callable[..., Publication], clock: FakeClock) -> list[SimulatedDevice]:
    """Four devices: Telegram on both sides, Telegram at work, Slack and something withheld at work, nothing."""
    publish()
    made = [enrol(f"desk-{number}") for number in range(4)]
    for number, verdict, messenger, profile in (
        (0, "violation", "telegram", "work"),
        (0, "compliant", "telegram", "personal"),
        (1, "compliant", "telegram", "work"),
        (2, "attention", "slack", "work"),
        (2, "compliant", None, "work"),
    ):
        what = seen(
            secrets.token_hex(16), "started", verdict, clock.now, messenger=messenger, profile=profile
        )
        made[number].check_in(made[number].report(what))
    made[3].check_in(made[3].report(NoticeRecord(version=1, how="shown", at=clock.now)))
    return made


def noted(device: SimulatedDevice) -> set[tuple[str, str]]:
    return set(ChannelSeen.objects.filter(device=device.id).values_list("messenger", "profile"))


def erase(clock: FakeClock) -> None:
    folder = settings.STATE
    assert isinstance(folder, Path)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    retention.apply(KEPT, clock.now, audit.COMMAND_LINE, folder)


def test_the_database_notes_each_channel_once(fleet: list[SimulatedDevice], clock: FakeClock) -> None:
    assert [noted(device) for device in fleet] == [
        {("telegram", "work"), ("telegram", "personal")},
        {("telegram", "work")},
        {("slack", "work"), ("", "work")},
        set(),
    ]
    again = seen(secrets.token_hex(16), "started", "compliant", clock.now)
    fleet[1].check_in(
        fleet[1].report(again), fleet[1].report(seen(again.sighting, "ended", "compliant", clock.now))
    )
    assert ChannelSeen.objects.filter(device=fleet[1].id).count() == 1


def test_a_sighting_that_is_told_otherwise_later_is_noted_so_too(
    device: SimulatedDevice, clock: FakeClock
) -> None:
    withheld = seen("1a" * 16, "started", "compliant", clock.now, messenger=None)
    device.check_in(device.report(withheld))
    device.check_in(device.report(seen("1a" * 16, "judged", "violation", clock.now, messenger="signal")))
    assert ("signal", "work") in noted(device)


def test_a_channel_goes_with_its_last_sighting(device: SimulatedDevice, clock: FakeClock) -> None:
    at = clock.now
    device.check_in(
        device.report(seen("1a" * 16, "started", "compliant", at)),
        device.report(seen("1a" * 16, "ended", "compliant", at)),
        device.report(seen("2b" * 16, "started", "compliant", at, messenger=None)),
        device.report(seen("2b" * 16, "ended", "compliant", at, messenger=None)),
        device.report(seen("3c" * 16, "started", "compliant", at, messenger="slack")),
        device.report(seen("3c" * 16, "ended", "compliant", at, messenger="slack")),
    )
    clock.advance(timedelta(days=20))
    device.check_in(device.report(seen("4d" * 16, "started", "compliant", clock.now, messenger="slack")))
    clock.advance(timedelta(days=11))
    device.check_in()
    erase(clock)
    assert Sighting.objects.count() == 1
    assert noted(device) == {("slack", "work")}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "p=1&o=2",
        "standing=not_in_line",
        "standing=in_line&o=-1",
        "messenger=telegram",
        "messenger=telegram&profile=work",
        "messenger=telegram&profile=unknown",
        "profile=work",
        "standing=in_line&messenger=telegram",
        "serial=1",
        "ownership=company",
        "q=desk-1",
        "messenger=",
        "standing=",
    ],
)
def test_a_list_says_how_long_it_is(
    console: Client, fleet: list[SimulatedDevice], clock: FakeClock, query: str
) -> None:
    """What is known without counting the list is what counting it says."""
    response = console.get(f"/fleet/device/?{query}")
    changes = response.context["cl"]
    assert changes.result_count == changes.queryset.count() == len(changes.result_list)
    known = known_count(QueryDict(query), figures.figures(clock.now))
    assert known in {None, changes.result_count}
    assert changes.full_result_count == 4


def test_what_needs_no_counting_is_not_counted(fleet: list[SimulatedDevice], clock: FakeClock) -> None:
    counted = figures.figures(clock.now)
    known = [known_count(QueryDict(query), counted) for query in ("", "standing=not_in_line")]
    assert known == [4, 1]
    assert known_count(QueryDict("messenger=telegram&profile=personal"), counted) == 1
    assert known_count(QueryDict("q=desk"), counted) is None


def test_a_large_fleet_is_counted_once_a_minute_and_says_so(
    console: Client,
    fleet: list[SimulatedDevice],
    enrol: Enrol,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock.now = clock.now.replace(second=0)
    assert "counted" not in words(page(console, "/fleet/device/")).lower()
    assert "counted" not in words(page(console, "/")).lower()
    monkeypatch.setattr(figures, "LARGE", 4)
    for path in ("/", "/fleet/device/"):
        assert "counted just now" in words(page(console, path)).lower()
    enrol("desk-9").check_in()
    for path in ("/", "/fleet/device/"):
        assert page(console, path).count(">5<") == 0, path
    clock.advance(timedelta(minutes=1))
    for path in ("/", "/fleet/device/"):
        assert ">5<" in page(console, path), path


def test_a_long_list_is_counted_once_for_its_pages(
    console: Client, fleet: list[SimulatedDevice], enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    def length(query: str) -> int:
        return int(console.get(f"/fleet/device/?{query}").context["cl"].result_count)

    assert length("q=desk") == 4
    monkeypatch.setattr(figures, "LARGE", 4)
    assert [length("q=desk"), length("q=desk-1")] == [4, 1]
    enrol("desk-9")
    assert [length("q=desk"), length("q=desk&o=2"), length("q=desk-9")] == [4, 4, 1]
    cache.clear()  # a minute later
    assert length("q=desk") == 5


def test_a_large_fleets_page_reads_no_device_but_those_it_shows(
    console: Client,
    fleet: list[SimulatedDevice],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(figures, "LARGE", 4)
    for path, questions in (("/", 9), ("/fleet/device/", 9)):
        page(console, path)
        with django_assert_max_num_queries(questions) as asked:
            page(console, path)
        statements = [one["sql"] for one in asked.captured_queries]
        assert not [sql for sql in statements if "COUNT(" in sql and "fleet_device" in sql], path


def test_different_values_are_found_in_order_and_without_nothing(fleet: list[SimulatedDevice]) -> None:
    Device.objects.filter(pk=fleet[0].id).update(policy_serial=7)
    Device.objects.filter(pk=fleet[1].id).update(name=None)
    assert distinct(Device, "policy_serial") == sorted(
        set(Device.objects.values_list("policy_serial", flat=True))
    )
    assert distinct(Device, "name") == ["desk-0", "desk-2", "desk-3"]
    assert distinct(ChannelSeen, "messenger") == ["", "slack", "telegram"]
    assert distinct(AuditEntry, "subject")[0] == min(AuditEntry.objects.values_list("subject", flat=True))


def test_the_audit_log_is_counted_right_as_it_grows(
    clock: FakeClock, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_COUNTED_AT_ONCE", 10)
    monkeypatch.setattr(audit, "_UNSETTLED", 2)
    for number in range(35):
        audit.record(clock.now, "alice", "person.signed_in", str(number))
        assert audit.entries() == AuditEntry.objects.count() == number + 1
    assert audit._settled.cache_info().misses <= 5


def test_a_device_s_row_can_be_written_without_any_index(db: None) -> None:
    """PostgreSQL writes every index of a row anew where one of them holds something that changed."""
    with connection.cursor() as cursor:
        held = connection.introspection.get_constraints(cursor, "fleet_device").values()
    indexed = {column for one in held if one["index"] or one["unique"] for column in one["columns"]}
    assert "state" in indexed
    assert not indexed & CHANGED_BY_EVERY_CHECK_IN


@pytest.mark.only_postgresql
def test_without_the_extension_all_goes_on(
    clock: FakeClock, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "EXTENSION", "CREATE EXTENSION no_such_extension")
    assert not search.ensure()
    assert AuditEntry.objects.count() == 0


@pytest.mark.only_postgresql
def test_what_else_goes_wrong_is_said(clock: FakeClock, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "EXTENSION", "CREATE NONSENSE")
    with pytest.raises(DatabaseError, match="NONSENSE"):
        search.ensure()


@pytest.mark.only_sqlite
def test_sqlite_searches_without_an_index(db: None) -> None:
    assert not search.ensure()


def test_the_first_page_leads_to_the_rest_of_those_not_in_line(
    console: Client, device: SimulatedDevice, publish: Callable[..., Publication], clock: FakeClock
) -> None:
    publish()
    reports = [seen(f"{number:032x}", "started", "violation", clock.now) for number in range(7)]
    attention = [
        seen(f"{number:032x}", "started", "attention", clock.now, messenger="slack") for number in (8, 9)
    ]
    device.check_in(*(device.report(one) for one in [*attention, *reports]))
    html = page(console, "/")
    rows = html.partition("Who needs you now")[2].partition("</table>")[0]
    assert [rows.count("state-violation"), rows.count("state-attention")] == [7, 1]
    assert rows.index("state-violation") < rows.index("state-attention")
    assert "1 device:" in words(html)
    assert '<p class="more"><a href="/fleet/device/?standing=not_in_line">' in html


def test_who_holds_the_policy_is_told_of_all_that_the_link_leads_to(
    console: Client, fleet: list[SimulatedDevice], clock: FakeClock
) -> None:
    for device in fleet:
        device.check_in()
    Device.objects.filter(pk=fleet[0].id).update(revoked_at=clock.now)
    assert "4 of 4 devices" in words(page(console, "/"))
    assert "4 devices" in words(page(console, "/fleet/device/?serial=1"))


def test_a_channel_is_called_as_devices_call_it_where_nobody_lists_it(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    device.check_in(
        device.report(
            seen(
                "1a" * 16,
                "started",
                "violation",
                clock.now,
                messenger="unlisted:org.x",
                name="Chatterbox",
                listed=False,
            )
        )
    )
    channel = page(console, "/").partition("Channels in use and installed")[2]
    assert "Chatterbox" in channel
    assert "messenger=unlisted%3Aorg.x&amp;profile=work" in channel
