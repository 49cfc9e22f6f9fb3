"""Every check is seen to find that all is well, and to find what is wrong, with its remedy."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import cli
from agent.doctor import (
    LITTLE_BYTES,
    ROOM_BYTES,
    Facts,
    Finding,
    Folder,
    KeyStore,
    ServerAnswer,
    examine,
    worst,
)
from agent.managed.files import Files
from agent.provisioning import Refusal
from agent.reporting.enrolment import Enrolment
from agent.settings import load
from contract.ceiling import Ceiling, ProfileCeiling
from contract.envelope import SigningKey
from contract.local import CatalogueInUse, Noticing, Problem, Snapshot
from contract.places import Scope
from contract.settings_keys import Value
from contract.version import VERSION
from tests.fakes.device import EVERYTHING, Device

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ENROLMENT = Enrolment(
    server_url="https://decorum.example.com",
    device="d1",
    tenant="acme",
    company="Acme",
    root=SigningKey.generate().public.text,
    pinned="given",
)
SNAPSHOT = Snapshot(
    at=NOW,
    state="compliant",
    enrolled=True,
    ownership="company",
    company="Acme",
    policy_title="Messaging",
    policy_version=1,
    policy_serial=7,
    policy_expired=False,
    server="reachable",
    last_contact=NOW - timedelta(minutes=3),
    waiting=0,
    notice_due=False,
    messengers=(),
    noticing=Noticing("events"),
    installs=Noticing("events"),
    catalogue=CatalogueInUse(version=3, release="0.1.0", current=3),
)
SETTINGS = msgspec.structs.replace(
    load(None, Files(Path("/nonexistent"))), ownership="company", ceiling=EVERYTHING
)
WELL = Facts(
    now=NOW,
    scope="system",
    settings=SETTINGS,
    folder=Folder(path="/var/lib/decorum"),
    key=KeyStore(described="The key is in a file.", has_key=True),
    enrolment=ENROLMENT,
    server=ServerAnswer(url="https://decorum.example.com", ahead_seconds=2.0),
    agent_version=VERSION,
    snapshot=SNAPSHOT,
    sees_others=True,
    has_zones=True,
)
CHECKS = {
    "settings",
    "ceiling",
    "state folder",
    "database",
    "disk",
    "device key",
    "enrolment",
    "root key",
    "agent",
    "server",
    "clock",
    "check-in",
    "policy",
    "catalogue",
    "notice",
    "sensing",
    "starts",
    "installs",
    "time zones",
}


def test_where_all_is_well_every_check_says_so() -> None:
    findings = examine(WELL)
    assert {finding.check for finding in findings} == CHECKS
    assert [finding for finding in findings if finding.grade != "fine" or finding.remedy] == []
    assert worst(findings) == "fine"


@dataclass(frozen=True)
class Wrong:
    """What is changed, and what has to be found."""

    check: str
    grade: str
    word: str
    facts: dict[str, Any]


def said(**changes: Any) -> dict[str, Any]:
    return {"snapshot": msgspec.structs.replace(SNAPSHOT, **changes)}


def set_to(**changes: Any) -> dict[str, Any]:
    return {"settings": msgspec.structs.replace(SETTINGS, **changes)}


def folder(**changes: Any) -> dict[str, Any]:
    return {"folder": msgspec.structs.replace(WELL.folder, **changes)}


def answer(**changes: Any) -> dict[str, Any]:
    return {"server": ServerAnswer(url="https://decorum.example.com", **changes)}


UNWATCHED = Noticing("polling", "This user may watch no more folders.", "Raise fs.inotify.max_user_watches.")
POLLING = Noticing("polling", "This kernel tells only with CAP_NET_ADMIN.", "Give its service CAP_NET_ADMIN.")
CLAMPED = {**SETTINGS.values, "check_in_seconds": Value(5, "file", "1 was asked for; 5 to 86400 is taken.")}
WORK_ONLY = Ceiling(personal=ProfileCeiling(work="exact"))
WRONG = [
    Wrong("settings", "broken", "not TOML", {"settings": None, "settings_error": "It is not TOML.", "settings_remedy": "Mend it."}),
    Wrong("settings", "attention", "1 was asked for", set_to(values=CLAMPED)),
    Wrong("installation", "attention", "ownership: compny", {"refusal": Refusal("ownership: compny.", "Mend it.")}),
    Wrong("ceiling", "attention", "nothing through", set_to(ceiling=Ceiling())),
    Wrong("ceiling", "attention", "nothing through", set_to(ceiling=WORK_ONLY)),
    Wrong("state folder", "attention", "not there yet", folder(exists=False)),
    Wrong("state folder", "attention", "may not be read", folder(is_readable=False)),
    Wrong("state folder", "broken", "Others can look", folder(open_to="Others", closing="chmod 700 it")),
    Wrong("database", "broken", "damaged", folder(is_damaged=True)),
    Wrong("disk", "attention", "MiB are free", folder(free_bytes=ROOM_BYTES - 1)),
    Wrong("disk", "broken", "MiB are free", folder(free_bytes=LITTLE_BYTES - 1)),
    Wrong("device key", "broken", "No keyring", {"key": KeyStore(described="", error="No keyring.", remedy="Unlock it.")}),
    Wrong("device key", "broken", "its key is gone", {"key": KeyStore(described="a file")}),
    Wrong("enrolment", "broken", "not enrolled", {"enrolment": None, **said(enrolled=False)}),
    Wrong("root key", "attention", "key that was met", {"enrolment": msgspec.structs.replace(ENROLMENT, pinned="met")}),
    Wrong("agent", "broken", "No agent runs", {"agent_version": None, "snapshot": None}),
    Wrong("agent", "broken", "not the agent", {"agent_version": None, "snapshot": None, "agent_error": "User 7 listens, who is not the agent."}),
    Wrong("agent", "attention", "0.0.9", {"agent_version": "0.0.9"}),
    Wrong("server", "broken", "did not answer", answer(error="It did not answer.", remedy="Check it.")),
    Wrong("clock", "attention", "20 minutes behind", answer(ahead_seconds=1200.0)),
    Wrong("clock", "attention", "20 minutes ahead of", answer(ahead_seconds=-1200.0)),
    Wrong("check-in", "broken", "refuses this device; 3 reports wait", said(server="refused", waiting=3)),
    Wrong("check-in", "attention", "since the agent started", said(last_contact=None)),
    Wrong("check-in", "attention", "not answered since 2026-11-22", said(last_contact=NOW - timedelta(days=2))),
    Wrong("policy", "attention", "No policy", said(policy_serial=0)),
    Wrong("policy", "attention", "run out", said(policy_expired=True)),
    Wrong("catalogue", "attention", "The server has version 4.", said(catalogue=CatalogueInUse(version=3, release="0.1.0", current=4))),
    Wrong("notice", "attention", "not been told", said(notice_due=True)),
    Wrong("sensing", "attention", "cannot be looked at", {"sees_others": False}),
    Wrong("starts", "attention", "only with CAP_NET_ADMIN", said(noticing=POLLING)),
    Wrong("installs", "attention", "may watch no more folders", said(installs=UNWATCHED)),
    Wrong("time zones", "broken", "missing", {"has_zones": False}),
    Wrong("agent's word", "attention", "The disk is full", said(problems=(Problem("x", "The disk is full.", "Make room."),))),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.check}: {wrong.word}")
def test_what_is_wrong_is_found_and_nothing_else(wrong: Wrong) -> None:
    findings = [one for one in examine(msgspec.structs.replace(WELL, **wrong.facts)) if one.grade != "fine"]
    assert [(one.check, one.grade) for one in findings] == [(wrong.check, wrong.grade)]
    (finding,) = findings
    assert wrong.word in finding.sentence
    assert finding.remedy


def test_how_installs_are_noticed_is_said_also_where_nothing_is_wrong_with_it() -> None:
    def installs(noticing: Noticing) -> Finding:
        facts = msgspec.structs.replace(WELL, **said(installs=noticing))
        return next(one for one in examine(facts) if one.check == "installs")

    assert "at once" in installs(Noticing("events")).sentence
    looked = installs(Noticing("polling", "There is no folder yet."))
    assert (looked.grade, "once a minute. There is no folder yet." in looked.sentence) == ("fine", True)


def starts(noticing: Noticing, scope: Scope = "system") -> Finding:
    facts = msgspec.structs.replace(WELL, scope=scope, **said(noticing=noticing))
    return next(finding for finding in examine(facts) if finding.check == "starts")


def test_looking_for_want_of_a_right_is_a_fault_of_the_system_agent_alone() -> None:
    assert starts(POLLING).grade == "attention"
    assert starts(POLLING, "user").grade == "fine"
    assert "only with CAP_NET_ADMIN" in starts(POLLING, "user").sentence
    assert starts(Noticing("polling", "This system offers no events.")).grade == "fine"


def test_what_is_told_at_once_beside_looking_is_said_with_why_the_rest_is_not() -> None:
    both = starts(Noticing("polling", "Of the rest nobody tells.", at_once=("applications", "ends")))
    assert both.grade == "fine"
    assert "at once which applications start and end" in both.sentence
    assert "other programs are noticed by looking again and again. Of the rest nobody tells." in both.sentence
    ends = starts(Noticing("polling", "There is no screen.", at_once=("ends",)))
    assert "applications" not in ends.sentence
    assert "at once which messengers end. There is no screen." in ends.sentence
    mendable = Noticing("polling", "PyObjC cannot be loaded.", "Install the agent again.", at_once=("ends",))
    assert [
        (starts(mendable, scope).grade, starts(mendable, scope).remedy) for scope in ("system", "user")
    ] == [("attention", "Install the agent again.")] * 2
    neither = starts(Noticing("polling", "There is no screen."))
    assert "at once" not in neither.sentence


def test_how_often_events_were_lost_is_told() -> None:
    assert "3 times" in starts(Noticing("events", lost=3)).sentence
    assert "3 times" in starts(Noticing("polling", "It fell silent.", lost=3)).sentence
    assert "times" not in starts(Noticing("events")).sentence


def test_a_refused_installation_is_why_a_device_is_not_enrolled() -> None:
    refused = msgspec.structs.replace(WELL, enrolment=None, refusal=Refusal("ownership: compny.", "Mend it."))
    grades = {finding.check: finding.grade for finding in examine(refused)}
    assert grades["installation"] == "broken"


def test_every_check_is_seen_to_fail() -> None:
    assert {wrong.check for wrong in WRONG} >= CHECKS


def test_the_gravest_counts() -> None:
    fine, broken = Finding("a", "fine", "x"), Finding("b", "broken", "x", "y")
    assert worst([fine, broken, Finding("c", "attention", "x", "y")]) == "broken"
    assert worst([]) == "fine"


def test_on_a_bare_machine_it_says_what_is_missing_and_ends_with_20(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('key_store = "file"\nserver_url = "http://127.0.0.1:9"\n')
    places = [
        "--state",
        str(tmp_path / "state"),
        "--settings",
        str(settings),
        "--socket",
        str(tmp_path / "no.sock"),
    ]
    assert cli.main(["doctor", "--json", *places]) == 20
    told = json.loads(capsys.readouterr().out)
    assert told["grade"] == "broken"
    grades = {finding["check"]: finding["grade"] for finding in told["findings"]}
    assert (grades["agent"], grades["enrolment"], grades["server"]) == ("broken", "broken", "broken")
    assert grades["disk"] == "fine"
    assert not (tmp_path / "state").exists()


def test_it_reads_an_enrolment_that_the_agent_holds_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o700)
    device = Device(tmp_path)
    device.enrol()
    before = (tmp_path / "state.sqlite3").read_bytes()
    settings = tmp_path / "settings.toml"
    settings.write_text('key_store = "file"\n')
    places = ["--state", str(tmp_path), "--settings", str(settings), "--socket", str(tmp_path / "no.sock")]
    with device.store.transaction():
        cli.main(["doctor", *places])
    told = capsys.readouterr().out
    assert "Enrolled with Acme" in told
    assert "its key is gone" in told
    assert "The state can be read through." in told
    assert (tmp_path / "state.sqlite3").read_bytes() == before


def remedies(**facts: Any) -> str:
    return " ".join(finding.remedy or "" for finding in examine(msgspec.structs.replace(WELL, **facts)))


def test_each_system_is_told_its_own_commands() -> None:
    wrong = {"agent_version": None, "sees_others": False, "scope": "system"}
    told = {system: remedies(system=system, **wrong) for system in ("linux", "macos", "windows")}
    assert "systemctl start decorum" in told["linux"]
    assert "launchctl kickstart system/org.decorum.agent" in told["macos"]
    assert "sc start Decorum" in told["windows"]
    assert "root" not in told["windows"]


def test_a_state_folder_that_others_may_look_into_is_said_with_the_command_that_ends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o755)
    settings = tmp_path / "settings.toml"
    settings.write_text('key_store = "file"\n')
    cli.main(["doctor", "--state", str(tmp_path), "--settings", str(settings), "--socket", "/none"])
    told = capsys.readouterr().out
    assert f"Others can look into {tmp_path}." in told
    assert f"Run `chmod 700 {tmp_path}`." in told


def test_settings_that_cannot_be_read_are_a_finding_not_an_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("this is no TOML")
    assert (
        cli.main(["doctor", "--state", str(tmp_path / "s"), "--settings", str(settings), "--socket", "/none"])
        == 20
    )
    assert "is not TOML" in capsys.readouterr().out
