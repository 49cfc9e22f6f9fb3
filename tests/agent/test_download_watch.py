"""When it is looked into the download folders of work profiles: once something came to rest there, and never for nothing."""

import asyncio
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from agent.download_watch import DownloadWatch
from agent.problems import CANNOT_WRITE, Problems
from agent.resting import EVERY_SECONDS, QUIET_SECONDS
from agent.sensing.folder_watch import NoWatchError
from tests.agent.test_lookout import LoopClock
from tests.agent.test_unretained import Desk
from tests.fakes.applications import FakeFolderWatch
from tests.fakes.hand_loop import HandLoop


class Scene:
    """A watch at work over a real folder, on a made-up device."""

    def __init__(self, folder: Path, refusal: NoWatchError | None = None, *, serves_one: bool = True) -> None:
        self.loop, self.desk = HandLoop(), Desk(folder)
        self.work, self.folder_watch, self.problems = folder / "work", FakeFolderWatch(refusal), Problems()
        self.steps = self.changes = 0
        self.watch = DownloadWatch(
            self.work if serves_one else None,
            self.folder_watch,
            self.desk.unretained,
            lambda: date(1970, 1, 1),
            LoopClock(self.loop),
            self.problems,
            lambda: None,
            self._changed,
        )
        step = self.watch.step

        def counted() -> None:
            self.steps += 1
            step()

        self.watch.step = counted  # type: ignore[method-assign]  # it counts, and does the same
        self.task: asyncio.Task[None] | None = None

    def _changed(self) -> None:
        self.changes += 1

    def begin(self) -> None:
        self.task = self.loop.create_task(self.watch.run())
        self.loop.advance(2 * QUIET_SECONDS)

    def open(self, messenger: str) -> Path:
        """Make a work profile, as `decorum open` does."""
        folder = self.work / messenger / "Downloads"
        folder.mkdir(parents=True)
        return folder

    def end(self) -> None:
        if self.task is not None:
            self.loop.finish(self.task)
        self.desk.device.store.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    one = Scene(tmp_path)
    yield one
    one.end()


def test_where_no_work_profile_is_nobody_wakes_but_once_a_minute(scene: Scene) -> None:
    scene.begin()
    before = scene.steps
    scene.loop.advance(60 * EVERY_SECONDS)
    assert scene.steps - before == 60
    assert scene.folder_watch.begun == []


def test_an_agent_that_serves_no_one_person_looks_nowhere(tmp_path: Path) -> None:
    scene = Scene(tmp_path, serves_one=False)
    (scene.open("telegram") / "offer.pdf").write_text("1")
    scene.begin()
    scene.loop.advance(10 * EVERY_SECONDS)
    assert scene.desk.waiting() == {}
    assert scene.folder_watch.begun == []
    scene.end()


def test_what_is_told_is_found_once_it_came_to_rest(scene: Scene) -> None:
    folder = scene.open("telegram")
    scene.begin()
    assert scene.folder_watch.begun == [[scene.work, folder.parent, folder]]
    before = scene.steps
    scene.loop.advance(60 * EVERY_SECONDS)
    assert scene.steps - before == 60, "what is told of is not looked for"
    (folder / "offer.pdf").write_text("1")
    scene.folder_watch.tell()
    scene.loop.advance(QUIET_SECONDS - 0.1)
    assert scene.desk.waiting() == {}
    scene.loop.advance(0.2)
    assert scene.desk.waiting() == {"telegram": ["offer.pdf"]}
    assert scene.changes == 1


def test_a_work_profile_that_is_opened_later_is_watched_within_a_minute(scene: Scene) -> None:
    scene.begin()
    folder = scene.open("signal")
    scene.loop.advance(EVERY_SECONDS)
    assert scene.folder_watch.begun == [[scene.work, folder.parent, folder]]


def test_where_nobody_tells_it_is_looked_once_a_minute(tmp_path: Path) -> None:
    scene = Scene(tmp_path, NoWatchError("A limit is reached.", "Raise it."))
    folder = scene.open("telegram")
    scene.begin()
    (folder / "offer.pdf").write_text("1")
    scene.loop.advance(EVERY_SECONDS + QUIET_SECONDS)
    assert scene.desk.waiting() == {"telegram": ["offer.pdf"]}
    before = scene.steps
    scene.loop.advance(60 * (EVERY_SECONDS + QUIET_SECONDS))
    assert scene.steps - before == 120, "a minute, then until it came to rest"
    assert len(scene.folder_watch.begun) == 1
    scene.end()


@pytest.mark.expected_warnings("cannot be written")
def test_a_full_disk_puts_it_off_and_nothing_is_lost(scene: Scene) -> None:
    folder = scene.open("telegram")
    scene.begin()
    store = scene.desk.device.store
    pages = store.execute("PRAGMA page_count").fetchone()[0]
    store.execute(f"PRAGMA max_page_count = {pages}")
    for number in range(400):
        (folder / f"{number}.pdf").write_text("1")
    scene.folder_watch.tell()
    scene.loop.advance(2 * QUIET_SECONDS)
    assert [one.code for one in scene.problems.all()] == [CANNOT_WRITE]
    assert scene.desk.waiting() == {}
    store.execute("PRAGMA max_page_count = 1000000")
    scene.loop.advance(2 * EVERY_SECONDS)
    assert len(scene.desk.waiting()["telegram"]) == 400
