"""Installed, never started: a real desktop entry comes, its program is started, and it goes again, while agent and server run."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for
from tests.e2e.test_first_light import observations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
ENTRY = """[Desktop Entry]
Version=1.0
Type=Application
Name=HexChat
GenericName=IRC Client
Comment=Chat with other people online
Keywords=IM;Chat;
Exec=hexchat --existing %U
Icon=io.github.Hexchat
Terminal=false
Categories=GTK;Network;IRCClient;
MimeType=x-scheme-handler/irc;x-scheme-handler/ircs;
"""
NEVER = "installed, never started"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.start_screen()
        shares = tmp_path / "share"
        (shares / "applications").mkdir(parents=True)
        one.environment |= {"XDG_DATA_DIRS": str(shares), "XDG_DATA_HOME": str(tmp_path / "own")}
        one.server("migrate")
        one.server("create-admin", "admin", "--password-stdin", feed="a-long-password-for-tests\n")
        one.publish(policy_text("hexchat", "banned"))
        one.start_server()
        yield one


def begin(stage: Stage) -> None:
    stage.enrol()
    stage.start_agent()
    wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy")


def install(folder: Path) -> Path:
    """Lay down the entry as a package does: under another name first, then in place."""
    entry = folder / "applications/io.github.Hexchat.desktop"
    entry.parent.mkdir(parents=True, exist_ok=True)
    half_done = entry.with_suffix(".desktop.dpkg-new")
    half_done.write_text(ENTRY)
    half_done.rename(entry)
    return entry


def told(stage: Stage) -> list[tuple[object, object]]:
    bodies = [one for one in observations(stage.folder) if one["type"] == "installed"]
    return [(one["change"], one["name"]) for one in bodies if one["name"] == "HexChat"]


def test_what_is_installed_while_all_runs_is_never_started_then_in_use_then_gone(stage: Stage) -> None:
    assert shutil.which("hexchat"), "hexchat must be installed: see dev/bootstrap"
    begin(stage)
    read = stage.console()
    link = re.search(r'href="(/fleet/device/\w+/change/)', read("/fleet/device/"))
    assert link is not None

    def installed() -> str:
        html = read(link[1]).partition("Installed messengers")[2].partition("<h3>Facts")[0]
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))

    assert "HexChat" not in installed()
    entry = install(stage.folder / "share")
    wait_for(lambda: f"HexChat {NEVER}" in installed(), "the entry on the device's page", 40)
    assert "never_started=hexchat" in read("/")
    assert "In line" in read(link[1]), "what only lies there is no violation, although it is banned"
    stage.start("hexchat", "hexchat")
    wait_for(lambda: "HexChat in use, open now" in installed(), "its use on the device's page", 40)
    assert "never_started=hexchat" not in read("/")
    stage.end("hexchat")
    wait_for(lambda: "HexChat in use, last" in installed(), "its end on the device's page", 40)
    entry.unlink()
    wait_for(lambda: "HexChat" not in installed(), "its removal on the device's page", 40)
    assert told(stage) == [("found", "HexChat"), ("removed", "HexChat")]
    findings = stage.decorum("doctor", *stage.places()).stdout
    assert "tells at once when an application is installed" in findings


def acknowledged(stage: Stage) -> int:
    """Return how many rows of the ledger the server has acknowledged."""
    rows = json.loads(stage.decorum("ledger", "--json", "--limit", "500").stdout)["rows"]
    return sum(row["acknowledged"] is not None for row in rows)


def test_a_personal_device_tells_of_nothing_that_is_installed_by_default(stage: Stage) -> None:
    stage.settings.write_text('ownership = "personal"\nnotice = "given"\nkey_store = "file"\n')
    install(stage.folder / "own")
    begin(stage)
    stage.start("hexchat", "hexchat")
    wait_for(lambda: stage.seen("hexchat"), "its use on the device itself")
    stage.end("hexchat")
    wait_for(lambda: not stage.seen("hexchat"), "its end")
    heard = acknowledged(stage)
    stage.ask("check_in")
    wait_for(lambda: acknowledged(stage) > heard, "a sign of life afterwards")
    assert observations(stage.folder) == [], "without a ceiling a device says no more than that it is there"


def test_before_the_notice_nothing_leaves_and_all_of_it_afterwards(stage: Stage) -> None:
    stage.settings.write_text(stage.settings.read_text().replace('notice = "given"\n', ""))
    install(stage.folder / "share")
    begin(stage)
    kept = stage.folder / "agent/state.sqlite3"
    wait_for(lambda: b"HexChat" in kept.with_name(kept.name + "-wal").read_bytes(), "it in the agent's state")
    stage.ask("check_in")
    assert observations(stage.folder) == []
    stage.ask("notice.shown")
    wait_for(lambda: told(stage) == [("found", "HexChat")], "what was held back")
