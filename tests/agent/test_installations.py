"""What is installed: told once, never before it may be, and after it may be without loss, whatever happens in between."""

import itertools
import sqlite3
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.catalogue import load as load_catalogue
from agent.installations import FoundInstalled, Installations
from agent.privacy import Door
from contract.ceiling import DETAILS, Ceiling, Detail, ProfileCeiling
from contract.evidence import Match
from contract.observations import ASKED_FOR, InstalledObserved
from contract.policy import Ownership, Profile
from tests.agent.test_crashes import KilledError, killed_at
from tests.fakes.device import EVERYTHING, Device

UID = 1000
CATALOGUE = load_catalogue()
Told = tuple[str, str | None]


def found(messenger: str, uid: int | None = None, name: str = "", *, listed: bool = True) -> FoundInstalled:
    name = name or messenger.title()
    match = Match(messenger=messenger, name=name, listed=listed, confidence=1.0, evidence=())
    return FoundInstalled(match, uid)


class Room:
    """What is installed on one device, over many lives, and what of it reached the server."""

    def __init__(self, folder: Path, *, told: bool = True, ceiling: Ceiling = EVERYTHING) -> None:
        self._folder = folder
        self.device = Device(folder, told=told, ceiling=ceiling)
        self.device.enrol()
        self.device.check_in()
        self.profile: Profile = "work"
        self.open()

    def open(self) -> None:
        device = self.device
        self.installations = Installations(
            device.store,
            device.journal,
            device.outbox,
            device.door,
            lambda: CATALOGUE,
            self.profile,
            lambda: device.check_ins.takes("installed"),
        )

    def restart(self, *, ceiling: Ceiling = EVERYTHING, ownership: Ownership = "company") -> None:
        """Go on as a new process."""
        before = self.device
        before.store._database.close()
        fresh = Device(self._folder, ceiling=ceiling)
        fresh.door = Door(ceiling, ownership, everybody_told=True)
        fresh.server, fresh.credentials, fresh.clock = before.server, before.credentials, before.clock
        fresh.seals._credentials, fresh.check_ins._clock = before.credentials, before.clock
        self.device = fresh
        self.open()

    def take(self, *there: FoundInstalled) -> bool:
        return self.installations.take(there, self.device.clock.now())

    def settle(self) -> bool:
        return self.installations.settle(self.device.clock.now())

    def told(self) -> list[Told]:
        return [(one.change, one.messenger) for one in self.observed()]

    def observed(self) -> list[InstalledObserved]:
        while self.device.outbox.count_due(self.device.clock.now()):
            self.device.check_in()
        taken = self.device.server.taken
        return [one for _, one in sorted(taken.items()) if isinstance(one, InstalledObserved)]

    def journalled(self) -> list[str]:
        return [entry.kind for entry in self.device.journal.entries() if entry.kind == "installed"]

    def rows(self) -> int:
        (count,) = self.device.store.execute("SELECT count(*) FROM installed").fetchone()
        return int(count)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def same(detail: Detail) -> Ceiling:
    side = ProfileCeiling(work=detail, personal=detail, unknown=detail)
    return Ceiling(company=side, personal=side)


def test_what_is_installed_is_told_once_and_its_removal_once(room: Room) -> None:
    assert room.take(found("telegram"), found("signal"))
    assert not room.take(found("signal"), found("telegram"))
    assert not room.settle()
    assert room.take(found("signal"))
    assert not room.take(found("signal"))
    assert room.told() == [("found", "telegram"), ("found", "signal"), ("removed", "telegram")]
    first, _, last = room.observed()
    assert first.installation == last.installation
    assert [one.messenger for one in room.installations.there()] == ["signal"]
    assert room.rows() == 1
    assert len(room.journalled()) == 3


def test_all_is_told_that_the_ceiling_allows(room: Room) -> None:
    room.take(found("telegram"), found("unlisted:foo", name="Foo", listed=False))
    telegram, foo = room.observed()
    now = room.device.clock.now()
    assert (telegram.name, telegram.kind, telegram.listed, telegram.profile) == (
        "Telegram",
        "consumer",
        True,
        "work",
    )
    assert (telegram.at, telegram.day) == (now, now.date())
    assert (foo.messenger, foo.kind, foo.listed) == ("unlisted:foo", None, False)


def test_one_messenger_is_told_once_with_all_its_applications(room: Room) -> None:
    room.take(found("discord", UID), found("discord"), found("discord", UID))
    assert room.told() == [("found", "discord")]
    assert [one.uid for one in room.installations.there()] == [None]
    room.take(found("discord", UID))
    assert room.told() == [("found", "discord")]
    assert [one.uid for one in room.installations.there()] == [UID]


def test_an_update_is_told_only_where_it_is_recognised_as_another(room: Room) -> None:
    room.take(found("unlisted:foo", name="Foo", listed=False))
    room.take(found("unlisted:foo", name="Foo", listed=False))
    room.take(found("unlisted:foo", name="Foo Chat", listed=False))
    room.take(found("telegram"))
    assert [(one.change, one.name) for one in room.observed()] == [
        ("found", "Foo"),
        ("found", "Foo Chat"),
        ("found", "Telegram"),
        ("removed", "Foo Chat"),
    ]
    assert len({one.installation for one in room.observed()}) == 2


def test_what_comes_back_is_another_installation(room: Room) -> None:
    room.take(found("telegram"))
    room.take()
    room.take(found("telegram"))
    ids = [one.installation for one in room.observed()]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("uid", [UID, None])
def test_nothing_leaves_before_the_notice_and_all_of_it_afterwards(tmp_path: Path, uid: int | None) -> None:
    room = Room(tmp_path, told=False)
    room.take(found("telegram", uid))
    room.settle()
    assert room.told() == []
    assert room.device.store.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    room.device.clock.advance(timedelta(hours=3))
    room.device.notice.record_shown(room.device.door, UID, room.device.clock.now())
    assert room.settle()
    (told,) = room.observed()
    assert told.at == room.device.clock.now()
    assert not room.settle()


def test_of_what_a_user_has_nothing_leaves_because_another_was_told(tmp_path: Path) -> None:
    room = Room(tmp_path, told=False)
    room.take(found("telegram", UID), found("signal"))
    room.device.door.tell(UID + 1)
    room.settle()
    assert room.told() == [("found", "signal")]


def test_what_came_and_went_before_the_notice_is_never_told(tmp_path: Path) -> None:
    room = Room(tmp_path, told=False)
    room.take(found("telegram"))
    room.take()
    assert room.rows() == 0
    room.device.door.tell(UID)
    room.settle()
    assert room.told() == []


def test_on_a_personal_device_nothing_leaves_by_default(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.profile = "unknown"
    room.restart(ceiling=Ceiling(), ownership="personal")
    room.take(found("telegram", UID), found("signal"))
    room.settle()
    assert room.told() == []
    assert room.device.store.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


def test_an_older_server_is_not_told_and_a_newer_one_is_told_then(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.device.server.also_takes = ()
    room.device.check_in()
    assert not room.take(found("telegram"))
    assert room.told() == []
    room.device.server.also_takes = tuple(ASKED_FOR)
    room.device.check_in()
    assert room.settle()
    assert room.told() == [("found", "telegram")]


def test_a_removal_that_may_not_be_told_is_told_once_it_may(room: Room) -> None:
    room.take(found("telegram"), found("signal"))
    room.told()
    room.device.door.lower(same("nothing"))
    room.take(found("signal"))
    assert len(room.told()) == 2
    room.restart(ceiling=Ceiling())
    room.settle()
    assert len(room.told()) == 2
    room.restart()
    assert room.settle()
    assert room.told()[2:] == [("removed", "telegram")]
    assert room.rows() == 1


def test_a_removal_that_was_not_told_is_none_once_it_is_installed_again(room: Room) -> None:
    room.take(found("telegram"))
    room.device.door.lower(same("nothing"))
    room.take()
    room.take(found("telegram"))
    room.device.door.lower(None)
    room.settle()
    assert room.told() == [("found", "telegram")]


def test_a_ceiling_that_is_raised_tells_the_name_under_the_same_number(tmp_path: Path) -> None:
    room = Room(tmp_path, ceiling=same("kind"))
    room.take(found("telegram"))
    room.device.clock.advance(timedelta(days=1))
    room.restart(ceiling=same("name"))
    room.settle()
    room.device.clock.advance(timedelta(days=1))
    room.restart(ceiling=same("exact"))
    room.settle()
    first, second = room.observed()
    assert (first.messenger, first.kind, first.detail) == (None, "consumer", "kind")
    assert (second.messenger, second.detail, second.installation) == ("telegram", "name", first.installation)


def test_a_ceiling_that_is_lowered_tells_nothing_anew(room: Room) -> None:
    room.take(found("telegram"))
    for detail in ("name", "kind", "nothing", "kind", "exact"):
        room.device.door.lower(same(detail))
        assert not room.settle()
    assert room.told() == [("found", "telegram")]


@pytest.mark.parametrize("detail", ["kind", "name", "hour"])
def test_a_report_that_may_not_tell_the_time_waits_until_that_is_over(tmp_path: Path, detail: Detail) -> None:
    room = Room(tmp_path, ceiling=same(detail))
    room.device.clock.advance(timedelta(minutes=10))
    room.take(found("telegram"))
    assert room.told() == []
    room.device.clock.advance(timedelta(hours=1) if detail == "hour" else timedelta(days=1))
    assert len(room.told()) == 1


def test_it_goes_on_after_a_new_start_where_it_was(room: Room) -> None:
    room.take(found("telegram"), found("signal"))
    room.restart()
    assert [one.messenger for one in room.installations.there()] == ["signal", "telegram"]
    room.take(found("signal"))
    assert room.told() == [("found", "telegram"), ("found", "signal"), ("removed", "telegram")]


def test_a_damaged_row_is_forgotten_and_found_again(room: Room) -> None:
    room.take(found("telegram"))
    room.device.store.execute("UPDATE installed SET body = x'00'")
    room.restart()
    assert room.installations.there() == ()
    room.take(found("telegram"))
    assert [one.messenger for one in room.installations.there()] == ["telegram"]


PICTURES: tuple[tuple[str, ...], ...] = (
    ("telegram",),
    ("telegram", "signal"),
    ("signal",),
    (),
    ("signal", "slack", "telegram"),
    ("slack",),
)


def test_killed_at_any_statement_each_change_is_told_once(tmp_path: Path) -> None:
    room, kills = Room(tmp_path), 0
    statements = itertools.count(1)
    for picture in PICTURES * 6:
        try:
            with killed_at(room.device.store, statement=next(statements) % 9 + 1):
                room.take(*map(found, picture))
        except KilledError:
            kills += 1
            room.restart()
            room.take(*map(found, picture))
    assert kills > 10
    assert_told_once(room.told(), PICTURES * 6)
    assert room.device.journal.first_broken() is None


def assert_told_once(told: Iterable[Told], pictures: Iterable[tuple[str, ...]]) -> None:
    """See that what was told leads from each picture to the next, and nothing else."""
    there: set[str] = set()
    given = iter(told)
    for picture in pictures:
        changes: set[Told] = {("found", one) for one in picture if one not in there}
        changes |= {("removed", one) for one in there if one not in picture}
        there = {*picture}
        assert {next(given) for _ in changes} == changes
    assert list(given) == []


Step = tuple[Literal["take", "ceiling", "restart", "told", "server"], object]
MESSENGERS = ("telegram", "signal", "unlisted:foo")
STEPS = st.one_of(
    st.tuples(st.just("take"), st.sets(st.sampled_from(MESSENGERS))),
    st.tuples(st.just("ceiling"), st.sampled_from(DETAILS)),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("server"), st.booleans()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(steps=st.lists(STEPS, max_size=14))
def test_whatever_happens_in_the_end_the_server_knows_what_is_there(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step]
) -> None:
    room = Room(tmp_path_factory.mktemp("device"))
    there: set[str] = set()
    for kind, value in steps:
        if kind == "take":
            there = set(value)  # type: ignore[call-overload]  # as the strategy has it
            room.take(*map(found, sorted(there)))
        elif kind == "ceiling":
            room.device.door.lower(same(value))  # type: ignore[arg-type]  # alike
        elif kind == "server":
            room.device.server.also_takes = tuple(ASKED_FOR) if value else ()
            room.device.check_in()
        else:
            room.restart()
        room.device.clock.advance(timedelta(days=1, minutes=7))
        room.settle()
    room.device.server.also_takes = tuple(ASKED_FOR)
    room.device.check_in()
    room.device.door.lower(None)
    room.settle()
    known: dict[str, str | None] = {}
    for one in room.observed():
        if one.change == "removed":
            del known[one.installation]
        else:
            known[one.installation] = one.messenger
    assert sorted(known.values(), key=str) == sorted(there)
    assert room.rows() == len(there)
    assert room.device.server.forks == []


def test_a_state_from_before_this_table_gets_it(tmp_path: Path) -> None:
    Device(tmp_path).store.close()
    with sqlite3.connect(tmp_path / "state.sqlite3") as database:
        database.execute("DROP TABLE installed")
    assert Device(tmp_path).store.execute("SELECT count(*) FROM installed").fetchone() == (0,)
