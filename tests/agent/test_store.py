"""One database: what belongs together is written together, and whatever cannot be used says so with its remedy."""

import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import StateError
from agent.store import SCHEMA_VERSION, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state" / "state.sqlite3")


class InterruptionError(Exception):
    pass


def fail_after(store: Store, *writings: Callable[[], object]) -> None:
    with store.transaction():
        for write in writings:
            write()
        raise InterruptionError


def test_nobody_else_can_read_the_state(tmp_path: Path) -> None:
    file = tmp_path / "state" / "state.sqlite3"
    store = Store(file)
    store.remember("a", "b")
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert set(modes) == {"state.sqlite3", "state.sqlite3-wal", "state.sqlite3-shm"}
    assert set(modes.values()) == {0o600}


def test_a_reply_comes_only_after_a_commit_that_survives_a_power_cut(store: Store) -> None:
    assert store.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_what_was_remembered_is_there_after_a_new_start(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    store = Store(file)
    assert store.fact("tenant") is None
    store.remember("tenant", "acme")
    store.remember("tenant", "acme2")
    store.close()
    assert Store(file).fact("tenant") == "acme2"


def test_a_transaction_writes_all_or_nothing(store: Store) -> None:
    with pytest.raises(InterruptionError):
        fail_after(store, lambda: store.remember("a", "1"))
    assert store.fact("a") is None
    with store.transaction():
        store.remember("a", "1")
        store.remember("b", "2")
    assert (store.fact("a"), store.fact("b")) == ("1", "2")


def test_an_inner_transaction_belongs_to_the_outer_one(store: Store) -> None:
    def write_inside() -> None:
        with store.transaction():
            store.remember("inner", "1")

    with pytest.raises(InterruptionError):
        fail_after(store, write_inside)
    assert store.fact("inner") is None


def test_after_a_failure_the_next_transaction_works(store: Store) -> None:
    with pytest.raises(StateError):
        fail_after(
            store,
            lambda: store.remember("a", "1"),
            lambda: store.execute("INSERT INTO no_such_table VALUES (1)"),
        )
    with store.transaction():
        store.remember("b", "2")
    assert (store.fact("a"), store.fact("b")) == (None, "2")


def test_a_full_disk_is_told_and_leaves_nothing_half_written(store: Store) -> None:
    pages = store.execute("PRAGMA page_count").fetchone()[0]
    store.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StateError, match="full") as refused:
        fail_after(
            store, lambda: store.remember("small", "1"), lambda: store.remember("large", "x" * 10_000_000)
        )
    assert "Free some space" in refused.value.remedy
    assert store.fact("small") is None


def test_another_writer_is_waited_for_and_then_told_of(store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "state" / "state.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.execute("PRAGMA busy_timeout=1")
    with pytest.raises(StateError, match="locked"), store.transaction():
        pytest.fail("the transaction began")
    other.execute("COMMIT")
    other.close()
    with store.transaction():
        store.remember("a", "1")


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    file.write_bytes(b"something that somebody still needs" * 100)
    before = file.read_bytes()
    with pytest.raises(StateError, match="cannot be opened"):
        Store(file)
    assert file.read_bytes() == before


def test_the_state_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    newer = Store(file)
    newer.remember("a", "1")
    newer.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    newer.close()
    with pytest.raises(StateError, match="newer"):
        Store(file)
    database = sqlite3.connect(file)
    assert database.execute("SELECT value FROM facts").fetchone() == ("1",)
    database.close()


@pytest.mark.parametrize("kind", ["a file in the way", "a folder in its place"])
def test_a_place_that_cannot_be_used_is_told_with_its_path(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "state"
    if kind == "a file in the way":
        place.write_text("")
        file = place / "state.sqlite3"
    else:
        file = place
        file.mkdir()
    with pytest.raises(StateError) as refused:
        Store(file)
    assert str(file) in refused.value.detail
