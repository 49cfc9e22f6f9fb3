import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.catalogue import CatalogueError, load


def test_the_catalogue_that_ships_is_whole() -> None:
    assert {"whatsapp", "pidgin", "leapxpert"} <= load().messengers.keys()


def test_it_is_found_from_any_folder(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", "from agent.catalogue import load; print(len(load().messengers))"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(done.stdout) == len(load().messengers)


def _package(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, files: dict[str, bytes] | None) -> str:
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    if files is not None:
        (package / "catalogue_data").mkdir()
        for file_name, content in files.items():
            (package / "catalogue_data" / file_name).write_bytes(content)
    monkeypatch.syspath_prepend(folder)
    return name


@pytest.mark.parametrize(
    ("name", "files", "says"),
    [
        ("decorum_test_missing", None, "cannot be read"),
        ("decorum_test_empty", {}, "is empty"),
        ("decorum_test_readme", {"README": b"demo"}, "is empty"),
        ("decorum_test_binary", {"demo.toml": b"\xff\xfe"}, "cannot be read"),
        ("decorum_test_broken", {"demo.toml": b"[demo"}, "demo.toml is not TOML"),
        ("decorum_test_wrong", {"demo.toml": b"[demo]\nname = 5\n"}, "Expected"),
    ],
)
def test_what_is_wrong_with_its_files_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, files: dict[str, bytes] | None, says: str
) -> None:
    package = _package(tmp_path, monkeypatch, name, files)
    with pytest.raises(CatalogueError, match=says) as refused:
        load(package)
    assert refused.value.remedy


def test_a_package_that_is_not_there_is_said_so() -> None:
    with pytest.raises(CatalogueError, match="decorum_test_nowhere"):
        load("decorum_test_nowhere")
