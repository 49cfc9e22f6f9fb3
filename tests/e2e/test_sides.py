"""Two copies of one real messenger on a personal device: each on its own side, and of the private one nothing leaves."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from extension.crx import extension_id, new_key
from tests.e2e.browsers import Chromium
from tests.e2e.stage import Stage, policy_text, staged, wait_for
from tests.e2e.test_web_messengers import unpacked
from tests.e2e.web_sites import web_sites

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
PROFILES = """
[profiles]
company_domains = ["example.com"]
[[profiles.rules]]
side = "work"
messenger = "telegram"
folder = "~/Work"
"""
TELEGRAM, WHATSAPP = "telegram", "whatsapp"


def policy(profiles: str, version: int) -> str:
    """Return a policy that ends in these rules."""
    return policy_text("telegram", "banned", version) + profiles


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    assert shutil.which("telegram-desktop"), "telegram-desktop must be installed: see dev/bootstrap"
    assert shutil.which("chromium"), "chromium must be installed: see dev/bootstrap"
    with staged(tmp_path_factory.mktemp("sides")) as one:
        one.settings.write_text(PERSONAL_DEVICE)
        one.begin(policy(_at_home(PROFILES, one), 1))
        one.start_screen()
        yield one


def test_pages_in_two_profiles_of_one_chromium_are_on_two_sides(tmp_path: Path) -> None:
    key = new_key()
    with web_sites(tmp_path) as sites, staged(tmp_path) as stage:
        stage.settings.write_text(f'web_extension = "{extension_id(key)}"\n{PERSONAL_DEVICE}')
        stage.begin(policy(PROFILES, 1))
        stage.start_screen()
        home = stage.folder / "chromium"
        home.mkdir()
        accounts = {"Default": "a@gmail.com", "Profile 1": "a@example.com"}
        cache = {name: {"user_name": account, "name": name} for name, account in accounts.items()}
        (home / "Local State").write_text(json.dumps({"profile": {"info_cache": cache}}))
        browser = Chromium(stage, sites, unpacked(tmp_path, key), extension_id(key))
        browser.open("https://web.whatsapp.com/")
        wait_for(lambda: _rows(stage, WHATSAPP).keys() == {"personal"}, "the private page", 30)
        stage.start(
            "office",
            "chromium",
            "--no-sandbox",
            f"--user-data-dir={home}",
            "--profile-directory=Profile 1",
            "https://web.whatsapp.com/",
        )
        wait_for(lambda: _rows(stage, WHATSAPP).keys() == {"personal", "work"}, "both", 30)
        wait_for(lambda: _sent(stage, WHATSAPP), "the report of the work page")
        assert [one["profile"] for one in _sent(stage, WHATSAPP)] == ["work"]


def _at_home(profiles: str, stage: Stage) -> str:
    """Return the rules for the stage's own home: the account's own is another."""
    return profiles.replace("~", str(stage.folder / "home"))


def _rows(stage: Stage, messenger: str) -> dict[str, dict[str, Any]]:
    rows = [row for row in stage.status().get("messengers", ()) if row["messenger"] == messenger]
    assert len({row["profile"] for row in rows}) == len(rows), "one sighting a side"
    return {row["profile"]: row for row in rows}


def _sent(stage: Stage, messenger: str) -> list[dict[str, Any]]:
    rows = json.loads(stage.decorum("ledger", "--json", "--limit", "500").stdout)["rows"]
    told = [json.loads(row["literal"]) for row in rows if row["type"] == "sighting"]
    return [one for one in reversed(told) if one["messenger"] == messenger]


def test_two_real_telegrams_are_two_channels_and_only_the_work_one_reaches_the_server(stage: Stage) -> None:
    work, private = (stage.folder / "home" / name for name in ("Work", "Private"))
    for folder in (work, private):
        folder.mkdir()
    stage.start("private", "telegram-desktop", "-workdir", str(private))
    stage.start("work", "telegram-desktop", "-workdir", str(work))
    wait_for(lambda: _rows(stage, TELEGRAM).keys() == {"work", "unknown"}, "both sides", 60)
    rows = _rows(stage, TELEGRAM)
    assert rows["work"]["pid"] == stage.pid_of("work")
    assert rows["unknown"]["pid"] == stage.pid_of("private")
    assert (rows["work"]["verdict"], rows["work"]["profile_assurance"]) == ("violation", "high")
    assert str(work) in rows["work"]["profile_reason"]
    assert [one["signal"] for one in rows["work"]["profile_signals"]] == ["instance"]
    assert (rows["unknown"]["reported"], rows["work"]["reported"]) == ("nothing", "exact")

    wait_for(lambda: _sent(stage, TELEGRAM), "the report of the work one")
    stage.end("private")
    wait_for(lambda: _rows(stage, TELEGRAM).keys() == {"work"}, "the end of the private one")
    stage.end("work")
    wait_for(lambda: len(_sent(stage, TELEGRAM)) == 2, "the report of its end")
    assert [(one["transition"], one["profile"]) for one in _sent(stage, TELEGRAM)] == [
        ("started", "work"),
        ("ended", "work"),
    ]


def test_identify_and_a_new_policy_tell_of_the_side(stage: Stage) -> None:
    work = stage.folder / "home" / "Work"
    stage.start("again", "telegram-desktop", "-workdir", str(work))
    wait_for(lambda: "work" in _rows(stage, TELEGRAM), "the work one", 60)
    pid = str(stage.pid_of("again"))
    told = stage.decorum("identify", "--pid", pid, "--socket", str(stage.socket))
    assert "Side: work (assurance high)." in told.stdout, told.stdout + told.stderr
    assert "instance (strong, work)" in told.stdout
    side = json.loads(stage.decorum("identify", "--pid", pid, "--json").stdout)["side"]
    assert side["signals"][0]["reliability"] == "strong"

    stage.publish(policy("", 2))
    wait_for(lambda: _rows(stage, TELEGRAM).keys() == {"unknown"}, "the other side", 30)
    wait_for(lambda: _sent(stage, TELEGRAM)[-1]["transition"] == "ended", "the report of its end there")
    stage.publish(policy(_at_home(PROFILES, stage), 3))
    wait_for(lambda: _rows(stage, TELEGRAM).keys() == {"work"}, "the work side again", 30)
    stage.end("again")


def test_two_real_chromiums_are_told_apart_by_the_domains_that_they_are_signed_in_to(stage: Stage) -> None:
    for name, account in (("office", "a@corp.example.com"), ("home", "a@gmail.com")):
        folder = stage.folder / "home" / name
        folder.mkdir()
        cache = {"profile": {"info_cache": {"Default": {"user_name": account, "name": "a"}}}}
        (folder / "Local State").write_text(json.dumps(cache))
        stage.start(
            name,
            "chromium",
            "--no-sandbox",
            "--no-first-run",
            f"--user-data-dir={folder}",
            "--profile-directory=Default",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--app=https://web.whatsapp.com/",
        )
    wait_for(lambda: len(_rows(stage, WHATSAPP)) == 2, "both", 60)
    rows = _rows(stage, WHATSAPP)
    assert rows.keys() == {"work", "personal"}, rows
    assert (rows["work"]["pid"], rows["personal"]["pid"]) == (stage.pid_of("office"), stage.pid_of("home"))
    assert "example.com" in rows["work"]["profile_reason"]
    state = b"".join(path.read_bytes() for path in Path(stage.folder / "agent").rglob("*") if path.is_file())
    for secret in (b"a@corp.example.com", b"gmail.com", b"corp.example.com"):
        assert secret not in state, "no account is kept, nor a domain but the company's"
    helpers = psutil.Process(stage.pid_of("office")).children(recursive=True)
    assert helpers, "its processes are part of it"
