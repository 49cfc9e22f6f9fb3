"""The simulator's pure parts: the same seed gives the same fleet, and what it reports is what a device would."""

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bench.simulator.contacts import Contact, Rhythm, contacts
from bench.simulator.days import Rules, day_of, shipped_catalogue
from bench.simulator.drive import Drive, Plan
from bench.simulator.fleet import Figures, FleetDevice
from bench.simulator.memory import Memory
from bench.simulator.people import HOLIDAYS, PRIVATE, ROLES, Wishes, person
from contract import wire
from contract.messages import PolicyBundle
from contract.observations import LIMIT_BYTES, ReminderReceipt, SightingObserved, decode
from contract.policy import parse

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
WISHES = Wishes(seed=7)
SILENT = Rhythm(heartbeat=None)


@pytest.fixture(scope="module")
def rules(checkout: Path) -> Rules:
    policy = parse((checkout / "server/policies/models/restrict.toml").read_text(encoding="utf-8"))
    bundle = PolicyBundle(serial=3, issued_at=MONDAY, expires_at=MONDAY + timedelta(days=90), policy=policy)
    return Rules(shipped_catalogue(), bundle)


def lived(number: int, rules: Rules, days: int = 10, rhythm: Rhythm = SILENT, **other: bool) -> list[Contact]:
    """Return what a person's device says within some days."""
    every = contacts(person(number, WISHES), MONDAY, rules, WISHES, rhythm, **other)
    return list(itertools.takewhile(lambda contact: contact.at < MONDAY + timedelta(days=days), every))


def sightings(rules: Rules, people: int = 60) -> Iterator[tuple[int, datetime, SightingObserved]]:
    for number in range(people):
        for contact in lived(number, rules):
            for one in contact.observations:
                if isinstance(one, SightingObserved):
                    yield number, contact.at, one


def test_the_same_seed_gives_the_same_people_and_reports(rules: Rules) -> None:
    assert [person(n, WISHES) for n in range(50)] == [person(n, Wishes(seed=7)) for n in range(50)]
    assert wire.encode(lived(5, rules)) == wire.encode(lived(5, rules))
    assert person(5, WISHES) != person(5, Wishes(seed=8))


def test_people_differ_and_their_messengers_are_real(rules: Rules) -> None:
    people = [person(number, WISHES) for number in range(400)]
    assert {one.role for one in people} == {role.name for role in ROLES}
    assert 30 <= sum(one.ownership == "personal" for one in people) <= 90
    assert all((one.device_name is None) == (one.ownership == "personal") for one in people)
    used = {habit.messenger for one in people for habit in one.habits}
    listed = {one for one in used if not one.startswith("unlisted:")}
    assert listed <= set(rules.catalogue.messengers)
    assert used - listed == {one for one in PRIVATE if one.startswith("unlisted:")}


def test_contacts_come_in_order_and_carry_only_what_may_leave_by_then(rules: Rules) -> None:
    spoken = 0
    for number in range(40):
        moments = [contact.at for contact in lived(number, rules, rhythm=Rhythm())]
        assert moments == sorted(moments)
        spoken += len(moments)
    assert spoken > 40 * 5 * 8  # most are on for at least eight hours on five of the days
    hour, day = timedelta(hours=1), timedelta(days=1)
    seen = Counter[str]()
    for _, at, one in sightings(rules):
        seen[one.detail] += 1
        if one.detail == "exact":
            assert one.at is not None
            assert at >= one.at
        elif one.detail == "hour":
            assert one.at is not None
            assert (one.at.minute, at >= one.at + hour) == (0, True)
        else:
            assert one.at is None
            assert at.astimezone(UTC).date() >= one.day
            assert at - datetime.combine(one.day, datetime.min.time(), UTC) >= day - timedelta(hours=14)
    assert set(seen) == {"exact", "hour", "name", "kind"}


def test_a_low_ceiling_names_nothing(rules: Rules) -> None:
    coarse = [one for _, _, one in sightings(rules) if one.detail == "kind"]
    assert coarse
    assert {(one.messenger, one.name, one.listed, one.rule) for one in coarse} == {
        (None, None, None, "withheld")
    }


def test_what_is_reported_is_what_the_server_takes(rules: Rules) -> None:
    for number in range(30):
        for contact in lived(number, rules):
            for one in contact.observations:
                body = wire.encode(one)
                assert len(body) <= LIMIT_BYTES
                assert wire.encode(decode(body)) == body


def test_a_sighting_starts_may_be_judged_anew_and_ends(rules: Rules) -> None:
    stories: dict[str, list[str]] = {}
    verdicts = Counter[str]()
    for _, _, one in sightings(rules):
        stories.setdefault(one.sighting, []).append(one.transition)
        verdicts[one.verdict] += 1
    whole = [story for story in stories.values() if story[-1] == "ended"]
    assert len(whole) > 0.9 * len(stories)
    assert all(story[0] == "started" and set(story[1:-1]) <= {"judged"} for story in whole)
    assert any("judged" in story for story in whole)
    assert verdicts["compliant"] > verdicts["violation"] > 0


def test_people_are_reminded_as_the_policy_says(rules: Rules) -> None:
    receipts = Counter[tuple[int, object]]()
    for number in range(60):
        for contact in lived(number, rules):
            for one in contact.observations:
                if isinstance(one, ReminderReceipt) and one.outcome == "shown":
                    receipts[number, one.at.date()] += 1
    assert receipts
    assert max(receipts.values()) <= 4


def test_nobody_works_at_weekends_on_holidays_or_in_vacation(rules: Rules) -> None:
    christmas = datetime(2026, 12, 25, tzinfo=UTC).date()
    for number in range(60):
        one = person(number, WISHES)
        assert day_of(one, MONDAY.date() - timedelta(days=1), rules, WISHES) is None
        if (12, 25) in HOLIDAYS[one.zone]:
            assert day_of(one, christmas, rules, WISHES) is None
    vacationer = next(one for n in range(500) if 10 in (one := person(n, WISHES)).vacation_weeks)
    assert all(day_of(vacationer, MONDAY.date() + timedelta(days=n), rules, WISHES) is None for n in range(5))


def test_working_days_are_those_of_the_persons_own_zone(rules: Rules) -> None:
    for number in range(60):
        one = person(number, WISHES)
        day = day_of(one, MONDAY.date(), rules, WISHES)
        if day is not None and one.role == "office":
            assert 7 <= day.on.astimezone(ZoneInfo(one.zone)).hour <= 10


def test_a_copy_lives_another_life(rules: Rules) -> None:
    assert wire.encode(lived(5, rules, is_copy=True)) != wire.encode(lived(5, rules))


def test_what_cannot_be_sent_waits(rules: Rules, tmp_path: Path) -> None:
    """Without a server nothing is lost and every number is given once."""

    def nobody(_path: str, _body: bytes) -> tuple[int, bytes]:
        raise ConnectionRefusedError

    figures = Figures()
    devices = [FleetDevice(person(n, WISHES), "acme", "acme.secret", 7, figures) for n in range(3)]
    plan = Plan(first=MONDAY, last=MONDAY + timedelta(days=3), workers=2)
    drive = Drive(devices, rules, WISHES, SILENT, plan, nobody)
    drive._last_tries = 1
    drive.run()
    for device in devices:
        assert [report.sequence for report in device.waiting] == list(range(1, len(device.expected) + 1))
    assert figures.milliseconds == []
    assert set(figures.errors) == {"ConnectionRefusedError"}


def test_a_fleet_is_remembered_with_its_keys(tmp_path: Path) -> None:
    figures = Figures()
    one = FleetDevice(person(3, WISHES), "acme", "acme.secret", 7, figures)
    one.device.root, one.device.id, one.device.sequence = one.device.key.public, "d3", 41
    file = tmp_path / "fleet.json"
    Memory(file).keep([one], MONDAY)
    assert file.stat().st_mode & 0o777 == 0o600
    other = FleetDevice(person(3, WISHES), "", None, 7, figures)
    memory = Memory(file)
    memory.resume([other])
    assert (memory.until, other.kept()) == (MONDAY, one.kept())
