"""One agent for one state folder."""

from pathlib import Path

import pytest

from agent.errors import StateError
from agent.lock import FolderLock


def test_the_second_says_so_and_leaves(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    with pytest.raises(StateError, match="Another agent uses"):
        FolderLock(tmp_path)
    first.release()
    FolderLock(tmp_path).release()


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be opened"):
        FolderLock(tmp_path / "file" / "state")
