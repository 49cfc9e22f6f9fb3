"""Where no more than a daily count may leave, the real server hears of a real messenger's day and shows it, and of nothing else."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for
from tests.e2e.test_first_light import observations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
COUNTED = """
ownership = "company"
notice = "given"
key_store = "file"
check_in_seconds = 5
poll_milliseconds = 500
[ceiling.company]
work = { sighting = "count" }
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    assert shutil.which("pidgin"), "pidgin must be installed: see dev/bootstrap"
    with staged(tmp_path) as one:
        one.settings.write_text(COUNTED)
        one.server("migrate")
        one.server("create-admin", "admin", "--password-stdin", feed="a-long-password-for-tests\n")
        one.publish(policy_text("pidgin", "banned"))
        one.start_server()
        one.enrol()
        one.start_screen()
        one.start_agent()
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        yield one


def in_use(stage: Stage) -> list[str]:
    with sqlite3.connect(f"file:{stage.folder}/agent/state.sqlite3?mode=ro", uri=True) as database:
        return [messenger for (messenger,) in database.execute("SELECT messenger FROM in_use")]


def counts(stage: Stage) -> list[dict[str, object]]:
    return [one for one in observations(stage.folder) if one["type"] == "daily_count"]


def test_a_real_messengers_day_is_one_number_on_the_devices_page(stage: Stage) -> None:
    stage.start("pidgin", "pidgin", "--multiple")
    row = wait_for(lambda: stage.seen("pidgin"), "pidgin")
    assert row["reported"] == "count"
    wait_for(lambda: in_use(stage) == ["pidgin"], "that it is noted")
    stage.end("pidgin")
    wait_for(lambda: stage.seen("pidgin") is None, "its end")
    assert stage.end("agent") == 0

    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    with sqlite3.connect(stage.folder / "agent" / "state.sqlite3") as database:
        database.execute("UPDATE in_use SET day = ?", (yesterday.isoformat(),))  # midnight, as it were
    stage.start_agent()
    wait_for(lambda: counts(stage), "the count", 120)
    assert counts(stage) == [
        {"type": "daily_count", "profile": "work", "day": yesterday.isoformat(), "messengers": 1}
    ]
    assert in_use(stage) == []
    kinds = {str(one["type"]) for one in observations(stage.folder)}
    assert kinds == {"notice", "policy", "daily_count"}

    sentence = f"One messenger on the work side on {yesterday.day} {yesterday:%B %Y}"
    read = stage.console()
    link = re.search(r'href="(/fleet/device/\w+/change/)', read("/fleet/device/"))
    assert link is not None
    assert sentence in read(link[1])
    assert sentence in stage.decorum("ledger", "--limit", "50").stdout
    assert (
        "work: sighting count, installed nothing, unretained nothing, exposure nothing, receipt nothing"
        in stage.decorum("doctor", *stage.places()).stdout
    )
    assert '"sighting":"count"' in stage.decorum("settings", *stage.places()).stdout
