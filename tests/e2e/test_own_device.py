"""A device of somebody's own with two real Telegrams and a real Chromium of two profiles: four channels, of which the work ones alone leave,
and the ledger holds to the byte what the server does."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.envelope import payload_of
from extension.crx import extension_id, new_key
from tests.e2e.browsers import Chromium
from tests.e2e.stage import Stage, policy_text, staged, wait_for
from tests.e2e.test_web_messengers import unpacked
from tests.e2e.web_sites import web_sites

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
OWN_DEVICE = """
ownership = "personal"
notice = "given"
key_store = "file"
check_in_seconds = 5
poll_milliseconds = 500
[ceiling.personal]
work = "exact"
"""
PROFILES = '[profiles]\ncompany_domains = ["example.com"]\n'
TELEGRAM, WHATSAPP = "telegram", "whatsapp"
WHERE_WHATSAPP_IS = "https://web.whatsapp.com/"


def sides(stage: Stage) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the agent's rows of both messengers by messenger and side."""
    rows = stage.status()["messengers"]
    return {
        (row["messenger"], row["profile"]): row for row in rows if row["messenger"] in {TELEGRAM, WHATSAPP}
    }


def start_browser(stage: Stage, browser: Chromium) -> None:
    """Open WhatsApp in the private profile, and then in the company's."""
    browser.open(WHERE_WHATSAPP_IS)
    wait_for(lambda: (WHATSAPP, "personal") in sides(stage), "the private page", 60)
    stage.start(
        "office",
        "chromium",
        "--no-sandbox",
        f"--user-data-dir={stage.folder / 'chromium'}",
        "--profile-directory=Profile 1",
        WHERE_WHATSAPP_IS,
    )
    wait_for(lambda: (WHATSAPP, "work") in sides(stage), "the company's page", 60)


def start_telegrams(stage: Stage) -> None:
    """Start one privately, and one for work: its launcher says so by a variable."""
    for name, environment in (("private", {}), ("work", {"DECORUM_WORK": TELEGRAM})):
        folder = stage.folder / "home" / name
        folder.mkdir()
        stage.start(name, "telegram-desktop", "-workdir", str(folder), environment=environment)
    wait_for(lambda: {(TELEGRAM, "work"), (TELEGRAM, "unknown")} <= sides(stage).keys(), "both Telegrams", 60)


def rows_of(file: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


def held(stage: Stage) -> list[bytes]:
    """Return the bodies that the server holds, in the order of their numbers."""
    query = "SELECT body FROM fleet_receivedobservation ORDER BY sequence"
    return [bytes(body) for (body,) in rows_of(stage.folder / "server" / "server.sqlite3", query)]


def sealed(stage: Stage) -> list[bytes]:
    """Return what the device sealed in the check-ins that the server holds."""
    query = "SELECT sealed FROM fleet_checkinrecord ORDER BY id"
    return [payload_of(text) for (text,) in rows_of(stage.folder / "server" / "server.sqlite3", query)]


def written(stage: Stage, what: str) -> list[bytes]:
    """Return the literal lines of the ledger, oldest first."""
    query = f"SELECT literal FROM ledger WHERE {what} ORDER BY number"
    return [bytes(text) for (text,) in rows_of(stage.folder / "agent" / "state.sqlite3", query)]


def told(stage: Stage) -> list[tuple[str, str, str]]:
    """Return messenger, side and transition of each sighting that the server holds."""
    sightings = [one for one in map(json.loads, held(stage)) if one["type"] == "sighting"]
    return [(one["messenger"], one["profile"], one["transition"]) for one in sightings]


def test_only_the_work_channels_leave_and_the_ledger_is_the_servers_records_to_the_byte(
    tmp_path: Path,
) -> None:
    key = new_key()
    with web_sites(tmp_path) as sites, staged(tmp_path) as stage:
        stage.settings.write_text(f'web_extension = "{extension_id(key)}"\n{OWN_DEVICE}')
        stage.begin(policy_text(TELEGRAM, "banned") + PROFILES)
        stage.start_screen()
        wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy")
        (stage.folder / "chromium").mkdir()
        accounts = {"Default": "a@gmail.com", "Profile 1": "a@example.com"}
        cache = {name: {"user_name": account, "name": name} for name, account in accounts.items()}
        (stage.folder / "chromium" / "Local State").write_text(json.dumps({"profile": {"info_cache": cache}}))
        browser = Chromium(stage, sites, unpacked(tmp_path, key), extension_id(key))
        start_telegrams(stage)
        start_browser(stage, browser)

        rows = sides(stage)
        verdicts = {channel: (row["verdict"], row["reported"]) for channel, row in rows.items()}
        assert verdicts == {
            (TELEGRAM, "work"): ("violation", "exact"),
            (TELEGRAM, "unknown"): ("compliant", "nothing"),
            (WHATSAPP, "work"): ("compliant", "exact"),
            (WHATSAPP, "personal"): ("compliant", "nothing"),
        }
        assert rows[TELEGRAM, "work"]["pid"] == stage.pid_of("work")
        assert rows[TELEGRAM, "unknown"]["pid"] == stage.pid_of("private")

        started = {(TELEGRAM, "work", "started"), (WHATSAPP, "work", "started")}
        wait_for(lambda: started <= set(told(stage)), "the report of both work channels", 60)
        for name in ("private", "work", "browser", "office"):
            stage.end(name)
        ended = {(TELEGRAM, "work", "ended"), (WHATSAPP, "work", "ended")}
        wait_for(
            lambda: set(told(stage)) == started | ended, "the report of both ends, and of nothing else", 90
        )
        assert len(told(stage)) == 4

        compared = stage.decorum("ledger", "--compare", "--json")
        assert compared.returncode == 0, compared.stdout
        result = json.loads(compared.stdout)["result"]
        assert (result["missing_there"], result["unknown_here"], result["erased_there"]) == (0, 0, 0)
        assert stage.end("agent") == 0

        reports = held(stage)
        assert written(stage, "outbox IS NOT NULL") == reports
        assert result["equal_reports"] == len(reports) > 4
        heartbeats = written(stage, "type = 'heartbeat'")
        assert [one for one in sealed(stage) if one not in heartbeats] == []
        kinds = {msgspec.json.decode(one)["type"] for one in reports}
        assert kinds == {"sighting", "policy", "notice", "receipt"}, "and nothing of what is installed"
