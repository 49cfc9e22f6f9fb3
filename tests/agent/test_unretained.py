"""Files that came in for work while nothing retained them: counted once, told when the day is over, handed over by their user alone."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from agent.catalogue import load
from agent.commands.hand_over import Done, copy, hand_over
from agent.errors import NowhereToHandOverError, StateError
from agent.localapi.client import LocalClient
from agent.sensing.downloads import Download, downloads, folders
from agent.unretained import FILES_AT_MOST, Unretained
from contract.ceiling import Ceiling, ProfileCeiling
from contract.local import HandedOver, UnretainedFile, UnretainedPage
from contract.observations import NAMES_AT_MOST, FileType, UnretainedObserved, decode, sentence
from tests.fakes.device import Device

CATALOGUE = load()
DAY = timedelta(days=1)


class Desk:
    """The table of such files, on a made-up device."""

    def __init__(self, folder: Path, ceiling: Ceiling | None = None) -> None:
        self.device = Device(folder) if ceiling is None else Device(folder, ceiling=ceiling)
        self.device.enrol()
        self.device.check_in()
        self.captured: set[str] = set()
        self.files: list[Download] = []
        self.start()

    def start(self) -> None:
        device = self.device
        self.unretained = Unretained(
            device.store,
            device.journal,
            device.outbox,
            device.door,
            lambda: CATALOGUE,
            self.captured.__contains__,
            lambda: device.check_ins.takes("unretained"),
            1000,
        )

    def save(self, name: str, size: int = 10, messenger: str = "telegram") -> None:
        path = f"/home/x/work/{messenger}/Downloads/{name}"
        kind: FileType = "document" if name.endswith(".pdf") else "image"
        self.files.append(
            Download(messenger=messenger, path=path, size=size, changed=len(self.files), type=kind)
        )

    def look(self) -> bool:
        now = self.device.clock.now()
        return self.unretained.take(self.files, now, now.date() - 30 * DAY)

    def waiting(self) -> dict[str, list[str]]:
        return {one: [file.name for file in files] for one, files in self.unretained.waiting().items()}

    def told(self) -> list[UnretainedObserved]:
        """Return what waits to leave, oldest first."""
        waiting = self.device.outbox.due(self.device.clock.now() + 400 * DAY)
        observed = [decode(one.body) for one in waiting if one.type == "unretained"]
        return [one for one in observed if isinstance(one, UnretainedObserved)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    one = Desk(tmp_path)
    yield one
    one.device.store.close()


def test_a_file_is_counted_once_and_told_when_its_day_is_over(desk: Desk) -> None:
    desk.save("offer.pdf", 1000)
    desk.save("plan.png", 24)
    assert not desk.look(), "the day is not over"
    assert desk.waiting() == {"telegram": ["offer.pdf", "plan.png"]}
    assert not desk.look()
    desk.device.clock.advance(DAY)
    assert desk.look()
    assert not desk.look()
    (told,) = desk.told()
    assert (told.files, told.total_bytes, told.handed_over) == (2, 1024, 0)
    assert told.types == {"document": 1, "image": 1}
    assert (told.messenger, told.profile, told.file_names) == ("telegram", "work", None)
    assert sentence(told) == (
        f"2 files (1,024 bytes) came in for work by Telegram on {told.day} and nothing retained them."
    )


def test_a_restart_neither_loses_nor_doubles_a_file(desk: Desk) -> None:
    desk.save("offer.pdf")
    desk.look()
    desk.start()
    desk.look()
    desk.device.clock.advance(DAY)
    assert desk.unretained.settle(desk.device.clock.now())
    desk.start()
    assert not desk.look()
    assert len(desk.told()) == 1


def test_what_came_in_while_the_channel_was_retained_is_none_of_these(desk: Desk) -> None:
    desk.captured.add("telegram")
    desk.save("kept.pdf")
    desk.look()
    desk.captured.clear()
    desk.start()
    desk.look()
    assert desk.waiting() == {}
    desk.save("later.pdf")
    desk.look()
    assert desk.waiting() == {"telegram": ["later.pdf"]}
    desk.device.clock.advance(DAY)
    desk.look()
    assert [one.files for one in desk.told()] == [1]


def test_what_is_handed_over_is_told_once_more_after_the_day_and_waits_no_longer(desk: Desk) -> None:
    for name in ("a.pdf", "b.pdf"):
        desk.save(name)
    desk.look()
    path = desk.files[0].path
    assert desk.unretained.hand_over([path, "/elsewhere"], desk.device.clock.now()) == 1
    assert desk.unretained.hand_over([path], desk.device.clock.now()) == 0
    assert desk.waiting() == {"telegram": ["b.pdf"]}
    desk.device.clock.advance(DAY)
    desk.look()
    desk.unretained.hand_over([desk.files[1].path], desk.device.clock.now())
    desk.unretained.settle(desk.device.clock.now())
    assert [(one.files, one.handed_over) for one in desk.told()] == [(2, 1), (2, 2)]
    assert desk.told()[0].unretained == desk.told()[1].unretained


def test_another_file_under_the_same_name_is_another_file(desk: Desk) -> None:
    desk.save("a.pdf")
    desk.look()
    desk.save("a.pdf")
    desk.look()
    assert desk.waiting() == {"telegram": ["a.pdf", "a.pdf"]}


def test_a_folder_that_no_messenger_is_called_by_is_passed_over(desk: Desk) -> None:
    desk.save("a.pdf", messenger="something")
    desk.look()
    assert desk.waiting() == {}


def test_a_day_is_forgotten_once_it_is_too_old_and_its_files_are_gone(desk: Desk) -> None:
    desk.save("a.pdf")
    desk.look()
    desk.device.clock.advance(40 * DAY)
    desk.look()
    desk.look()
    assert len(desk.told()) == 1
    assert desk.waiting(), "the file lies there still, and must not be taken for a new one"
    desk.files.clear()
    desk.look()
    assert desk.waiting() == {}
    desk.start()
    assert desk.waiting() == {}


def test_a_day_has_no_more_files_than_a_row_holds(desk: Desk) -> None:
    for number in range(FILES_AT_MOST + 5):
        desk.save(f"{number}.png")
    desk.look()
    assert len(desk.waiting()["telegram"]) == FILES_AT_MOST


def test_a_damaged_row_is_forgotten(desk: Desk) -> None:
    desk.save("a.pdf")
    desk.look()
    desk.device.store.execute("UPDATE unretained SET body = ?", b"{}")
    desk.start()
    assert desk.waiting() == {}


@pytest.mark.parametrize(
    ("work", "device_says", "policy_says", "expected"),
    [
        ("exact", True, True, ("telegram", ("a.pdf",))),
        ("exact", True, False, ("telegram", None)),
        ("exact", False, True, ("telegram", None)),
        ("name", True, True, ("telegram", ("a.pdf",))),
        ("kind", True, True, (None, None)),
        ("nothing", True, True, None),
    ],
)
def test_names_leave_only_where_device_and_policy_both_say_so(
    tmp_path: Path, work: str, *, device_says: bool, policy_says: bool, expected: object
) -> None:
    own = Ceiling(company=ProfileCeiling(work=work, file_names=device_says))  # type: ignore[arg-type]
    desk = Desk(tmp_path, own)
    policy_ceiling = Ceiling(company=ProfileCeiling(work="exact", file_names=policy_says))
    desk.device.door.lower(policy_ceiling)
    desk.save("a.pdf")
    desk.look()
    desk.device.clock.advance(DAY)
    desk.look()
    told = desk.told()
    assert [(one.messenger, one.file_names) for one in told] == ([] if expected is None else [expected])
    desk.device.door.lower(None)
    desk.device.store.close()


def test_no_more_names_leave_than_fit(tmp_path: Path) -> None:
    own = Ceiling(company=ProfileCeiling(work="exact", file_names=True))
    desk = Desk(tmp_path, own)
    desk.device.door.lower(own)
    for number in range(NAMES_AT_MOST + 3):
        desk.save(f"{number}-{'x' * 300}.pdf")
    desk.look()
    desk.device.clock.advance(DAY)
    desk.look()
    (told,) = desk.told()
    assert told.file_names is not None
    assert len(told.file_names) == NAMES_AT_MOST
    assert told.files == NAMES_AT_MOST + 3
    desk.device.store.close()


def test_only_finished_files_of_work_profiles_are_found(tmp_path: Path) -> None:
    inside = tmp_path / "telegram/Downloads/Telegram Desktop"
    inside.mkdir(parents=True)
    (tmp_path / "telegram/data").mkdir()
    for name in ("offer.pdf", "film.crdownload", ".hidden", "x.part"):
        (inside / name).write_text("12345")
    (tmp_path / "telegram/data/own.pdf").write_text("the messenger's own")
    (inside / "link.pdf").symlink_to(tmp_path / "telegram/data/own.pdf")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "signal").mkdir()
    (tmp_path / "signal/Downloads").symlink_to(elsewhere)
    (elsewhere / "private.pdf").write_text("private")
    found = list(downloads(tmp_path))
    assert [(one.messenger, Path(one.path).name, one.size, one.type) for one in found] == [
        ("telegram", "offer.pdf", 5, "document")
    ]
    watched = folders(tmp_path)
    assert watched == (tmp_path, tmp_path / "telegram", tmp_path / "telegram/Downloads", inside)
    assert folders(tmp_path / "none") == ()
    assert list(downloads(tmp_path / "none")) == []


def test_a_copy_is_whole_and_says_what_it_is(tmp_path: Path) -> None:
    source, folder = tmp_path / "offer.pdf", tmp_path / "archive"
    folder.mkdir()
    source.write_bytes(b"content")
    file = UnretainedFile(messenger="telegram", path=str(source), size=7)
    made = copy(file, folder)
    assert copy(file, folder) == made, "handed over twice it is one copy"
    assert made.read_bytes() == b"content"
    assert made.name == "ed7002b439e9ac84-offer.pdf"
    about = json.loads(made.with_name(f"{made.name}.json").read_text())
    assert (about["name"], about["bytes"], about["messenger"]) == ("offer.pdf", 7, "telegram")
    assert about["sha256"].startswith("ed7002b439e9ac84")
    assert sorted(one.name for one in folder.iterdir()) == [made.name, f"{made.name}.json"]
    source.unlink()
    with pytest.raises(FileNotFoundError):
        copy(file, folder)


def test_what_was_removed_waits_no_longer_and_is_not_called_handed_over(desk: Desk) -> None:
    for name in ("a.pdf", "b.pdf"):
        desk.save(name)
    desk.look()
    kept = desk.files.pop(0)
    desk.look()
    assert desk.waiting() == {"telegram": ["b.pdf"]}
    desk.device.clock.advance(DAY)
    desk.look()
    assert [(one.files, one.handed_over) for one in desk.told()] == [(2, 0)]
    desk.files.append(kept)
    desk.look()
    assert sorted(desk.waiting()["telegram"]) == ["a.pdf", "b.pdf"], "it was only not to be seen for a while"


class FakeAgent:
    """Answers as the agent does: it believes a copy that is as large as the file was when it was seen."""

    def __init__(self, folder: Path | None, *files: UnretainedFile) -> None:
        self.folder, self.files = folder, list(files)
        self.asked = 0

    def ask(self, method: str, params: object, kind: type) -> object:
        self.asked += 1
        if method == "unretained":
            folder = None if self.folder is None else str(self.folder)
            return UnretainedPage(folder=folder, files=tuple(self.files))
        assert isinstance(params, HandedOver)
        sizes = {one.path: one.size for one in self.files}
        good = {one.path for one in params.files if Path(one.copy).stat().st_size == sizes[one.path]}
        self.files = [one for one in self.files if one.path not in good]
        return kind()


def _handed(agent: FakeAgent, messenger: str | None = None) -> Done:
    return hand_over(cast("LocalClient", agent), messenger)


def test_what_changed_or_went_meanwhile_is_tried_once_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    good, grown = tmp_path / "good.pdf", tmp_path / "grown.pdf"
    good.write_text("12345")
    grown.write_text("1234567")
    files = [
        UnretainedFile(messenger="telegram", path=str(one), size=5)
        for one in (good, grown, tmp_path / "gone.pdf")
    ]
    other = UnretainedFile(messenger="signal", path=str(good) + ".other", size=1)
    agent = FakeAgent(folder, *files, other)
    done = _handed(agent, "telegram")
    assert [one.path for one in done.handed_over] == [str(good)]
    assert [Path(one.path).name for one in done.left] == ["grown.pdf", "gone.pdf"]
    assert agent.asked == 3, "it ends"


def test_without_a_folder_or_with_one_that_is_missing_nothing_is_called_handed_over(tmp_path: Path) -> None:
    source = tmp_path / "offer.pdf"
    source.write_text("1")
    file = UnretainedFile(messenger="telegram", path=str(source), size=1)
    with pytest.raises(NowhereToHandOverError):
        _handed(FakeAgent(None, file))
    with pytest.raises(StateError, match="cannot be copied") as caught:
        _handed(FakeAgent(tmp_path / "missing", file))
    assert caught.value.remedy
    assert _handed(FakeAgent(None)).handed_over == ()
