"""The main job, end to end, on real parts: real messengers, a real agent, a real server, a policy that was really signed."""

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
SEEN_SECONDS = 2.0


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("first-light")) as one:
        one.server("migrate")
        one.server("create-admin", "admin", "--password-stdin", feed="a-long-password-for-tests\n")
        one.publish(policy_text("pidgin", "approved"))
        one.start_server()
        one.enrol()
        one.start_agent()
        one.start_screen()
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        yield one


COMMANDS = {"pidgin": ("pidgin", "--multiple"), "telegram": ("telegram-desktop",)}


def _in_use(read: Callable[..., str], name: str) -> int:
    """Return on how many devices the first page says that a messenger is in use."""
    figure = rf'title="{name}">{name}</span></td>\s*<td>work</td>\s*<td class="figure">(?:<a [^>]*>)?(\d+)<'
    found = re.search(figure, read("/"))
    return int(found[1]) if found else 0


@pytest.mark.parametrize("messenger", COMMANDS)
def test_a_real_messenger_is_seen_within_two_seconds_here_and_on_the_console(
    stage: Stage, messenger: str
) -> None:
    assert stage.seen(messenger) is None
    read = stage.console()
    assert _in_use(read, messenger.title()) == 0, "it is installed on this machine, and no more"
    program, *rest = COMMANDS[messenger]
    assert shutil.which(program), f"{program} must be installed: see dev/bootstrap"
    started = time.monotonic()
    stage.start(messenger, program, *rest)
    row = wait_for(lambda: stage.seen(messenger), f"{messenger} in `decorum status`")
    assert time.monotonic() - started <= SEEN_SECONDS + 0.5, "half a second is for `decorum status` itself"
    assert (row["listed"], row["profile"]) == (True, "work")
    assert row["verdict"] == "compliant"
    wait_for(lambda: _in_use(read, row["name"]) == 1, f"{messenger} on the console")
    assert time.monotonic() - started <= SEEN_SECONDS + 1.0, "a second is for asking both"
    stage.end(messenger)
    wait_for(lambda: stage.seen(messenger) is None, f"the end of {messenger}")


def test_identify_explains_a_real_process(stage: Stage) -> None:
    process = stage.start("pidgin", "pidgin", "--multiple")
    wait_for(lambda: stage.seen("pidgin"), "pidgin")
    told = stage.decorum("identify", "--pid", str(process.pid))
    assert told.returncode == 0
    assert "Pidgin" in told.stdout
    as_json = json.loads(stage.decorum("identify", "--pid", str(process.pid), "--json").stdout)
    assert as_json["match"]["messenger"] == "pidgin"
    stage.end("pidgin")
    wait_for(lambda: stage.seen("pidgin") is None, "the end of pidgin")


def test_the_verdict_flips_when_a_new_policy_is_published(stage: Stage) -> None:
    stage.start("pidgin", "pidgin", "--multiple")
    row = wait_for(lambda: stage.seen("pidgin"), "pidgin")
    assert row["verdict"] == "compliant"
    assert stage.decorum("status").returncode == 0
    serial = stage.status()["policy_serial"]
    stage.publish(policy_text("pidgin", "banned", 2))
    stage.ask("check_in")
    wait_for(lambda: (stage.seen("pidgin") or {}).get("verdict") == "violation", "the new verdict")
    assert stage.status()["policy_serial"] > serial
    assert stage.decorum("status").returncode == 20
    stage.publish(policy_text("pidgin", "approved", 3))
    stage.ask("check_in")
    wait_for(lambda: (stage.seen("pidgin") or {}).get("verdict") == "compliant", "the verdict after that")
    verdicts = wait_for(lambda: _three_verdicts(stage), "all three verdicts at the server")
    assert verdicts == ["compliant", "violation", "compliant"]
    stage.end("pidgin")


def _three_verdicts(stage: Stage) -> list[str] | None:
    """Return the verdicts that the server keeps of pidgin's newest sighting."""
    bodies = [body for body in observations(stage.folder) if body["type"] == "sighting"]
    newest = [body for body in bodies if body["messenger"] == "pidgin"][-1]["sighting"]
    verdicts = [str(body["verdict"]) for body in bodies if body["sighting"] == newest]
    return verdicts if len(verdicts) == 3 else None


def observations(folder: Path) -> list[dict[str, object]]:
    """Return the observations in the server's database, in the order of their numbers."""
    with sqlite3.connect(f"file:{folder}/server/server.sqlite3?mode=ro", uri=True) as database:
        rows = database.execute("SELECT body FROM fleet_receivedobservation ORDER BY sequence").fetchall()
    return [json.loads(body) for (body,) in rows]


def test_the_ledger_has_literally_what_the_server_holds(stage: Stage) -> None:
    told = stage.decorum("ledger", "--compare", "--json")
    assert told.returncode == 0, told.stdout
    result = json.loads(told.stdout)["result"]
    assert (result["missing_there"], result["unknown_here"], result["erased_there"]) == (0, 0, 0)
    assert result["equal_reports"] >= 5
    assert result["equal_check_ins"] >= 5
    assert "holds what this ledger says, and nothing else" in stage.decorum("ledger", "--compare").stdout

    # Somebody changes one byte of what the server holds.
    with sqlite3.connect(stage.folder / "server" / "server.sqlite3", timeout=20) as database:
        number, body = database.execute(
            "SELECT id, body FROM fleet_receivedobservation WHERE kind = 'sighting' ORDER BY id LIMIT 1"
        ).fetchone()
        changed = bytes(body).replace(b'"work"', b'"home"')
        assert changed != bytes(body)
        database.execute("UPDATE fleet_receivedobservation SET body = ? WHERE id = ?", (changed, number))
    told = stage.decorum("ledger", "--compare")
    assert told.returncode == 10
    assert "does not hold the same" in told.stdout
    assert f"Only there: {changed.decode()}" in told.stdout
    assert f"Only here: {bytes(body).decode()}" in told.stdout


def test_the_whole_ledger_can_be_written_into_a_file_and_asked_for_by_day(stage: Stage) -> None:
    file = stage.folder / "ledger.jsonl"
    told = stage.decorum("ledger", "--export", str(file))
    assert told.returncode == 0, told.stderr
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert f"{len(rows)} rows are in" in told.stdout
    assert {"enrolment", "heartbeat", "sighting", "question"} <= {row["type"] for row in rows}
    assert [row["number"] for row in rows] == sorted((row["number"] for row in rows), reverse=True)
    again = stage.decorum("ledger", "--export", str(file))
    assert again.returncode == 2
    assert "Name another file" in again.stderr
    assert stage.decorum("ledger", "--day", "1999-12-31").stdout == "Nothing was sent on 1999-12-31.\n"
    today = json.loads(stage.decorum("ledger", "--day", time.strftime("%Y-%m-%d"), "--json").stdout)["rows"]
    assert len(today) >= 5
