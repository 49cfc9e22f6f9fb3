"""The way of a fact through the agent: found, judged, recorded, told; nothing before the notice, nothing twice."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from agent.capture import Captures
from agent.catalogue import load as load_catalogue
from agent.compliance import Compliance, Found
from agent.desk import Desk, Listeners
from agent.exposure_book import ExposureBook
from agent.judging import Judging
from agent.problems import Problems
from agent.profiles import Side
from agent.recorder import Recorder
from agent.reminder_book import ReminderBook
from agent.reminding import Reminding, UnknownReminderError
from agent.sensing.process_source import ProcessKey
from contract.catalogue import Catalogue
from contract.evidence import Match
from contract.facts import ProcessFacts
from contract.local import Reminder
from contract.matching import Matcher
from contract.observations import Observation, ReminderReceipt, SightingObserved, Unlisted
from tests.fakes.device import Device, policy, server_time

UID = 1000
TELEGRAM = ProcessKey(10, 1.0)


class Room:
    """A desk with everything around it, and what it told whom."""

    def __init__(self, folder: Path, *, told: bool = True) -> None:
        self.device = device = Device(folder, told=told)
        device.enrol()
        catalogue = load_catalogue()
        self.problems = Problems()
        self.reminders: list[Reminder] = []
        self.changes = self.reports = 0
        self.reminding = Reminding(
            device.store,
            ReminderBook(device.store),
            device.journal,
            device.outbox,
            device.door,
            device.shelf,
            lambda: catalogue,
            device.clock,
            lambda _, reminder: self.reminders.append(reminder),
        )
        captures = Captures(device.shelf, (), device.clock, device.check_ins.server_time)
        self.judging = Judging(
            device.shelf, device.clock, device.check_ins.server_time, "company", "remind", captures
        )
        exposure = ExposureBook(
            device.store,
            device.outbox,
            device.door,
            device.clock,
            device.check_ins.time,
            lambda: catalogue,
            captures.is_captured,
            lambda: True,
        )
        self.recorder = Recorder(
            device.store, device.journal, device.outbox, device.door, lambda: catalogue, exposure
        )
        self.desk = Desk(
            Compliance(),
            self.judging,
            self.recorder,
            self.reminding,
            device.shelf,
            device.door,
            device.clock,
            self.problems,
            Listeners(self._changed, self._report),
            device.counts,
        )

    def _changed(self) -> None:
        self.changes += 1

    def _report(self) -> None:
        self.reports += 1

    def publish(self, **changes: object) -> None:
        self.device.server.publish(policy(**changes))
        self.device.check_in()
        self.desk.policy_changed()

    def start(self, messenger: str = "telegram", key: ProcessKey = TELEGRAM, uid: int = UID) -> None:
        match = Match(messenger=messenger, name=messenger.title(), listed=True, confidence=1.0, evidence=())
        self.desk.take([Found(key, uid, match, Side("work", "a test"))], [])

    def reported(self) -> list[Observation]:
        while self.device.outbox.count_due(self.device.clock.now()):
            self.device.check_in()
        return [
            one
            for one in self.device.server.taken.values()
            if isinstance(one, SightingObserved | ReminderReceipt)
        ]

    def transitions(self) -> list[tuple[str, str]]:
        return [(one.transition, one.verdict) for one in _sightings(self.reported())]

    def outcomes(self) -> list[str]:
        return [one.outcome for one in self.reported() if isinstance(one, ReminderReceipt)]


def _sightings(observations: Iterable[Observation]) -> list[SightingObserved]:
    return [one for one in observations if isinstance(one, SightingObserved)]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_a_start_a_new_verdict_and_an_end_are_reported_once_each(room: Room) -> None:
    room.start()
    room.desk.rejudge()
    room.publish()
    room.desk.rejudge()
    room.desk.take([], [TELEGRAM])
    assert room.transitions() == [("started", "pending"), ("judged", "violation"), ("ended", "violation")]


def test_an_unlisted_messenger_tells_once_why_it_is_taken_for_one(room: Room) -> None:
    facts = ProcessFacts(
        platform="linux", exe="/opt/chatter", desktop_id="org.Chatter", categories=("Chat", "IRCClient")
    )
    match = Matcher(Catalogue({})).match(facts)
    assert match is not None
    room.desk.take([Found(TELEGRAM, UID, match, Side("work", "a test"))], [])
    room.publish()
    room.desk.take([], [TELEGRAM])
    started, judged, ended = _sightings(room.reported())
    assert started.unlisted == Unlisted(
        platform="linux",
        kind="desktop_id",
        value="org.chatter",
        evidence=tuple(one.sentence for one in match.evidence),
    )
    assert len(started.unlisted.evidence) == 2
    assert (judged.unlisted, ended.unlisted) == (None, None)


def test_a_restricted_messenger_is_judged_again_when_office_hours_end(room: Room) -> None:
    room.publish()
    room.start("pidgin")
    room.device.clock.advance(timedelta(hours=5))  # Monday 12:00 to 17:00
    room.desk.rejudge()
    assert room.transitions() == [("started", "violation"), ("judged", "compliant")]


def test_on_a_clock_that_contradicts_the_server_the_time_of_day_decides_nothing(room: Room) -> None:
    room.publish()
    room.device.clock.at += timedelta(hours=5)  # set by hand: the monotonic clock has not moved
    room.start("pidgin")
    room.start("telegram", ProcessKey(11, 1.0))
    assert [one.verdict.state for one in room.desk.sightings()] == ["unknowable", "violation"]
    assert server_time(room.device.clock.at, room.device.clock) != room.device.check_ins.server_time()


def test_an_expired_policy_keeps_judging_and_asks_for_attention(room: Room) -> None:
    room.publish()
    room.start("microsoft-teams")
    room.device.clock.advance(timedelta(days=91))
    room.desk.rejudge()
    (sighting,) = room.desk.sightings()
    assert (sighting.verdict.state, sighting.verdict.stance) == ("attention", "approved")


def test_before_the_notice_nothing_is_reported_and_afterwards_only_from_then_on(tmp_path: Path) -> None:
    room = Room(tmp_path, told=False)
    room.publish()
    room.start()
    room.device.clock.advance(timedelta(minutes=90))
    assert room.transitions() == []
    assert room.device.journal.first_broken() is None
    room.device.notice.record_shown(room.device.door, UID, room.device.clock.now())
    room.desk.user_told(UID)
    (seen,) = _sightings(room.reported())
    assert seen.transition == "started"
    assert seen.at == room.device.clock.now()


def test_the_notice_of_one_person_opens_no_door_for_another(tmp_path: Path) -> None:
    room = Room(tmp_path, told=False)
    room.publish()
    room.start()
    room.device.notice.record_shown(room.device.door, UID + 1, room.device.clock.now())
    room.desk.user_told(UID + 1)
    room.start("pidgin", ProcessKey(12, 1.0), UID + 1)
    assert [one.messenger for one in _sightings(room.reported())] == ["pidgin"]


def test_a_violation_reminds_once_and_its_receipt_says_shown(room: Room) -> None:
    room.publish()
    room.start()
    room.desk.rejudge()
    (reminder,) = room.reminders
    assert reminder.title == "Please continue in Microsoft Teams"
    room.reminding.answer(UID, reminder.reminder, "shown")
    room.reminding.answer(UID, reminder.reminder, "shown")
    room.reminding.answer(UID, reminder.reminder, "acknowledged")
    room.reminding.answer(UID, reminder.reminder, "shown")
    assert room.outcomes() == ["shown", "acknowledged"]
    assert room.reminding.unshown(UID) == []


def test_a_deferred_reminder_comes_back_after_its_hour(room: Room) -> None:
    room.publish()
    room.start()
    room.reminding.answer(UID, room.reminders[0].reminder, "deferred")
    room.device.clock.advance(timedelta(minutes=59))
    room.desk.rejudge()
    assert len(room.reminders) == 1
    room.device.clock.advance(timedelta(minutes=1))
    room.desk.rejudge()
    assert len(room.reminders) == 2


def test_a_reminder_that_nobody_saw_expires_when_the_messenger_is_closed(room: Room) -> None:
    room.publish()
    room.start()
    room.desk.take([], [TELEGRAM])
    assert room.outcomes() == ["expired"]
    room.reminding.answer(UID, room.reminders[0].reminder, "shown")
    assert room.outcomes() == ["expired"]


def test_a_reminder_expires_too_if_the_messenger_ended_while_the_agent_was_away(room: Room) -> None:
    room.publish()
    room.start()
    room.desk = Desk(
        Compliance(),
        room.judging,
        room.recorder,
        room.reminding,
        room.device.shelf,
        room.device.door,
        room.device.clock,
        room.problems,
        Listeners(lambda: None, lambda: None),
        room.device.counts,
    )
    room.desk.rejudge()
    assert room.outcomes() == ["expired"]


def test_nobody_answers_for_another(room: Room) -> None:
    room.publish()
    room.start()
    for stranger in (UID + 1, 0, None):
        with pytest.raises(UnknownReminderError):
            room.reminding.answer(stranger, room.reminders[0].reminder, "shown")
    with pytest.raises(UnknownReminderError):
        room.reminding.answer(UID, "00" * 16, "shown")
    assert room.outcomes() == []


@pytest.mark.expected_warnings("cannot be written")
def test_on_a_full_disk_people_are_told_and_nothing_is_lost(room: Room) -> None:
    room.publish()
    room.device.check_in()
    pages = room.device.store.execute("PRAGMA page_count").fetchone()[0]
    room.device.store.execute(f"PRAGMA max_page_count={pages}")
    for number in range(60):
        room.start("pidgin", ProcessKey(100 + number, 1.0), UID + number)
    assert [problem.code for problem in room.problems.all()] == ["cannot_write"]
    room.device.store.execute("PRAGMA max_page_count=1000000")
    room.desk.rejudge()
    assert room.problems.all() == ()
    assert len(_sightings(room.reported())) == 60
    assert room.device.journal.first_broken() is None


def test_open_sightings_are_found_again_by_the_next_run(room: Room) -> None:
    room.start()
    room.start("pidgin", ProcessKey(12, 1.0))
    room.desk.take([], [TELEGRAM])
    assert [one.match.messenger for one in room.recorder.open_sightings()] == ["pidgin"]
    assert room.recorder.open_sightings() == list(room.desk.sightings())
