"""`decorum open`: real messengers in work profiles of their own, beside the private ones."""

import contextlib
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PERSONAL_DEVICE = """
ownership = "personal"
notice = "given"
key_store = "file"
check_in_seconds = 5
poll_milliseconds = 500
[ceiling.personal]
work = "exact"
"""
PROFILES = "\n[profiles]\n"
ORCHESTRATED = (
    policy_text("telegram", "banned", 2)
    .replace('model = "restrict"', 'model = "orchestrate"')
    .replace('use_instead = ["microsoft-teams"]', 'use_instead = ["leapxpert"]')
)
BROWSER = """#!/bin/sh
exec /usr/bin/chromium --no-sandbox --host-resolver-rules="MAP * ~NOTFOUND" "$@"
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("open")) as one:
        (one.folder / "archive").mkdir()
        one.settings.write_text(f'retention_folder = "{one.folder}/archive"\n{PERSONAL_DEVICE}')
        one.start_screen()
        one.environment |= {"XDG_DATA_HOME": str(_home(one) / ".local/share"), "XDG_CONFIG_HOME": ""}
        browser = one.folder / "chromium"
        browser.write_text(BROWSER)
        browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
        entries = _home(one) / ".local/share/applications"
        entries.mkdir(parents=True)
        (entries / "chromium.desktop").write_text(
            f"[Desktop Entry]\nType=Application\nName=Chromium\nExec={browser} %U\n"
        )
        one.server("migrate")
        one.publish(policy_text("telegram", "approved", 1) + PROFILES)
        one.start_server()
        one.enrol()
        one.start_agent("--scope", "user")
        yield one


def test_a_work_telegram_runs_beside_the_private_one_and_is_another_channel(stage: Stage) -> None:
    private = _home(stage) / "Private"
    private.mkdir()
    stage.start("private", "telegram-desktop", "-workdir", str(private))
    wait_for(lambda: _rows(stage).keys() == {"unknown"}, "the private one", 60)
    opened = _open(stage, "Telegram")
    assert opened["messenger"] == "telegram"
    wait_for(lambda: _rows(stage).keys() == {"work", "unknown"}, "both channels", 60)
    work = _rows(stage)["work"]
    try:
        assert (work["verdict"], work["profile_assurance"]) == ("compliant", "high")
        assert work["profile_reason"] == "It was started by Decorum's work launcher."
        assert [one["signal"] for one in work["profile_signals"]] == ["launch_marker"]
        wait_for(lambda: _sent(stage), "the report of the work one")
        assert {one["profile"] for one in _sent(stage)} == {"work"}

        profile = _profile(stage, "telegram")
        assert list((profile / "data").iterdir()), "its data are its own"
        assert stat.S_IMODE(profile.stat().st_mode) == 0o700
        told = (profile / "config/user-dirs.dirs").read_text()
        assert told == f'XDG_DOWNLOAD_DIR="{opened["downloads"]}"\n'
        _open(stage, "telegram")
        assert [one["transition"] for one in _sent(stage)] == ["started"], "its window is shown, no more"
    finally:
        _end(work["pid"])
        stage.end("private")


def test_what_comes_in_for_work_and_nothing_retains_is_counted_and_handed_over(stage: Stage) -> None:
    saved = _profile(stage, "telegram") / "Downloads" / "Telegram Desktop"
    saved.mkdir()
    (saved / "offer.pdf").write_bytes(b"an offer")
    (_home(stage) / "Downloads").mkdir(exist_ok=True)
    (_home(stage) / "Downloads" / "private.pdf").write_text("private")
    expected = [{"messenger": "telegram", "name": "Telegram", "files": 1, "total_bytes": 8}]
    wait_for(lambda: stage.status()["unretained"] == expected, "the file", 90)
    assert stage.status()["can_hand_over"]
    said = stage.decorum("hand-over")
    assert said.stdout == "1 file was handed over (8 bytes).\n", said.stderr
    names = sorted(one.name for one in (stage.folder / "archive").iterdir())
    assert [name.partition("-")[2] for name in names] == ["offer.pdf", "offer.pdf.json"]
    assert stage.status()["unretained"] == []
    assert stage.decorum("hand-over").stdout == "Nothing waits to be handed over.\n"


def test_the_work_profile_has_an_entry_of_its_own_that_is_no_messenger(stage: Stage) -> None:
    entry = _home(stage) / ".local/share/applications/decorum-work-telegram.desktop"
    lines = entry.read_text().splitlines()
    assert "Name=Telegram (work)" in lines
    assert any(line.startswith("Exec=") and line.endswith(" open --work telegram") for line in lines)
    icon = _home(stage) / ".local/share/icons/hicolor/scalable/apps/decorum-work-telegram.svg"
    assert "<image " in icon.read_text(), "Telegram's own icon is inside"
    named = stage.decorum("identify", "--application", "Telegram (work)")
    assert "No desktop entry" in named.stderr


def test_in_a_sandbox_neither_sees_the_other(stage: Stage) -> None:
    secret = _home(stage) / "diary.txt"
    secret.write_text("private")
    _open(stage, "telegram", "--sandbox")
    work = wait_for(lambda: _rows(stage).get("work"), "the work one", 60)
    try:
        telegram = _telegram_at(work["pid"])
        seen = Path(f"/proc/{telegram}/root{_home(stage)}")
        assert not (seen / secret.name).exists()
        assert (seen / "Downloads").is_dir()
        assert (seen / ".local/share/decorum/work/telegram/data").is_dir()
    finally:
        _end(work["pid"])
    wait_for(lambda: not _rows(stage), "its end", 30)

    private = json.loads(_decorum(stage, "open", "--personal", "telegram", "--json"))
    assert private["side"] == "personal"
    row = wait_for(lambda: _rows(stage).get("unknown"), "the private one", 60)
    try:
        seen = Path(f"/proc/{_telegram_at(row['pid'])}/root{_home(stage)}")
        assert (seen / secret.name).exists()
        assert list((seen / ".local/share/decorum/work").iterdir()) == []
    finally:
        _end(row["pid"])


def test_a_page_is_opened_in_a_browser_s_profile_of_its_own(stage: Stage) -> None:
    stage.publish(policy_text("whatsapp", "approved", 2) + PROFILES)
    opened = _open(stage, "whatsapp")
    row = wait_for(lambda: stage.seen("whatsapp"), "the page", 60)
    try:
        assert row["profile"] == "work"
        preferences = json.loads((_profile(stage, "whatsapp") / "data/Default/Preferences").read_text())
        assert preferences["download"]["default_directory"] == opened["downloads"]
    finally:
        _end(row["pid"])


def test_where_work_goes_through_a_platform_it_is_opened_instead(stage: Stage) -> None:
    stage.publish(ORCHESTRATED + PROFILES)
    wait_for(lambda: stage.status()["policy_serial"] == 3, "the policy")
    offered = stage.status()["for_work"]
    assert offered[0] == {"messenger": "leapxpert", "name": "LeapXpert"}
    assert "telegram" not in {one["messenger"] for one in offered}
    opened = _open(stage, "telegram")
    row = wait_for(lambda: stage.seen("leapxpert"), "the platform", 60)
    _end(row["pid"])
    assert (opened["messenger"], opened["because"]) == ("leapxpert", "Telegram may not be used for work.")
    assert "--app=https://web.leapxpert.app" in opened["command"]


def test_what_may_not_be_used_for_work_is_not_opened(stage: Stage) -> None:
    stage.publish(ORCHESTRATED.replace('use_instead = ["leapxpert"]', "") + PROFILES)
    wait_for(lambda: stage.status()["policy_serial"] == 4, "the policy")
    done = stage.decorum("open", "--work", "telegram", *_state(stage))
    assert done.returncode == 20
    assert done.stderr == (
        "decorum: It is not for work: Telegram may not be used for work. Ask Compliance for an exemption.\n"
    )
    done = stage.decorum("open", "--work", "telegramm", *_state(stage))
    assert done.returncode == 2
    assert "No messenger is called 'telegramm'" in done.stderr


def _home(stage: Stage) -> Path:
    return stage.folder / "home"


def _profile(stage: Stage, messenger: str) -> Path:
    return _home(stage) / ".local/share/decorum/work" / messenger


def _state(stage: Stage) -> tuple[str, ...]:
    return ("--state", str(stage.folder / "agent"))


def _decorum(stage: Stage, *arguments: str) -> str:
    done = stage.decorum(*arguments, *_state(stage))
    assert done.returncode == 0, done.stderr
    return done.stdout


def _open(stage: Stage, messenger: str, *more: str) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(_decorum(stage, "open", "--work", messenger, "--json", *more))
    assert opened["side"] == "work"
    return opened


def _rows(stage: Stage) -> dict[str, dict[str, Any]]:
    rows = stage.status().get("messengers", ())
    return {row["profile"]: row for row in rows if row["messenger"] == "telegram"}


def _sent(stage: Stage) -> list[dict[str, Any]]:
    """Return what was sent of sightings, oldest first."""
    rows = json.loads(stage.decorum("ledger", "--json", "--limit", "500").stdout)["rows"]
    return [json.loads(row["literal"]) for row in reversed(rows) if row["type"] == "sighting"]


def _telegram_at(pid: int) -> int:
    """Return the messenger itself, if a sandbox stands before it."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return next(one.pid for one in family if one.name() == "telegram-desktop")


def _end(pid: int) -> None:
    """End what was opened, which nobody here has started; parts of it may end by themselves meanwhile."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.terminate()
    _, alive = psutil.wait_procs(family, 10)
    for one in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
