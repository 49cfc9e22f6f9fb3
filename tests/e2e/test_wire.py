"""Everything that a device of somebody's own says to the real server is captured, and nothing of its owner is in it.

Work and private use lie side by side, each free text has a marker of its own, and whatever can go wrong does, so that the words of errors
travel, too. What may leave is found on the same wire by the same search.
"""

import functools
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.catalogue_shelf import FILE_NAME
from agent.store import STATE_FILE
from tests.e2e.recording_proxy import RecordingProxy
from tests.e2e.stage import SETTINGS, Stage, policy_text, staged, wait_for
from tests.e2e.test_tampered_policy import _change_the_bundle
from tests.markers import any_found

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

WHAT = (
    *("user", "host", "home", "work-folder", "private-folder", "profile", "program", "entry", "other-entry"),
    *("account", "domain", "title", "variable", "argument", "contact", "settings", "state"),
)
MARKERS = {what: f"zqx-{what}-quv" for what in WHAT} | {"domain": "zqx-mail.quv.example"}
NAMES = {"a private messenger": "Gajim", "another": "WhatsApp", "and one that no list knows": "acme.chatter"}
"""What runs on the private side is nobody's affair either, by name or by kind."""
OWN_DEVICE = """
ownership = "personal"
notice = "given"
key_store = "file"
check_in_seconds = 5
poll_milliseconds = 500
[ceiling.personal]
work = "exact"
"""
ENTRY = """[Desktop Entry]
Type=Application
Name={name}
Comment={name}
Exec={program} %U
Path={folder}
Categories={categories}
MimeType={opens}
X-Note={name}
"""
ACCOUNTS = """<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account><protocol>prpl-jabber</protocol><name>{account}@{domain}/x</name>
<alias>{contact}</alias></account></account>
"""


def _under_a_host_name(name: str) -> tuple[str, ...]:
    """Return the command that runs another in a host of that name (unshare(1)); who is not root may do so for themselves."""
    own = () if os.geteuid() == 0 else ("--map-root-user",)
    return ("unshare", *own, "--uts", "--", "sh", "-c", f'hostname {name} && exec "$@"', "sh")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    for program in ("telegram-desktop", "chromium", "pidgin", "unshare", "hostname"):
        assert shutil.which(program), f"{program} must be installed: see dev/bootstrap"
    folder = tmp_path / MARKERS["state"]
    folder.mkdir()
    with staged(folder) as one:
        one.start_screen()
        one.environment |= {
            "HOME": str(folder / "home"),
            "USER": MARKERS["user"],
            "LOGNAME": MARKERS["user"],
            "HOSTNAME": MARKERS["host"],
            "SECRET": MARKERS["variable"],
            "XDG_DATA_DIRS": f"{folder / 'share'}:/usr/share",
        }
        one.within = _under_a_host_name(MARKERS["host"])
        yield one


@pytest.fixture
def wire(stage: Stage) -> Iterator[RecordingProxy]:
    proxy = RecordingProxy(stage.url)
    yield proxy
    proxy.close()


def furnish(stage: Stage) -> None:
    """Put onto the device what tells of its owner."""
    home = stage.folder / "home"
    for name in ("home", "work-folder", "private-folder"):
        (home / MARKERS[name]).mkdir()
    applications = stage.folder / "share" / "applications"
    applications.mkdir(parents=True)
    programs = home / MARKERS["program"]
    programs.mkdir()
    sleep = os.path.realpath(str(shutil.which("sleep")))
    for name in ("gajim", "acme-chatter", MARKERS["other-entry"]):
        shutil.copy(sleep, programs / name)
    for name, program, categories, opens in (
        ("org.acme.Chatter", "acme-chatter", "Network;InstantMessaging;", "x-scheme-handler/xmpp;"),
        (MARKERS["other-entry"], MARKERS["other-entry"], "Game;", "text/plain;"),
    ):
        text = ENTRY.format(
            name=MARKERS["entry"],
            program=programs / program,
            folder=programs,
            categories=categories,
            opens=opens,
        )
        (applications / f"{name}.desktop").write_text(text)
    (home / ".purple").mkdir()
    (home / ".purple" / "accounts.xml").write_text(ACCOUNTS.format(**MARKERS))
    browser = home / MARKERS["home"] / "chromium"
    browser.mkdir()
    signed_in = {"user_name": f"{MARKERS['account']}@{MARKERS['domain']}", "name": MARKERS["contact"]}
    known = {"profile": {"info_cache": {MARKERS["profile"]: signed_in}}}
    (browser / "Local State").write_text(json.dumps(known))


def use(stage: Stage) -> None:
    """Use messengers for work and privately, side by side."""
    home = stage.folder / "home"
    programs = home / MARKERS["program"]
    at_work = {"DECORUM_WORK": "telegram"}
    stage.start(
        "work", "telegram-desktop", "-workdir", str(home / MARKERS["work-folder"]), environment=at_work
    )
    stage.start("private", "telegram-desktop", "-workdir", str(home / MARKERS["private-folder"]))
    stage.start("pidgin", "pidgin", "--multiple", "--name", MARKERS["title"])
    stage.start("gajim", str(programs / "gajim"), "600")
    stage.start("chatter", str(programs / "acme-chatter"), "600")
    stage.start("game", str(programs / MARKERS["other-entry"]), "600")
    stage.start(
        "browser",
        "chromium",
        "--no-sandbox",
        "--no-first-run",
        f"--user-data-dir={home / MARKERS['home'] / 'chromium'}",
        f"--profile-directory={MARKERS['profile']}",
        f"--window-name={MARKERS['title']}",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--app=https://web.whatsapp.com/?{MARKERS['argument']}",
    )
    for messenger in ("telegram", "gajim", "whatsapp", "unlisted:org.acme.chatter"):
        wait_for(functools.partial(stage.seen, messenger), messenger, 60)
    wait_for(lambda: sides(stage) == {"work", "unknown"}, "Telegram on both sides", 60)


def sides(stage: Stage) -> set[str]:
    """Return on which sides Telegram is."""
    return {row["profile"] for row in stage.status()["messengers"] if row["messenger"] == "telegram"}


def codes(stage: Stage) -> set[str]:
    """Return what the agent tells the person of problems."""
    return {one["code"] for one in stage.status().get("problems", [])}


def go_wrong(stage: Stage, wire: RecordingProxy) -> None:
    """Let everything go wrong: the server, the policy, the settings, and then the catalogue's file and the state."""
    wire.fails = 2
    stage.ask("check_in")
    wait_for(lambda: wire.failed == 2, "two failures of the server", 60)
    wire.tamper = _change_the_bundle
    stage.publish(policy_text("telegram", "approved", 2) + '[profiles]\ncompany_domains = ["example.com"]\n')
    stage.ask("check_in")
    wait_for(lambda: "policy_refused" in codes(stage), "the refused policy", 60)
    wire.tamper = lambda answer: answer
    good = stage.settings.read_text()
    stage.settings.write_text(f'{MARKERS["settings"]} = "{MARKERS["user"]}"\n')
    wait_for(lambda: "settings" in codes(stage), "the wrong settings", 40)
    stage.settings.write_text(good)
    wait_for(lambda: "settings" not in codes(stage), "the settings again", 40)
    stage.end("agent")
    state = stage.folder / "agent"
    (state / FILE_NAME).unlink(missing_ok=True)
    (state / FILE_NAME).mkdir()
    (state / STATE_FILE).write_bytes(b"no database at all, " * 4096)
    stage.start_agent()
    wait_for(lambda: {"state_damaged", "catalogue_damaged"} <= codes(stage), "that the state was damaged", 60)


def arrived(stage: Stage, words: str) -> bool:
    """Tell whether the server holds a report with these words."""
    stage.ask("check_in")
    with sqlite3.connect(f"file:{stage.folder}/server/server.sqlite3?mode=ro", uri=True) as database:
        rows = database.execute("SELECT body FROM fleet_receivedobservation").fetchall()
    return any(words in (body.decode() if isinstance(body, bytes) else str(body)) for (body,) in rows)


def test_nothing_of_its_owner_is_on_the_wire(stage: Stage, wire: RecordingProxy) -> None:
    stage.settings.write_text(OWN_DEVICE)
    furnish(stage)
    stage.server("migrate")
    stage.publish(policy_text("telegram", "banned") + '[profiles]\ncompany_domains = ["example.com"]\n')
    stage.start_server()
    stage.enrol(wire.url)
    stage.start_agent()
    wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy")
    use(stage)
    wait_for(lambda: arrived(stage, '"messenger":"telegram"'), "the report of the work side", 60)
    go_wrong(stage, wire)
    stage.end("work")
    for words in ("refused", "state_damaged", "catalogue_damaged", '"ended"'):
        wait_for(functools.partial(arrived, stage, words), words, 60)
    assert any_found(MARKERS | NAMES | {"tmp": str(stage.folder.parent)}, wire.sent) == {}
    may_leave = {
        "the work messenger": "Telegram",
        "the side": '"profile":"work"',
        "the refused policy": '"outcome":"refused"',
        "the damaged state": "It was set aside as",
        "the catalogue's error": "It cannot be read",
        "who speaks": "user-agent: decorum/",
    }
    assert any_found(may_leave, wire.sent).keys() == may_leave.keys()


def test_a_companys_device_tells_its_host_name_when_it_joins_and_the_search_finds_it(
    stage: Stage, wire: RecordingProxy
) -> None:
    stage.settings.write_text(SETTINGS)
    stage.server("migrate")
    stage.start_server()
    stage.enrol(wire.url)
    assert any_found(MARKERS, wire.sent).keys() == {"host"}
