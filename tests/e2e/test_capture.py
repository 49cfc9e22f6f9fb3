"""Captured only while a connector is heard: a platform through the server's API, and a folder that is filled, each to its silence."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for
from tests.e2e.test_first_light import observations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
CAPTURE = """
[[capture]]
messenger = "pidgin"
connector = "{connector}"
silent_hours_at_most = 1
"""
Read = Callable[..., str]


def policy(connector: str) -> str:
    """Return a policy under which Pidgin must be captured by a connector."""
    text = policy_text("pidgin", "approved")
    return f"capture_required = true\n{text}{CAPTURE.format(connector=connector)}"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    assert shutil.which("pidgin"), "pidgin must be installed: see dev/bootstrap"
    with staged(tmp_path) as one:
        yield one


def begin(stage: Stage, connector: str) -> None:
    stage.begin(policy(connector))
    stage.server("create-admin", "admin", "--password-stdin", feed="a-long-password-for-tests\n")
    stage.start_screen()
    wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy")
    stage.start("pidgin", "pidgin", "--multiple")


def told(stage: Stage) -> tuple[str, bool, str]:
    """Return Pidgin's verdict, whether it shows as captured, and why."""
    row: dict[str, Any] = stage.seen("pidgin") or {}
    reasons = row.get("reasons") or [{"sentence": ""}]
    return row.get("verdict", ""), row.get("captured", False), reasons[0]["sentence"]


def reported(stage: Stage) -> list[str]:
    """Return Pidgin's verdicts as the server has them."""
    sightings = [one for one in observations(stage.folder) if one["type"] == "sighting"]
    return [str(one["verdict"]) for one in sightings if one["messenger"] == "pidgin"]


def wait_until(stage: Stage, verdict: str, *, captured: bool, seconds: float = 30.0) -> str:
    wait_for(lambda: told(stage)[:2] == (verdict, captured), f"{verdict}, captured: {captured}", seconds)
    return told(stage)[2]


def token_of(read: Read, name: str) -> str:
    """Make a connector in the console and return the token that is shown."""
    form = read(f"/records/connector/add/?name={name}")
    hidden = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert hidden is not None
    wish = {"name": name, "kind": "orchestration_platform", "days": "30", "form_id": str(uuid4())}
    shown = read("/records/connector/add/", wish | {"csrfmiddlewaretoken": hidden[1]})
    found = re.search(r'id="secret"[^>]*>([^<]+)<', shown)
    assert found is not None
    return found[1]


def last_heard(stage: Stage, moment: datetime) -> None:
    """Let the server have heard its connector then."""
    with closing(sqlite3.connect(stage.folder / "server/server.sqlite3", timeout=20)) as database:
        values = (moment.strftime("%Y-%m-%d %H:%M:%S.%f"),)
        changed = database.execute("UPDATE records_connector SET last_heard_at = ?", values)
        assert changed.rowcount == 1
        database.commit()


def test_a_platforms_heartbeat_makes_a_channel_captured_until_it_falls_silent(
    stage: Stage, checkout: Path
) -> None:
    begin(stage, "LeapXpert")
    never = wait_until(stage, "attention", captured=False)
    assert never == (
        "Pidgin is approved, but LeapXpert, which is to retain its messages, has never been heard from."
    )
    read = stage.console()
    token = stage.folder / "token"
    token.write_text(token_of(read, "LeapXpert"))
    assert "LeapXpert has never been heard from" in read("/records/connector/")
    client = [sys.executable, "-I", str(checkout / "docs/guides/heartbeat.py"), "--server", stage.url]
    sent = subprocess.run(
        [*client, "--token-file", str(token), "pidgin"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert "Captured: pidgin." in sent.stdout, sent.stderr
    wait_until(stage, "compliant", captured=True)
    assert "Pidgin (work): in line, captured" in stage.decorum("status").stdout
    page = read("/records/connector/")
    assert "has never been heard from" not in page
    assert "heard" in page

    heard = datetime.now(UTC) - timedelta(hours=1, minutes=1)
    last_heard(stage, heard)
    silent = wait_until(stage, "attention", captured=False)
    assert silent == (
        f"Pidgin is approved, but LeapXpert, which retains its messages, was last heard from on "
        f"{heard.astimezone():%Y-%m-%d at %H:%M}."
    )
    assert "LeapXpert is silent: it was last heard from on" in read("/records/connector/")
    turns = ["attention", "compliant", "attention"]
    wait_for(lambda: reported(stage) == turns, "each change at the server")


def test_a_folder_that_is_filled_makes_a_channel_captured_until_nothing_more_comes(stage: Stage) -> None:
    export = stage.folder / "export"
    stage.settings.write_text(
        stage.settings.read_text().replace(
            "[ceiling", f'export_folders = {{ Archive = "{export}" }}\n[ceiling', 1
        )
    )
    begin(stage, "Archive")
    assert wait_until(stage, "attention", captured=False).endswith("leaves its messages cannot be read.")
    findings = stage.decorum("doctor", *stage.places()).stdout
    assert f"The export folder of Archive, {export}, cannot be read" in findings
    export.mkdir()
    (export / "2026-11-20 Maria about the merger.eml").write_text("words that nobody here reads")
    wait_until(stage, "compliant", captured=True, seconds=90)
    assert "cannot be read" not in stage.decorum("doctor", *stage.places()).stdout
    kept = b"".join(file.read_bytes() for file in (stage.folder / "agent").iterdir() if file.is_file())
    assert b"Maria" not in kept
    assert b"Maria" not in repr(observations(stage.folder)).encode()

    long_ago = time.time() - 3700
    for file in export.iterdir():
        os.utime(file, (long_ago, long_ago))
    (export / "folder").mkdir()  # the system tells of this at once, of another time of a file it does not
    assert "Archive, which retains its messages, was last heard from on" in wait_until(
        stage, "attention", captured=False, seconds=30
    )
