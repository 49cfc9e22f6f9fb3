"""The server is down for the whole run, the agent is killed in the middle: then everything arrives, each thing once."""

import json
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.begin(policy_text("gajim", "banned"))
        wait_for(
            lambda: one.status()["policy_serial"] == 1 and one.status()["waiting"] == 0, "a first check-in"
        )
        one.end("server")
        yield one


def test_what_happened_while_the_server_was_down_arrives_exactly_once(stage: Stage) -> None:
    for name in ("pidgin", "gajim", "hexchat"):
        _start_and_stop(stage, name)
    assert stage.end("agent", signal.SIGKILL) == -signal.SIGKILL
    stage.start_agent()
    assert stage.status()["messengers"] == []
    for name in ("pidgin", "gajim"):
        _start_and_stop(stage, name)
    wait_for(lambda: stage.status()["server"] == "unreachable", "the agent's word that nobody answers")
    assert stage.status()["waiting"] >= 10
    stage.start_server()
    stage.ask("check_in")
    wait_for(lambda: stage.status()["waiting"] == 0, "everything's arrival")
    rows = _rows(stage.folder)
    numbers = [number for number, _ in rows]
    assert numbers == list(range(1, len(rows) + 1))
    told = [(body["messenger"], body["transition"]) for _, body in rows if body["type"] == "sighting"]
    once = [(name, kind) for name in ("pidgin", "gajim", "hexchat") for kind in ("started", "ended")]
    twice = once[:4]
    assert told == once + twice


def _start_and_stop(stage: Stage, name: str) -> None:
    """Run a stand-in whose executable has the messenger's name; the real ones are in test_first_light."""
    program = stage.folder / name
    if not program.exists():
        shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    stage.start(name, str(program), "600")
    wait_for(lambda: stage.seen(name), name)
    stage.end(name)
    wait_for(lambda: stage.seen(name) is None, f"the end of {name}")


def _rows(folder: Path) -> list[tuple[int, dict[str, object]]]:
    with sqlite3.connect(f"file:{folder}/server/server.sqlite3?mode=ro", uri=True) as database:
        found = database.execute("SELECT sequence, body FROM fleet_receivedobservation ORDER BY sequence")
        return [(sequence, json.loads(body)) for sequence, body in found]
