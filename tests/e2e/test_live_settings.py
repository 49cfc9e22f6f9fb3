"""Settings are changed while the agent runs: it takes them up by itself, and goes on with what it had seen."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.environment["DECORUM_SERVER_AGENT_SETTINGS"] = "poll_milliseconds = 444"
        one.begin(policy_text("gajim", "banned"))
        yield one


def test_a_lower_ceiling_holds_without_a_new_start(stage: Stage) -> None:
    shutil.copy(shutil.which("sleep") or "/bin/sleep", stage.folder / "gajim")
    stage.start("gajim", str(stage.folder / "gajim"), "600")
    before = wait_for(lambda: stage.seen("gajim"), "gajim")
    assert before["reported"] == "exact"
    pid = stage.pid_of("agent")
    text = stage.settings.read_text()
    stage.settings.write_text("this is no TOML")
    wait_for(lambda: "settings" in problems(stage), "the agent's word that they are wrong", 30)
    assert (stage.seen("gajim") or {})["reported"] == "nothing"
    stage.settings.write_text(text.replace('work = "exact"', 'work = "nothing"'))
    wait_for(lambda: is_mended(stage), "that they are right again", 30)
    after = wait_for(lambda: reported(stage, "nothing"), "the lower ceiling", 30)
    assert (after["sighting"], after["since"]) == (before["sighting"], before["since"])
    assert stage.pid_of("agent") == pid
    assert stage.end("agent") == 0


def test_what_the_server_wishes_for_holds_and_is_said_to_be_its_word(stage: Stage) -> None:
    wait_for(lambda: setting(stage, "poll_milliseconds") == (444, "server"), "the server's wish", 30)
    assert setting(stage, "check_in_seconds") == (5, "server")
    assert setting(stage, "highest_rung")[1] != "server"
    assert stage.end("agent") == 0


def setting(stage: Stage, name: str) -> tuple[object, str]:
    done = stage.decorum("settings", "--json", *stage.places())
    value = json.loads(done.stdout)[name]
    return value["value"], value["origin"]


def problems(stage: Stage) -> list[str]:
    return [problem["code"] for problem in stage.status().get("problems", [])]


def is_mended(stage: Stage) -> bool:
    if stage.decorum("status").returncode == 31:  # it is just starting over
        return False
    return problems(stage) == []


def reported(stage: Stage, detail: str) -> dict[str, object] | None:
    if stage.decorum("status").returncode == 31:  # it is just starting over
        return None
    row = stage.seen("gajim")
    return row if row is not None and row["reported"] == detail else None
