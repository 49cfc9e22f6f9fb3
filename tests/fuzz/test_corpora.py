"""Every input that is kept, tried against its target: what was found once stays mended, and what reaches far goes on reaching it.

Whatever else comes out than an error that the target documents, or goes to the log as a fault, fails. `make fuzz` makes new ones.
"""

from pathlib import Path

import pytest

from tests.fuzz import targets
from tests.fuzz.target import FoundError, Target, no_fault_is_swallowed

BYTES_AT_MOST = 300 * 1024
"""The corpora are read by people and carried by every checkout."""


@pytest.fixture(scope="module")
def by_name() -> dict[str, Target]:
    return targets.targets()


def test_every_target_has_a_corpus_and_every_corpus_a_target(by_name: dict[str, Target]) -> None:
    kept = {folder.name for folder in targets.CORPUS.iterdir()}
    assert kept == set(by_name) == set(targets.NAMES)


def test_the_corpora_stay_small() -> None:
    files = [file for name in targets.NAMES for file in targets.corpus_of(name)]
    assert len(files) >= 3 * len(targets.NAMES)
    assert sum(file.stat().st_size for file in files) <= BYTES_AT_MOST


@pytest.mark.parametrize("name", targets.NAMES)
def test_every_kept_input_holds(name: str, by_name: dict[str, Target], db: None, tmp_path: Path) -> None:
    with by_name[name].opened(tmp_path) as check:
        for file in targets.corpus_of(name):
            try:
                check(file.read_bytes())
            except Exception as error:
                error.add_note(f"the input is {file}")
                raise


@pytest.mark.expected_warnings("it broke")
def test_a_fault_that_only_the_log_tells_is_found() -> None:
    import logging

    def swallows(data: bytes) -> None:
        if data:
            logging.getLogger("agent").error("it broke")

    with no_fault_is_swallowed(swallows) as check:
        check(b"")
        with pytest.raises(FoundError, match="it broke"):
            check(b"x")
        check(b"")
