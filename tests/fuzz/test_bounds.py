"""What holds every input to its bounds, tried on what breaks each of them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import bounds
from tests.fuzz.bounds import Bounds, Figures, figures_in, input_at_work, summed
from tests.fuzz.target import FoundError

HANGS = """
import sys
from pathlib import Path
from tests.fuzz import bounds
bounds.SECONDS_AT_MOST = 0.1
def check(data):
    while data == b"hangs":
        pass
with bounds.Bounds(check, Path(sys.argv[1]), 2) as tried:
    tried(b"ends")
    tried(b"hangs")
"""


def test_what_goes_through_is_counted_and_the_input_at_work_is_known(tmp_path: Path) -> None:
    with Bounds(lambda _: None, tmp_path, 2) as tried:
        tried(b"one")
        tried(b"another")
    assert figures_in(tmp_path).inputs == 2
    assert figures_in(tmp_path).peak_mb > 0
    assert input_at_work(tmp_path) == b"another"


def test_processes_one_after_the_other_are_one_line() -> None:
    first, second = Figures(10, 2.0, 5.0, 50.0, 60.0), Figures(4, 1.0, 9.0, 70.0, 75.0)
    assert summed([first, second]) == Figures(14, 3.0, 9.0, 50.0, 60.0)


def test_the_figures_are_written_by_the_last_input_even_if_the_process_ends_at_once(tmp_path: Path) -> None:
    tried = Bounds(lambda _: None, tmp_path, 50)
    for number in range(50):
        tried(bytes([number]))
    assert figures_in(tmp_path).inputs == 50
    tried.__exit__()


def test_what_a_target_raises_comes_through_with_its_input_kept(tmp_path: Path) -> None:
    nothing: dict[bytes, None] = {}
    with Bounds(lambda data: nothing[data], tmp_path, 1) as tried, pytest.raises(KeyError):
        tried(b"x")
    assert input_at_work(tmp_path) == b"x"


def test_a_hang_ends_the_process_and_its_input_is_known(checkout: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGS, str(tmp_path)],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Timeout" in done.stderr
    assert input_at_work(tmp_path) == b"hangs"


def test_memory_that_grows_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "WARM_INPUTS", 1)
    monkeypatch.setattr(bounds, "GROWTH_MB_AT_MOST", 40)
    kept: list[bytearray] = []
    # So much that the process holds more than it ever did before, whatever ran in it.
    before_mb = bounds.peak_mb()

    def check(data: bytes) -> None:
        if data == b"grows":
            kept.append(bytearray(b"x") * (int(before_mb) + 80) * 2**20)

    with Bounds(check, tmp_path, 2) as tried:
        tried(b"warm")
        with pytest.raises(FoundError, match="memory grew"):
            tried(b"grows")


def test_nothing_is_known_of_a_process_that_never_began(tmp_path: Path) -> None:
    assert input_at_work(tmp_path) is None
    assert figures_in(tmp_path).inputs == 0
