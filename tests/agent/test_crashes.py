"""Exactly once, wherever it ends: killed at any statement, cut off from power at any byte, its disk full at any page.

A kill is played by an exception that no code of ours catches, raised at the n-th statement, after which the database is opened anew;
a power cut by a write-ahead log that ends anywhere, or in something that was never written.
"""

import itertools
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import StateError, UnreachableError
from agent.store import Store
from contract.observations import Trouble
from tests.fakes.device import Device, policy

REPORTS = 12


class KilledError(BaseException):
    """The process ends here."""


class Life:
    """One device over many lives: same folder, same key, same server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.device = Device(folder)
        self.device.server.publish(policy())
        self.device.enrol()

    def restart(self) -> None:
        """Open everything anew, as a new process would."""
        before = self.device
        before.store._database.close()  # the system takes the file from a killed process, and what was not committed
        fresh = Device(self.folder)
        fresh.server, fresh.credentials, fresh.clock = before.server, before.credentials, before.clock
        fresh.seals._credentials = before.credentials
        self.device = fresh

    def arrived(self) -> list[str]:
        """Return what the server has, in the order of its numbers."""
        taken = self.device.server.taken
        assert sorted(taken) == list(range(1, len(taken) + 1))
        return [one.detail for _, one in sorted(taken.items()) if isinstance(one, Trouble)]


@contextmanager
def killed_at(store: Store, statement: int) -> Iterator[None]:
    """Let the process die at the n-th statement from now."""
    counter = itertools.count(1)
    real = store.execute

    def execute(text: str, *values: object, **named: object) -> sqlite3.Cursor:
        if next(counter) == statement:
            raise KilledError
        return real(text, *values, **named)

    store.execute = execute  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        store.execute = real  # type: ignore[method-assign]


def live(life: Life, told: list[str], number: int) -> None:
    """Report something, send it, take the answer; what was reported is told to the caller once it is safe."""
    life.device.report(f"report {number}")
    told.append(f"report {number}")
    life.device.check_in()


def test_killed_at_any_statement_nothing_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    life = Life(tmp_path)
    told: list[str] = []
    kills = 0
    for number in range(REPORTS * 6):
        try:
            with killed_at(life.device.store, statement=number + 1):
                live(life, told, number)
        except KilledError:
            kills += 1
            life.restart()
    assert kills > REPORTS
    while life.device.outbox.count_due(life.device.clock.at):
        life.device.check_in()
    assert life.arrived() == told
    assert life.device.server.forks == []
    assert life.device.journal.first_broken() is None


def test_killed_between_the_servers_taking_and_its_answer(tmp_path: Path) -> None:
    life = Life(tmp_path)
    told: list[str] = []
    for number in range(REPORTS):
        life.device.server.lose_answers = number % 3
        for _ in range(3):
            try:
                life.device.check_in()
            except UnreachableError:
                life.restart()
        life.device.report(f"report {number}")
        told.append(f"report {number}")
    life.device.check_in()
    assert life.arrived() == told
    assert life.device.server.forks == []


def snapshot(file: Path) -> tuple[bytes, bytes]:
    log = file.with_name(file.name + "-wal")
    return file.read_bytes(), log.read_bytes() if log.exists() else b""


def state_of(file: Path) -> tuple[list[object], list[object]]:
    store = Store(file)
    try:
        assert store.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return (
            store.execute("SELECT * FROM facts ORDER BY name").fetchall(),
            store.execute("SELECT * FROM journal ORDER BY sequence").fetchall(),
        )
    finally:
        store.close()


@pytest.mark.parametrize("tail", ["cut off", "never written", "zeros"])
def test_a_power_cut_leaves_the_last_commit_or_the_one_before(tmp_path: Path, tail: str) -> None:
    chance = random.Random(7)
    life = Life(tmp_path / "lived")
    file = tmp_path / "lived" / "state.sqlite3"
    before = snapshot(file)
    cuts = 0
    for number in range(REPORTS):
        live(life, [], number)
        after = snapshot(file)
        first, last = len(before[1]), len(after[1])
        if after[0] == before[0] and after[1].startswith(before[1][:32]) and first < last:
            whole = [_reopened(tmp_path, before[0], before[1]), _reopened(tmp_path, after[0], after[1])]
            for cut in sorted(chance.sample(range(first, last), 6)):
                lost = last - cut
                rest = {"cut off": b"", "never written": chance.randbytes(lost), "zeros": bytes(lost)}[tail]
                log = after[1][:cut] + rest
                found = _reopened(tmp_path, after[0], log)
                assert _holds_at_least(found, whole[0]), f"report {number}, cut at {cut}"
                assert _holds_at_least(whole[1], found), f"report {number}, cut at {cut}"
                cuts += 1
        before = after
    assert cuts > 30
    life.device.store.close()


def _reopened(folder: Path, database: bytes, log: bytes) -> tuple[list[object], list[object]]:
    place = folder / "cut"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / "state.sqlite3").write_bytes(database)
    (place / "state.sqlite3-wal").write_bytes(log)
    return state_of(place / "state.sqlite3")


def _holds_at_least(one: tuple[list[object], list[object]], other: tuple[list[object], list[object]]) -> bool:
    """Tell whether a journal is another's, with perhaps more behind it."""
    return one[1][: len(other[1])] == other[1]


def test_a_disk_that_fills_up_loses_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    life, refused = Life(tmp_path), 0
    told: list[str] = []
    store = life.device.store
    for number in range(60):
        pages = store.execute("PRAGMA page_count").fetchone()[0]
        store.execute(f"PRAGMA max_page_count={pages + (0 if number % 3 else 40)}")
        life.device.clock.advance(timedelta(seconds=1))
        try:
            life.device.report(f"report {number} {'x' * 150}")
        except StateError:
            refused += 1
        else:
            told.append(f"report {number} {'x' * 150}")
        try:
            life.device.check_in()
        except StateError:
            refused += 1
    store.execute("PRAGMA max_page_count=1000000")
    for _ in range(3):
        life.device.check_in()
    assert refused > 5
    assert life.arrived() == told
    assert life.device.server.forks == []
    assert life.device.journal.first_broken() is None
