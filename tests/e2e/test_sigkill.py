"""Agent and server are killed again and again at random moments while messengers come and go: nothing is lost, nothing doubled.

The short test kills 20 times; `make test-long` kills 200 times (DECORUM_KILLS).
"""

import json
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.journal import Journal
from agent.store import Store
from tests.e2e.stage import Stage, policy_text, staged, wait_for

SEED = 20_261_124
NAMES = ("pidgin", "gajim", "hexchat", "quassel", "konversation")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.settings.write_text(
            one.settings.read_text().replace("poll_milliseconds = 500", "poll_milliseconds = 250")
        )
        one.begin(policy_text("gajim", "banned"))
        yield one


def test_killed_at_any_moment_everything_arrives_exactly_once(
    stage: Stage, machine_environment: dict[str, str]
) -> None:
    kills = int(machine_environment.get("DECORUM_KILLS", "20"))
    chance = random.Random(SEED)
    messengers = _Messengers(stage, chance)
    for _ in range(kills):
        messengers.come_and_go()
        time.sleep(chance.uniform(0.0, 0.8))
        messengers.come_and_go()
        victim = chance.choice(("agent", "server"))
        time.sleep(chance.uniform(0.0, 0.4))
        assert stage.end(victim, signal.SIGKILL) == -signal.SIGKILL
        stage.start_agent() if victim == "agent" else stage.start_server()
    messengers.end()
    wait_for(lambda: not stage.status()["messengers"], "the end of everything")
    wait_for(lambda: _all_arrived(stage), "everything's arrival", seconds=60)
    assert stage.end("agent") == 0
    stage.end("server")
    told, journal = _told(stage.folder / "server" / "server.sqlite3"), _journal(stage.folder)
    assert len(journal) > kills
    assert told == journal
    assert "Traceback" not in stage.log("agent") + stage.log("server")


class _Messengers:
    """Stand-ins that start and end at random; the real ones are in test_first_light."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self._stage, self._chance = stage, chance
        self._running: list[str] = []
        for name in NAMES:
            shutil.copy(shutil.which("sleep") or "/bin/sleep", stage.folder / name)

    def come_and_go(self) -> None:
        name = self._chance.choice(NAMES)
        if name in self._running:
            self._running.remove(name)
            self._stage.end(name)
        else:
            self._running.append(name)
            self._stage.start(name, str(self._stage.folder / name), "6000")

    def end(self) -> None:
        while self._running:
            self._stage.end(self._running.pop())


def _all_arrived(stage: Stage) -> bool:
    stage.ask("check_in")
    status = stage.status()
    return bool(status["waiting"] == 0 and status["server"] == "reachable")


def _told(file: Path) -> list[tuple[str, str, str]]:
    """Return the sightings' transitions that the server has, in the order of their numbers, each number once."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
        rows = database.execute(
            "SELECT sequence, is_fork, body FROM fleet_receivedobservation ORDER BY sequence"
        ).fetchall()
    assert [sequence for sequence, _, _ in rows] == list(range(1, len(rows) + 1))
    assert not any(is_fork for _, is_fork, _ in rows)
    bodies = [json.loads(body) for _, _, body in rows]
    return [_key(body) for body in bodies if body["type"] == "sighting"]


def _journal(folder: Path) -> list[tuple[str, str, str]]:
    """Return the transitions that the agent wrote down, from a chain that holds; all of them were sent and acknowledged."""
    (file,) = folder.rglob("state.sqlite3")
    store = Store(file)
    try:
        journal = Journal(store)
        assert journal.first_broken() is None
        waiting = store.execute("SELECT count(*) FROM outbox").fetchone()
        assert waiting == (0,)
        unanswered = store.execute(
            "SELECT count(*) FROM ledger WHERE acknowledged IS NULL AND outbox IS NOT NULL"
        ).fetchone()
        assert unanswered == (0,)
        return [
            _key(json.loads(entry.body or b"")) for entry in journal.entries() if entry.kind == "sighting"
        ]
    finally:
        store.close()


def _key(body: dict[str, str]) -> tuple[str, str, str]:
    return body["sighting"], body["transition"], body["verdict"]
