"""No file may grow any more, of the agent's or of the server's: it is said, nothing is lost, and everything arrives once there is room."""

import json
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.begin(policy_text("gajim", "banned"))
        wait_for(lambda: one.status()["policy_serial"] == 1 and one.status()["waiting"] == 0, "a check-in")
        yield one


@contextmanager
def full(stage: Stage, name: str) -> Iterator[None]:
    """Let no file of a process and its workers grow beyond nothing."""
    first = psutil.Process(stage.pid_of(name))
    family = [first, *first.children(recursive=True)]
    before = resource.RLIM_INFINITY
    for process in family:
        process.rlimit(psutil.RLIMIT_FSIZE, (0, before))
    try:
        yield
    finally:
        for process in family:
            process.rlimit(psutil.RLIMIT_FSIZE, (before, before))


def test_the_agents_disk_is_full(stage: Stage) -> None:
    with full(stage, "agent"):
        start(stage, "gajim")
        wait_for(lambda: "cannot_write" in problems(stage), "the agent's word that nothing can be written")
        assert stage.seen("gajim") is not None
    start(stage, "pidgin")
    wait_for(lambda: told(stage) == [("gajim", "started"), ("pidgin", "started")], "both on the server")
    wait_for(lambda: problems(stage) == [], "no problem any more")
    assert "Traceback" not in stage.log("agent")


def test_the_servers_disk_is_full(stage: Stage) -> None:
    with full(stage, "server"):
        start(stage, "gajim")
        wait_for(lambda: stage.status()["server"] == "refused", "the agent's word that the server cannot")
        assert stage.status()["waiting"] == 1
        assert told(stage) == []
    stage.ask("check_in")
    wait_for(lambda: stage.status()["waiting"] == 0, "everything's arrival")
    assert told(stage) == [("gajim", "started")]


def start(stage: Stage, name: str) -> None:
    shutil.copy(shutil.which("sleep") or "/bin/sleep", stage.folder / name)
    stage.start(name, str(stage.folder / name), "600")


def problems(stage: Stage) -> list[str]:
    return [problem["code"] for problem in stage.status()["problems"]]


def told(stage: Stage) -> list[tuple[str, str]]:
    file = stage.folder / "server" / "server.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT body FROM fleet_receivedobservation ORDER BY sequence").fetchall()
    bodies = [json.loads(body) for (body,) in rows]
    return [(body["messenger"], body["transition"]) for body in bodies if body["type"] == "sighting"]
