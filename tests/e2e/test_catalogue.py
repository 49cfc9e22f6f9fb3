"""A messenger that no release knows: the company adds it on the server, and devices see it run without being started again."""

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
OVERLAY = """
[acme-chat]
name = "Acme Chat"
maker = "Acme"
kind = "business"
seen = [["linux", "Acme IT", { executable = "acme-chat" }]]
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.begin(policy_text("acme-chat", "banned"))
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        yield one


def _publish(stage: Stage, overlay: str) -> str:
    file = stage.folder / "acme.toml"
    file.write_text(overlay)
    return stage.server("catalogue", "publish", "--overlay", str(file))


def _restart_agent(stage: Stage) -> None:
    stage.end("agent")
    stage.start_agent()


def test_what_the_company_adds_is_seen_at_once_and_after_a_restart(stage: Stage) -> None:
    program = stage.folder / "acme-chat"
    shutil.copy(os.path.realpath(str(shutil.which("sleep"))), program)
    chat = stage.start("chat", str(program), "100")
    wait_for(lambda: "not a messenger" in _identified(stage, chat.pid), "that it runs")
    agent = stage.pid_of("agent")
    assert stage.seen("acme-chat") is None
    assert (stage.status()["catalogue"] or {})["version"] == 0

    assert "Catalogue version 1 is published." in _publish(stage, OVERLAY)
    stage.ask("check_in")
    row = wait_for(lambda: stage.seen("acme-chat"), "the company's messenger")
    assert (row["name"], row["listed"], row["verdict"]) == ("Acme Chat", True, "violation")
    assert stage.pid_of("agent") == agent
    assert "Acme Chat" in _identified(stage, chat.pid)
    assert "version 1" in stage.decorum("status").stdout
    assert re.search(
        r"catalogue +Messengers are known by .*version 1", stage.decorum("doctor", *stage.places()).stdout
    )
    wait_for(lambda: _reported(stage) == ["started"], "its sighting at the server")

    _restart_agent(stage)
    wait_for(lambda: stage.seen("acme-chat"), "the messenger after a restart")
    assert stage.status()["catalogue"]["version"] == 1

    _publish(stage, "")
    stage.ask("check_in")
    wait_for(lambda: stage.seen("acme-chat") is None, "that it is known no more")
    wait_for(lambda: _reported(stage) == ["started", "ended"], "the end at the server")


def test_a_file_that_somebody_changed_is_set_aside_said_and_comes_again(stage: Stage) -> None:
    _publish(stage, OVERLAY)
    stage.ask("check_in")
    wait_for(lambda: stage.status()["catalogue"]["version"] == 1, "the catalogue")
    stage.end("agent")
    stage.end("server")
    file = stage.folder / "agent" / "catalogue.json"
    file.write_text(file.read_text().replace('"sealed":"eyJ', '"sealed":"eyK'))
    stage.start_agent()
    assert stage.status()["catalogue"]["version"] == 0
    assert "catalogue_damaged" in [one["code"] for one in stage.status()["problems"]]
    assert file.with_name("catalogue.json.damaged").exists()
    stage.start_server()
    stage.ask("check_in")
    wait_for(lambda: stage.status()["catalogue"]["version"] == 1, "the catalogue again")
    wait_for(
        lambda: "catalogue_damaged" not in [one["code"] for one in stage.status()["problems"]], "no problem"
    )
    told = wait_for(
        lambda: [one for one in _bodies(stage) if one["type"] == "trouble"], "the word at the server"
    )
    assert told[0]["code"] == "catalogue_damaged"


def _identified(stage: Stage, pid: int) -> str:
    return stage.decorum("identify", "--pid", str(pid), "--state", str(stage.folder / "agent")).stdout


def _reported(stage: Stage) -> list[object]:
    return [one["transition"] for one in _bodies(stage) if one.get("messenger") == "acme-chat"]


def _bodies(stage: Stage) -> list[dict[str, object]]:
    with sqlite3.connect(f"file:{stage.folder}/server/server.sqlite3?mode=ro", uri=True) as database:
        rows = database.execute("SELECT body FROM fleet_receivedobservation ORDER BY sequence").fetchall()
    return [json.loads(body) for (body,) in rows]
