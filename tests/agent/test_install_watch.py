"""When it is looked at what is installed: after changes have come to rest, once a minute where nobody tells, and never for nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.install_watch import PROBLEM, InstallWatch
from agent.installations import Installations
from agent.problems import CANNOT_WRITE, Problems
from agent.resting import EVERY_SECONDS, LONGEST_SECONDS, QUIET_SECONDS
from agent.sensing.folder_watch import NoWatchError
from contract.local import Noticing
from contract.matching import Matcher
from tests.agent.test_installations import CATALOGUE
from tests.agent.test_lookout import LoopClock
from tests.fakes.applications import FakeApplications, FakeFolderWatch
from tests.fakes.device import Device
from tests.fakes.hand_loop import HandLoop

MATCHER = Matcher(CATALOGUE)


class Scene:
    """A watch at work on a made-up device."""

    def __init__(self, folder: Path, refusal: NoWatchError | None = None) -> None:
        self.loop, self.applications = HandLoop(), FakeApplications()
        self.folder_watch, self.problems = FakeFolderWatch(refusal), Problems()
        self.device = Device(folder)
        self.device.enrol()
        self.device.check_in()
        self.matcher = MATCHER
        self.reports = self.changes = 0
        self.installations = Installations(
            self.device.store,
            self.device.journal,
            self.device.outbox,
            self.device.door,
            lambda: CATALOGUE,
            "work",
            lambda: self.device.check_ins.takes("installed"),
        )
        self.watch = InstallWatch(
            self.applications,
            self.folder_watch,
            lambda: self.matcher,
            self.installations,
            1000,
            LoopClock(self.loop),
            self.problems,
            self._report,
            self._changed,
        )
        self.task: asyncio.Task[None] | None = None

    def _report(self) -> None:
        self.reports += 1

    def _changed(self) -> None:
        self.changes += 1

    def begin(self) -> None:
        self.task = self.loop.create_task(self.watch.run())
        self.loop.advance(QUIET_SECONDS)

    def there(self) -> list[str]:
        return [one.messenger for one in self.installations.there()]

    def end(self) -> None:
        if self.task is not None:
            self.loop.finish(self.task)
        self.device.store.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    one = Scene(tmp_path)
    one.applications.lie_in(tmp_path)
    yield one
    one.end()


def test_what_is_there_already_is_found_a_moment_after_the_start(scene: Scene) -> None:
    scene.applications.install("pidgin")
    scene.applications.install("vim")
    scene.begin()
    assert scene.there() == ["pidgin"]
    assert (scene.reports, scene.watch.means) == (1, Noticing("events"))


def test_a_change_that_is_told_is_looked_at_once_it_has_been_quiet(scene: Scene) -> None:
    scene.begin()
    scene.applications.install("pidgin")
    scene.folder_watch.tell()
    scene.loop.advance(QUIET_SECONDS - 0.1)
    assert scene.applications.looks == 1
    scene.loop.advance(0.2)
    assert (scene.applications.looks, scene.there()) == (2, ["pidgin"])


def test_a_package_that_touches_many_files_costs_one_look(scene: Scene) -> None:
    scene.begin()
    scene.applications.install("pidgin")
    for _ in range(40):
        scene.folder_watch.tell()
        scene.loop.advance(0.25)
    assert scene.applications.looks == 1
    scene.loop.advance(QUIET_SECONDS)
    assert (scene.applications.looks, scene.there()) == (2, ["pidgin"])


def test_changes_without_end_do_not_put_it_off_for_ever(scene: Scene) -> None:
    scene.begin()
    scene.applications.install("pidgin")
    for _ in range(int(LONGEST_SECONDS) + 2):
        scene.folder_watch.tell()
        scene.loop.advance(1.0)
    assert (scene.applications.looks, scene.there()) == (2, ["pidgin"])


def test_while_nothing_changes_it_is_never_looked(scene: Scene) -> None:
    scene.applications.install("pidgin")
    scene.begin()
    scene.loop.advance(24 * 3600.0)
    assert (scene.applications.looks, scene.reports) == (1, 1)
    assert len(scene.folder_watch.begun) == 1


@pytest.mark.parametrize("refusal", [None, NoWatchError("A limit is reached.", "Raise it.")])
def test_what_is_not_told_is_found_within_a_minute(tmp_path: Path, refusal: NoWatchError | None) -> None:
    scene = Scene(tmp_path, refusal)
    scene.applications.lie_in(tmp_path)
    scene.begin()
    scene.applications.install("pidgin")
    scene.loop.advance(EVERY_SECONDS + QUIET_SECONDS)
    assert scene.there() == ["pidgin"]
    scene.applications.remove("pidgin")
    scene.loop.advance(EVERY_SECONDS + QUIET_SECONDS)
    assert scene.there() == []
    scene.end()


def test_where_the_system_refuses_it_says_why_and_does_not_ask_again_and_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, NoWatchError("A limit is reached.", "Raise it."))
    scene.applications.lie_in(tmp_path)
    scene.begin()
    scene.loop.advance(3600.0)
    assert scene.watch.means == Noticing("polling", "A limit is reached.", "Raise it.")
    assert (len(scene.folder_watch.begun), scene.changes) == (1, 1)
    scene.end()


def test_a_folder_that_appears_later_is_watched_and_one_made_anew_again(scene: Scene, tmp_path: Path) -> None:
    later = tmp_path / "later"
    scene.applications.lie_in(later)
    scene.begin()
    assert scene.watch.means.by == "polling"
    assert "no folder" in (scene.watch.means.why or "")
    later.mkdir()
    scene.loop.advance(EVERY_SECONDS)
    assert scene.folder_watch.begun == [[later]]
    assert scene.watch.means == Noticing("events")
    later.rmdir()
    (tmp_path / "between").mkdir()  # takes the number of the folder that is gone
    later.mkdir()
    scene.loop.advance(EVERY_SECONDS)
    assert scene.folder_watch.begun == [[later], [later]]


def test_what_is_this_users_alone_is_told_of_them_and_the_rest_of_the_device(scene: Scene) -> None:
    scene.applications.install("pidgin", is_own=True)
    scene.applications.install("telegram-desktop")
    scene.begin()
    assert [(one.messenger, one.uid) for one in scene.installations.there()] == [
        ("pidgin", 1000),
        ("telegram", None),
    ]


def test_a_new_catalogue_looks_again(scene: Scene) -> None:
    scene.applications.install("pidgin")
    scene.matcher = Matcher(type(CATALOGUE)({}))
    scene.begin()
    assert scene.there() == []
    scene.matcher = MATCHER
    scene.watch.look_again()
    scene.loop.advance(QUIET_SECONDS)
    assert scene.there() == ["pidgin"]


def test_an_unlisted_messenger_is_weighed_as_its_process_would_be(scene: Scene) -> None:
    scene.applications.install("foo", desktop_id="org.foo.Foo", categories=("InstantMessaging", "Network"))
    scene.applications.install("bar", desktop_id="org.bar.Bar", categories=("Network",))
    scene.begin()
    assert scene.there() == ["unlisted:org.foo.foo"]


@pytest.mark.expected_warnings("cannot be read")
def test_what_cannot_be_read_now_is_not_taken_for_removed(scene: Scene) -> None:
    scene.applications.install("pidgin")
    scene.begin()
    scene.applications.is_unreadable = True
    scene.folder_watch.tell()
    scene.loop.advance(QUIET_SECONDS)
    assert scene.there() == ["pidgin"]
    assert scene.problems.has(PROBLEM)
    looks = scene.applications.looks
    scene.loop.advance(EVERY_SECONDS / 2)
    assert scene.applications.looks == looks
    scene.applications.is_unreadable = False
    scene.loop.advance(2 * EVERY_SECONDS)
    assert not scene.problems.has(PROBLEM)
    assert scene.applications.looks == looks + 1


@pytest.mark.expected_warnings("cannot be written")
def test_a_full_disk_puts_it_off_and_loses_nothing(scene: Scene) -> None:
    scene.begin()
    scene.device.store.execute("PRAGMA query_only=ON")
    scene.applications.install("pidgin")
    scene.folder_watch.tell()
    scene.loop.advance(QUIET_SECONDS)
    assert scene.problems.has(CANNOT_WRITE)
    assert scene.there() == []
    scene.device.store.execute("PRAGMA query_only=OFF")
    scene.loop.advance(2 * EVERY_SECONDS)
    assert (scene.there(), scene.reports) == (["pidgin"], 1)


def test_what_may_be_told_only_now_is_told_soon(scene: Scene) -> None:
    scene.device.server.also_takes = ()
    scene.device.check_in()
    scene.applications.install("pidgin")
    scene.begin()
    assert scene.reports == 0
    scene.device.server.also_takes = ("installed",)
    scene.device.check_in()
    scene.watch.settle_soon()
    scene.loop.advance(0.0)
    assert scene.reports == 1


def test_the_end_of_the_agent_ends_the_watching(scene: Scene) -> None:
    scene.begin()
    tell = scene.folder_watch.tell
    assert scene.task is not None
    scene.loop.finish(scene.task)
    assert scene.folder_watch.tell != tell
    tell()  # from another thread, a moment too late
