"""`decorum leave` on a device that is its owner's: the server forgets it, the agent ends, and nothing of it stays here."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import SETTINGS, Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        own = SETTINGS.replace('ownership = "company"', 'ownership = "personal"')
        one.settings.write_text(own.replace("[ceiling.company]", "[ceiling.personal]"))
        one.begin(policy_text("pidgin", "approved"))
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        yield one


def _counts(stage: Stage) -> tuple[int, ...]:
    with sqlite3.connect(f"file:{stage.folder}/server/server.sqlite3?mode=ro", uri=True) as database:
        tables = ("fleet_device", "fleet_checkinrecord", "fleet_receivedobservation")
        return tuple(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def test_the_server_forgets_it_the_agent_ends_and_nothing_stays(stage: Stage) -> None:
    wait_for(lambda: _counts(stage)[2] > 0, "a report at the server")
    state = stage.folder / "agent"
    agent = stage._running["agent"]
    asked = stage.decorum("leave", *stage.places(), "--socket", str(stage.socket))
    assert asked.returncode == 2
    assert "Add --yes" in asked.stderr
    assert agent.poll() is None

    left = stage.decorum("leave", *stage.places(), "--socket", str(stage.socket), "--yes")
    assert left.returncode == 0, left.stderr + stage.log("agent")
    assert "no longer knows this device" in left.stdout
    assert not state.exists()
    assert _counts(stage) == (0, 0, 0)
    assert agent.wait(10) == 0
    assert "refuses to stop" not in stage.log("agent")
    again = stage.decorum("leave", *stage.places(), "--socket", str(stage.socket), "--yes")
    assert again.returncode == 30


def test_without_the_server_nothing_is_erased_unless_that_is_wanted(stage: Stage) -> None:
    stage.end("server")
    state = stage.folder / "agent"
    refused = stage.decorum("leave", *stage.places(), "--socket", str(stage.socket), "--yes")
    assert refused.returncode == 30
    assert "Nothing was erased" in refused.stderr
    assert (state / "state.sqlite3").exists()
    assert stage.decorum("status").returncode != 31, "the agent goes on"
    done = stage.decorum("leave", *stage.places(), "--socket", str(stage.socket), "--yes", "--anyway")
    assert done.returncode == 0, done.stderr
    assert "the server was not told" in done.stderr
    assert not state.exists()


def test_a_companys_device_does_not_leave_by_itself(stage: Stage) -> None:
    stage.settings.write_text(SETTINGS)
    told = stage.decorum("leave", *stage.places(), "--yes")
    assert told.returncode == 2
    assert "Ask your administrator" in told.stderr
    assert _counts(stage)[0] == 1
