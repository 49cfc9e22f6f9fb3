"""The demo's folder: one user at a time, nothing foreign touched, and a place for the socket however long the path is."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.demo.errors import DemoError
from dev.demo.folder import LONGEST_SOCKET_PATH_BYTES, RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    folder = RunFolder(tmp_path / "run")
    folder.open()
    yield folder
    os.close(folder.lock)


def test_a_second_one_is_refused_and_told_by_whom(folder: RunFolder) -> None:
    with pytest.raises(DemoError, match=rf"running already \(process {os.getpid()}\)"):
        RunFolder(folder.path).open()


def test_only_its_owner_can_look_inside(folder: RunFolder) -> None:
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_an_unfinished_first_start_is_thrown_away_and_a_finished_one_kept(folder: RunFolder) -> None:
    folder.make_rooms()
    (folder.server / "database").touch()
    folder.remember({"port": 8420})
    folder.make_rooms()
    assert not (folder.server / "database").exists()
    assert folder.remembered() == {}
    (folder.server / "database").touch()
    folder.remember({"port": 8420, "ready": True})
    folder.make_rooms()
    assert (folder.server / "database").exists()
    assert folder.remembered() == {"port": 8420, "ready": True}


def test_a_damaged_memory_is_not_written_over(folder: RunFolder) -> None:
    (folder.path / "demo.json").write_text("{")
    with pytest.raises(DemoError, match="make clean-run"):
        folder.make_rooms()
    assert (folder.path / "demo.json").read_text() == "{"


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with pytest.raises(DemoError, match="holds something else"):
        RunFolder(tmp_path).open()
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_a_long_path_still_has_a_socket_and_leaves_nothing_behind(tmp_path: Path) -> None:
    deep = RunFolder(tmp_path / ("x" * 120))
    deep.open()
    socket = deep.socket()
    assert len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH_BYTES
    assert socket == deep.socket()
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    deep.remove()
    os.close(deep.lock)
    assert not socket.parent.exists()


def test_a_short_path_keeps_its_socket_inside(tmp_path: Path) -> None:
    assert RunFolder(Path("/srv/decorum/.run")).socket() == Path("/srv/decorum/.run/agent.sock")
