"""The real tray beside the real agent: a reminder that really fires, its receipt at the server, and the window live."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.begin(policy_text("telegram", "restricted"))
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        one.start_screen()
        yield one


def _has_window(stage: Stage, title: str) -> bool:
    """Tell whether the screen shows a window whose title has these words."""
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", title],
        env=stage.environment,
        capture_output=True,
        check=False,
        timeout=20,
    )
    return found.returncode == 0


def _receipts(folder: Path) -> list[str]:
    with sqlite3.connect(f"file:{folder}/server/server.sqlite3?mode=ro", uri=True) as database:
        rows = database.execute("SELECT body FROM fleet_receivedobservation ORDER BY sequence").fetchall()
    bodies = [json.loads(body) for (body,) in rows]
    return [body["outcome"] for body in bodies if body["type"] == "receipt"]


def test_a_restricted_messenger_in_office_hours_reminds_and_the_receipt_reaches_the_server(
    stage: Stage,
) -> None:
    stage.start("panel", "trayer")
    stage.start("tray", sys.executable, "-m", "ui.app", "--socket", str(stage.socket))
    time.sleep(0.5)
    assert _receipts(stage.folder) == []
    assert shutil.which("telegram-desktop"), "telegram-desktop must be installed: see dev/bootstrap"
    stage.start("telegram", "telegram-desktop")
    wait_for(lambda: _has_window(stage, "Decorum reminder"), "the reminder's window")
    wait_for(lambda: _receipts(stage.folder) == ["shown"], "the receipt at the server")
    assert stage.decorum("status").returncode == 20
    stage.end("telegram")
    wait_for(lambda: stage.decorum("status").returncode == 0, "the state without the messenger")
    assert stage.end("tray") == 0
    assert _receipts(stage.folder) == ["shown"]


def test_without_a_tray_host_the_window_opens_once_and_says_why(stage: Stage) -> None:
    stage.start("tray", sys.executable, "-m", "ui.app", "--socket", str(stage.socket))
    wait_for(lambda: _has_window(stage, "Decorum"), "the window", 30)
    assert stage.end("tray") == 0
