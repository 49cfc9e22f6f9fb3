"""Changed settings are taken up; wrong ones are told and change nothing; nothing is started over while something waits to be written."""

import asyncio
from pathlib import Path

import pytest

from agent.errors import SettingsError, StateError
from agent.managed.files import Files
from agent.problems import CANNOT_WRITE, Problems
from agent.settings import Settings, load
from agent.settings_watch import LOOK_SECONDS, SettingsPlace, SettingsWatch
from tests.fakes.hand_loop import HandLoop

PLAIN = load(None, Files(Path("/nonexistent")))


def wished(**asked: object) -> Settings:
    return load(None, Files(Path("/nonexistent")), asked)


OTHERS = wished(poll_milliseconds=800)


class Place:
    """Settings that a test writes."""

    def __init__(self) -> None:
        self.number = 0
        self.written: Settings | SettingsError = PLAIN
        self.problems, self.told = Problems(), 0
        self.watch = SettingsWatch(
            PLAIN, SettingsPlace(self.read, lambda: self.number), self.problems, self.tell
        )

    def write(self, written: Settings | SettingsError) -> None:
        self.number, self.written = self.number + 1, written

    def read(self) -> Settings:
        if isinstance(self.written, SettingsError):
            raise self.written
        return self.written

    def tell(self) -> None:
        self.told += 1


def test_nothing_is_read_while_no_stamp_is_another() -> None:
    place = Place()
    place.written = OTHERS
    assert not place.watch.look()
    assert place.watch.changed is None


def test_other_settings_are_taken_up() -> None:
    place = Place()
    place.write(OTHERS)
    assert place.watch.look()
    assert place.watch.changed == OTHERS


def test_the_same_settings_written_again_change_nothing() -> None:
    place = Place()
    place.write(PLAIN)
    assert not place.watch.look()


def test_the_servers_rhythm_needs_no_new_start_and_everything_else_does() -> None:
    place = Place()
    place.write(wished(check_in_seconds=60))
    assert not place.watch.look()
    place.write(wished(check_in_seconds=60, poll_milliseconds=800))
    assert place.watch.look()


def test_a_rhythm_that_the_administrator_changed_is_taken_up(tmp_path: Path) -> None:
    place, file = Place(), tmp_path / "own.toml"
    file.write_text("check_in_seconds = 60\n")
    place.write(load(file, Files(Path("/nonexistent"))))
    assert place.watch.look()


@pytest.mark.expected_warnings("It is not TOML")
def test_wrong_settings_are_told_and_those_in_force_stay() -> None:
    place = Place()
    place.write(SettingsError("It is not TOML.", "Correct it."))
    assert not place.watch.look()
    assert ([problem.code for problem in place.problems.all()], place.told) == (["settings"], 1)
    place.write(PLAIN)
    assert not place.watch.look()
    assert (place.problems.all(), place.told) == ((), 2)


@pytest.mark.expected_warnings("The disk is full")
def test_nothing_is_started_over_while_something_waits_to_be_written() -> None:
    place = Place()
    place.problems.report(CANNOT_WRITE, StateError("The disk is full.", "Free some space."))
    place.write(OTHERS)
    assert not place.watch.look()
    place.problems.clear(CANNOT_WRITE)
    assert place.watch.look()


def test_it_looks_by_itself_and_asks_the_agent_to_stop() -> None:
    place, loop = Place(), HandLoop()
    stop = asyncio.Event()
    task = loop.create_task(place.watch.run(stop))
    loop.advance(LOOK_SECONDS)
    assert not stop.is_set()
    place.write(OTHERS)
    loop.advance(LOOK_SECONDS)
    assert stop.is_set()
    loop.finish(task)
