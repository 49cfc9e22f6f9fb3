"""Export folders: when the newest file was written, and nothing else; a folder that says nothing is a problem with its remedy."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent import export_folders
from agent.export_folders import EVERY_SECONDS, QUIET_SECONDS, ExportFolders, Look, look
from agent.problems import Problems
from agent.sensing.folder_watch import NoWatchError
from contract.capture import Word
from tests.fakes.applications import FakeFolderWatch
from tests.fakes.hand_loop import HandLoop

AT = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)


def write(file: Path, at: datetime) -> Path:
    file.write_text("never read")
    os.utime(file, (at.timestamp(), at.timestamp()))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "export"
    made.mkdir()
    return made


def test_the_newest_file_lying_in_it_says_when(folder: Path) -> None:
    assert look(str(folder)) == Look(None)
    write(folder / "b", LATER)
    write(folder / "a", AT)
    assert look(str(folder)) == Look(LATER)


def test_neither_links_nor_folders_nor_what_lies_deeper_count(folder: Path, tmp_path: Path) -> None:
    write(folder / "a", AT)
    (folder / "link").symlink_to(write(tmp_path / "elsewhere", LATER))
    deeper = folder / "deeper"
    deeper.mkdir()
    write(deeper / "b", LATER)
    assert look(str(folder)) == Look(AT)


def test_a_folder_that_is_none_or_cannot_be_read_says_why(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(str(tmp_path / "none")) == Look(None, "cannot be read (No such file or directory)")
    assert look(str(write(tmp_path / "file", AT))) == Look(None, "is no folder, or a link to one")
    (tmp_path / "link").symlink_to(folder)
    for link in (str(tmp_path / "link"), f"{tmp_path}/link/"):
        assert look(link) == Look(None, "is no folder, or a link to one")

    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    assert look(str(folder)) == Look(None, "cannot be read (Permission denied)")


def test_no_more_is_looked_at_than_a_bound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_folders, "ENTRIES_AT_MOST", 3)
    for number in range(3):
        write(folder / str(number), AT)
    assert look(str(folder)) == Look(AT)
    write(folder / "one more", LATER)
    assert look(str(folder)) == Look(None, "holds more than 3 entries")


@pytest.mark.parametrize("seconds", [float(2**40), -float(2**40)])
def test_a_time_that_no_calendar_has_is_none(seconds: float) -> None:
    assert export_folders._moment(seconds) is None


class Scene:
    """Folders that are looked at, on a loop whose time a test advances."""

    def __init__(self, folders: dict[str, str], refusal: NoWatchError | None = None) -> None:
        self.loop, self.watch, self.problems = HandLoop(), FakeFolderWatch(refusal), Problems()
        self.changes, self.is_clock_believed = 0, True
        self.folders = self.loop.run_until_complete(self._made(folders))

    async def _made(self, folders: dict[str, str]) -> ExportFolders:
        return ExportFolders(
            folders, self.watch, lambda: self.is_clock_believed, self.problems, self._changed
        )

    def _changed(self) -> None:
        self.changes += 1

    def step(self) -> list[Word]:
        self.loop.run_until_complete(self.folders.step())
        return list(self.folders.words())


@pytest.fixture
def scene(folder: Path) -> Iterator[Scene]:
    one = Scene({"LeapXpert": str(folder)})
    yield one
    one.loop.close()


def test_what_is_found_is_told_once(scene: Scene, folder: Path) -> None:
    write(folder / "a", AT)
    assert scene.step() == [Word(connector="LeapXpert", heard_at=AT)]
    assert scene.step() == [Word(connector="LeapXpert", heard_at=AT)]
    assert scene.changes == 1
    write(folder / "b", LATER)
    assert scene.step() == [Word(connector="LeapXpert", heard_at=LATER)]
    assert scene.changes == 2


@pytest.mark.expected_warnings("export folder of LeapXpert")
def test_a_folder_that_goes_captures_nothing_is_a_problem_and_may_come_back(
    scene: Scene, folder: Path
) -> None:
    write(folder / "a", AT)
    scene.step()
    folder.rename(folder.with_name("moved"))
    assert scene.step() == [Word(connector="LeapXpert", heard_at=None, trouble="unreadable")]
    (problem,) = scene.problems.all()
    assert str(folder) in problem.sentence
    assert "export_folders" in problem.remedy
    assert scene.changes == 2
    scene.step()
    assert scene.changes == 2
    folder.with_name("moved").rename(folder)
    assert scene.step() == [Word(connector="LeapXpert", heard_at=AT)]
    assert (scene.problems.all(), scene.changes) == ((), 3)


def test_while_the_clock_is_in_doubt_what_was_known_stays(scene: Scene, folder: Path) -> None:
    write(folder / "a", AT)
    scene.step()
    scene.is_clock_believed = False
    write(folder / "b", LATER)
    assert scene.step() == [Word(connector="LeapXpert", heard_at=AT)]
    scene.is_clock_believed = True
    assert scene.step() == [Word(connector="LeapXpert", heard_at=LATER)]


@pytest.mark.expected_warnings("export folder of LeapXpert")
def test_only_folders_that_are_there_are_watched(scene: Scene, folder: Path) -> None:
    folder.rmdir()
    scene.step()
    assert scene.watch.begun == []
    folder.mkdir()
    scene.step()
    scene.step()
    assert scene.watch.begun == [[folder]]


def test_a_system_that_does_not_tell_is_no_problem_since_it_is_looked_each_minute(folder: Path) -> None:
    scene = Scene({"LeapXpert": str(folder)}, NoWatchError("full"))
    write(folder / "a", AT)
    assert scene.step() == [Word(connector="LeapXpert", heard_at=AT)]
    assert scene.problems.all() == ()
    scene.loop.close()


def test_it_is_looked_soon_after_the_system_tells_and_each_minute_anyway(scene: Scene, folder: Path) -> None:
    task = scene.loop.create_task(scene.folders.run())
    scene.loop.advance(0)
    write(folder / "a", AT)
    scene.watch.tell()
    scene.loop.advance(QUIET_SECONDS)
    assert list(scene.folders.words()) == [Word(connector="LeapXpert", heard_at=AT)]
    write(folder / "b", LATER)
    scene.loop.advance(EVERY_SECONDS - 1)
    assert list(scene.folders.words()) == [Word(connector="LeapXpert", heard_at=AT)]
    scene.loop.advance(1)
    assert list(scene.folders.words()) == [Word(connector="LeapXpert", heard_at=LATER)]
    scene.loop.finish(task)


def test_without_folders_nothing_is_done() -> None:
    scene = Scene({})
    task = scene.loop.create_task(scene.folders.run())
    scene.loop.advance(EVERY_SECONDS * 3)
    assert (scene.watch.begun, scene.changes) == ([], 0)
    scene.loop.finish(task)
