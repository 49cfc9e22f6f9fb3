"""What was counted is kept with the transitions, survives every kill, and leaves once, when its day is over and no sooner."""

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agent.catalogue import load as load_catalogue
from agent.compliance import PageKey, Sighting, Transition
from agent.errors import StateError
from agent.exposure_book import ExposureBook
from agent.privacy import Door
from agent.profiles import Signals, classify
from agent.recorder import Recorder
from agent.reporting.check_in import _ALSO_TAKES, _SERVER_TIME
from agent.sensing.process_source import ProcessKey
from contract.ceiling import Ceiling, Detail, ProfileCeiling
from contract.evidence import Match
from contract.judge import NextStep, Reason, Verdict
from contract.observations import ASKED_FOR, ExposureObserved
from contract.policy import Ownership, Profile
from tests.agent.test_crashes import KilledError, killed_at
from tests.fakes.device import EVERYTHING, Device

UID = 1000
CATALOGUE = load_catalogue()
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
VERDICT = Verdict(
    state="compliant",
    reasons=(Reason("approved", "Approved."),),
    rule="r",
    stance="approved",
    next_step=NextStep("nothing", "Nothing."),
    rung="report",
)


def side(work: Detail, others: Detail = "nothing") -> Ceiling:
    one = ProfileCeiling(work=work, personal=others, unknown=others)
    return Ceiling(company=one, personal=one)


class Room:
    """One device over many lives, and what of its exposure reached the server."""

    def __init__(self, folder: Path, *, told: bool = True, ceiling: Ceiling = EVERYTHING) -> None:
        self._folder, self._ceiling = folder, ceiling
        self.device = Device(folder, told=told, ceiling=ceiling)
        self.device.enrol()
        self.device.check_in()
        self.captured: set[str] = set()
        self.open: dict[str, Sighting] = {}
        self._numbers = itertools.count(1)
        self._begin(())

    def _begin(self, resumed: Iterable[Sighting]) -> None:
        device = self.device
        self.book = ExposureBook(
            device.store,
            device.outbox,
            device.door,
            device.clock,
            device.check_ins.time,
            lambda: CATALOGUE,
            lambda messenger: messenger in self.captured,
            lambda: device.check_ins.takes("exposure"),
        )
        self.recorder = Recorder(
            device.store, device.journal, device.outbox, device.door, lambda: CATALOGUE, self.book
        )
        self.book.go_on(resumed)

    def restart(self, *, gone: Iterable[str] = (), ownership: Ownership = "company") -> None:
        """Go on as a new process."""
        before = self.device
        before.store._database.close()
        fresh = Device(self._folder, ceiling=self._ceiling)
        fresh.door = Door(self._ceiling, ownership, everybody_told=True)
        fresh.server, fresh.credentials, fresh.clock = before.server, before.credentials, before.clock
        fresh.seals._credentials, fresh.check_ins._clock = before.credentials, before.clock
        self.device = fresh
        ended = [self.open.pop(messenger) for messenger in gone]
        self._begin(self.open.values())
        self.recorder.record([Transition("ended", one, fresh.clock.now()) for one in ended], 1)

    def start(self, messenger: str = "telegram", profile: Profile = "work", *, listed: bool = True) -> None:
        now, number = self.device.clock.now(), next(self._numbers)
        sighting = Sighting(
            id=f"{number:032x}",
            match=Match(
                messenger=messenger, name=messenger.title(), listed=listed, confidence=1.0, evidence=()
            ),
            side=msgspec.structs.replace(classify(Signals(ownership="company")), profile=profile),
            uid=UID,
            processes=(ProcessKey(number, 1.0),),
            started=now,
            verdict=VERDICT,
            judged_since=now,
        )
        self.open[messenger] = sighting
        self.record(Transition("started", sighting, now))

    def end(self, messenger: str = "telegram") -> None:
        self.record(Transition("ended", self.open.pop(messenger), self.device.clock.now()))

    def record(self, *transitions: Transition) -> bool:
        return self.recorder.record(transitions, 1)

    def run(self, by: timedelta) -> None:
        """Let time go by, a minute's judging after the other."""
        while by > timedelta(0):
            step = min(by, MINUTE)
            self.device.clock.advance(step)
            self.record()
            by -= step

    def next_day(self) -> None:
        """Let the rest of the day go by while the machine sleeps."""
        clock = self.device.clock
        midnight = datetime.combine(clock.at.date() + DAY, datetime.min.time(), clock.at.tzinfo)
        clock.sleep(midnight - clock.at + timedelta(seconds=1))
        self.record()

    def told(self) -> list[ExposureObserved]:
        while self.device.outbox.count_due(self.device.check_ins.time()):
            self.device.check_in()
        taken = self.device.server.taken
        return [one for _, one in sorted(taken.items()) if isinstance(one, ExposureObserved)]

    def waiting(self) -> int:
        (count,) = self.device.store.execute("SELECT count(*) FROM outbox WHERE type = 'exposure'").fetchone()
        return int(count)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_a_day_is_told_once_it_is_over_once_for_each_messenger(room: Room) -> None:
    today = room.device.clock.at.date()
    room.start()
    room.run(HOUR)
    room.start("unlisted:foo", listed=False)
    room.run(30 * MINUTE)
    room.end()
    room.end("unlisted:foo")
    room.start()
    room.run(MINUTE)
    room.end()
    assert room.told() == []
    room.next_day()
    telegram, foo = sorted(room.told(), key=lambda one: str(one.messenger))
    assert (telegram.messenger, telegram.name, telegram.kind, telegram.listed) == (
        "telegram",
        "Telegram",
        "consumer",
        True,
    )
    assert (telegram.day, telegram.seconds, telegram.sessions) == (today, 5460, 2)
    assert (telegram.uncaptured_seconds, telegram.uncaptured_sessions) == (5460, 2)
    assert (foo.messenger, foo.kind, foo.listed, foo.seconds) == ("unlisted:foo", None, False, 1800)
    room.run(5 * MINUTE)
    room.next_day()
    assert len(room.told()) == 2


def test_what_was_captured_is_told_as_time_and_not_as_exposure(room: Room) -> None:
    room.captured = {"telegram"}
    room.start()
    room.run(10 * MINUTE)
    room.end()
    room.next_day()
    (telegram,) = room.told()
    assert (telegram.seconds, telegram.uncaptured_seconds, telegram.uncaptured_sessions) == (600, 0, 0)


def test_a_finished_day_does_not_make_the_device_check_in_at_midnight(room: Room) -> None:
    room.start()
    room.run(MINUTE)
    room.next_day()
    assert room.waiting() == 1
    room.device.clock.advance(MINUTE)
    assert room.record() is False


@pytest.mark.parametrize("profile", ["personal", "unknown"])
def test_of_other_sides_nothing_is_counted(room: Room, profile: Profile) -> None:
    room.start(profile=profile)
    room.run(10 * MINUTE)
    room.restart()
    room.run(10 * MINUTE)
    room.end()
    room.next_day()
    assert room.told() == []
    assert room.device.store.execute("SELECT count(*) FROM exposure").fetchone() == (0,)


@pytest.mark.parametrize(
    ("detail", "seconds"), [("exact", 1260), ("hour", 900), ("name", 900), ("kind", None)]
)
def test_a_day_tells_no_more_than_the_ceiling(tmp_path: Path, detail: Detail, seconds: int | None) -> None:
    room = Room(tmp_path, ceiling=side(detail, "exact"))
    room.start()
    room.run(21 * MINUTE)
    room.end()
    room.next_day()
    (told,) = room.told()
    assert (told.detail, told.seconds, told.uncaptured_seconds) == (detail, seconds, seconds)
    assert told.messenger == (None if detail == "kind" else "telegram")


def test_under_a_ceiling_of_nothing_nothing_is_counted(tmp_path: Path) -> None:
    room = Room(tmp_path, ceiling=side("nothing", "exact"))
    room.start()
    room.run(21 * MINUTE)
    room.next_day()
    assert room.told() == []


def test_before_the_notice_nothing_is_counted_and_afterwards_only_what_follows(tmp_path: Path) -> None:
    room = Room(tmp_path, told=False)
    room.start()
    room.run(20 * MINUTE)
    room.device.door.tell(UID)
    room.run(10 * MINUTE)
    room.end()
    room.next_day()
    (told,) = room.told()
    assert (told.sessions, told.seconds) == (1, 540), "the minute in which they were told is not counted"


def test_a_lower_ceiling_for_a_moment_holds_for_the_whole_day(room: Room) -> None:
    room.start()
    room.run(20 * MINUTE)
    room.device.door.lower(side("kind"))
    room.run(MINUTE)
    room.device.door.lower(None)
    room.run(MINUTE)
    room.next_day()
    (told,) = room.told()
    assert (told.detail, told.messenger, told.seconds) == ("kind", None, None)


def test_an_older_server_is_told_when_it_can_be(room: Room) -> None:
    with room.device.store.transaction():
        room.device.store.remember(_ALSO_TAKES, "installed")
    room.start()
    room.run(MINUTE)
    room.end()
    room.next_day()
    assert room.waiting() == 0
    with room.device.store.transaction():
        room.device.store.remember(_ALSO_TAKES, " ".join(ASKED_FOR))
    room.record()
    assert [one.seconds for one in room.told()] == [60]


def test_a_clock_that_is_set_back_adds_to_a_day_that_was_told_which_is_told_again(room: Room) -> None:
    room.start()
    room.run(10 * MINUTE)
    day = room.device.clock.at
    room.next_day()
    room.device.clock.at = day
    room.device.store.execute("DELETE FROM facts WHERE name = ?", _SERVER_TIME)
    room.run(5 * MINUTE)
    room.next_day()
    first, again = [one for one in room.told() if one.day == day.date()]
    assert first.exposure == again.exposure
    assert (first.seconds, again.seconds) == (600, 900)
    assert again.sessions == 1


def test_what_still_runs_after_a_crash_goes_on_and_what_does_not_ends_where_it_was_last_seen(
    room: Room,
) -> None:
    room.start("telegram")
    room.start("signal")
    room.run(10 * MINUTE)
    room.device.clock.advance(HOUR)
    room.restart(gone=["signal"])
    room.run(MINUTE)
    room.next_day()
    told = {one.messenger: (one.seconds, one.sessions) for one in room.told()}
    assert told == {"telegram": (71 * 60, 1), "signal": (600, 1)}


def test_of_a_page_the_time_without_the_agent_is_not_counted(room: Room) -> None:
    room.start()
    page = PageKey(ProcessKey(7, 1.0), "Firefox", "default", "telegram")
    sighting = msgspec.structs.replace(room.open["telegram"], processes=(), pages=(page,))
    room.run(10 * MINUTE)
    room.open["telegram"] = sighting
    room.device.clock.advance(HOUR)
    room.restart()
    room.run(MINUTE)
    room.next_day()
    assert [(one.seconds, one.sessions) for one in room.told()] == [(660, 1)]


def test_a_reboot_ends_it(room: Room) -> None:
    room.start()
    room.run(10 * MINUTE)
    room.device.clock.advance(HOUR)
    room.device.clock.boot = "boot-2"
    room.restart(gone=["telegram"])
    room.next_day()
    assert [one.seconds for one in room.told()] == [600]


def test_while_nothing_is_open_nothing_is_written(room: Room) -> None:
    room.start()
    room.run(MINUTE)
    room.end()
    before = room.device.store._database.total_changes
    room.run(30 * MINUTE)
    assert room.device.store._database.total_changes == before


def test_while_something_is_open_two_small_rows_are_written_a_minute(room: Room) -> None:
    room.start()
    room.run(MINUTE)
    before = room.device.store._database.total_changes
    room.run(10 * MINUTE)
    assert room.device.store._database.total_changes == before + 20


def test_killed_anywhere_while_a_day_is_told_it_is_told_once(tmp_path: Path) -> None:
    for statement in itertools.count(1):
        folder = tmp_path / str(statement)
        folder.mkdir()
        room = Room(folder)
        room.start()
        room.run(10 * MINUTE)
        room.end()
        room.device.clock.sleep(DAY)
        try:
            with killed_at(room.device.store, statement):
                room.record()
        except KilledError:
            room.restart()
            room.record()
        else:
            break
        assert [one.seconds for one in room.told()] == [600]
    assert statement > 2


def test_a_full_disk_loses_no_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    today = room.device.clock.at.date()
    room.start()
    room.run(10 * MINUTE)
    with monkeypatch.context() as patch:
        patch.setattr(
            room.device.store, "transaction", lambda: (_ for _ in ()).throw(StateError("Full.", "Free some."))
        )
        room.device.clock.advance(MINUTE)
        with pytest.raises(StateError):
            room.record()
        room.device.clock.sleep(DAY)
        with pytest.raises(StateError):
            room.record()
    room.record()
    room.restart()
    room.record()
    assert [one.seconds for one in room.told() if one.day == today] == [660]


def test_a_damaged_row_is_forgotten_and_the_rest_goes_on(room: Room) -> None:
    room.start("telegram")
    room.start("signal")
    room.run(MINUTE)
    row_id = room.device.store.execute("SELECT id FROM exposure LIMIT 1").fetchone()[0]
    room.device.store.execute("UPDATE exposure SET body = x'00' WHERE id = ?", row_id)
    room.device.store.remember("exposure", "not JSON")
    room.restart()
    room.run(MINUTE)
    room.next_day()
    assert sorted(one.seconds or 0 for one in room.told()) == [60, 120]
