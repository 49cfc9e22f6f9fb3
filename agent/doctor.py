"""Whether Decorum is well on this device: one finding a check, each with what was found and, where something is wrong, what to do.

Pure: what the system says comes in as facts (`agent.commands.doctor` gathers them), so that every check can be seen to fail.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from agent.catalogue import in_words
from agent.clock import DOUBT
from agent.provisioning import Refusal
from agent.reporting.enrolment import Enrolment
from agent.settings import Settings
from contract.ceiling import is_empty, spelt_out
from contract.local import Noticing, Snapshot
from contract.places import THIS_SYSTEM, Scope, System
from contract.version import VERSION

Grade = Literal["fine", "attention", "broken"]
GRADES: tuple[Grade, ...] = ("fine", "attention", "broken")
"""Mildest first."""
ROOM_BYTES, LITTLE_BYTES = 200 * 1024**2, 20 * 1024**2
SILENT_FOR = timedelta(days=1)
SOON = timedelta(days=7)
_AS_ADMINISTRATOR: dict[System, str] = {
    "linux": "as root",
    "macos": "with sudo",
    "windows": "as an administrator",
}
_STARTING: dict[System, str] = {
    "linux": "systemctl start decorum",
    "macos": "sudo launchctl kickstart system/org.decorum.agent",
    "windows": "sc start Decorum",
}
_SEEING: dict[System, str] = {
    "linux": "Run this as root; if the agent cannot either, give its service CAP_SYS_PTRACE.",
    "macos": "Run this with sudo; if the agent cannot either, its service does not run as root.",
    "windows": "Run this as an administrator; if the agent cannot either, its service does not run as the system.",
}


class Finding(msgspec.Struct, frozen=True):
    """What one check found."""

    check: str
    grade: Grade
    sentence: str
    remedy: str | None = None


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """The state folder."""

    path: str
    exists: bool = True
    is_readable: bool = True
    open_to: str | None = None
    """Who besides its owner can look into it; None if nobody."""
    closing: str = ""
    """The command that ends that."""
    is_damaged: bool = False
    """Whether the database in it cannot be read through."""
    free_bytes: int = ROOM_BYTES


class KeyStore(msgspec.Struct, frozen=True, kw_only=True):
    """Where the device's key is kept."""

    described: str
    has_key: bool = False
    error: str | None = None
    remedy: str | None = None


class ServerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of asking the server whether it lives."""

    url: str
    error: str | None = None
    remedy: str | None = None
    ahead_seconds: float | None = None
    """By how much its clock is ahead of this device's; None if it does not say."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the checks are told."""

    now: datetime
    scope: Scope
    system: System = THIS_SYSTEM
    settings: Settings | None
    settings_error: str | None = None
    settings_remedy: str | None = None
    refusal: Refusal | None = None
    """Why what the installer was given was not taken."""
    folder: Folder
    key: KeyStore | None
    """None if the state folder may not be read."""
    enrolment: Enrolment | None
    server: ServerAnswer | None
    """None without a server to ask."""
    agent_version: str | None
    """None if no agent answers."""
    agent_error: str | None = None
    snapshot: Snapshot | None
    sees_others: bool | None
    """Whether it may look at other users' processes; None if there is none to try it on."""
    has_zones: bool


def examine(facts: Facts) -> tuple[Finding, ...]:
    """Return every finding, in the order in which things depend on each other."""
    return tuple(
        finding
        for check in (
            _settings,
            _installation,
            _ceiling,
            _not_granted,
            _folder,
            _database,
            _space,
            _key,
            _enrolment,
            _root,
            _agent,
            _server,
            _clock,
            _contact,
            _policy,
            _catalogue,
            _notice,
            _sensing,
            _starts,
            _installs,
            _zones,
            _problems,
        )
        for finding in check(facts)
    )


def worst(findings: Iterable[Finding]) -> Grade:
    """Return the gravest grade."""
    return max((finding.grade for finding in findings), key=GRADES.index, default="fine")


def _settings(facts: Facts) -> Iterable[Finding]:
    if facts.settings is None:
        yield Finding(
            "settings", "broken", facts.settings_error or "They cannot be read.", facts.settings_remedy
        )
        return
    remarks = [f"{name}: {value.remark}" for name, value in facts.settings.values.items() if value.remark]
    if remarks:
        yield Finding(
            "settings", "attention", " ".join(remarks), "Correct these values; see `decorum settings`."
        )
        return
    managed = sum(value.origin == "managed" for value in facts.settings.values.values())
    yield Finding("settings", "fine", f"Every setting is taken as it was written; {managed} are managed.")


def _installation(facts: Facts) -> Iterable[Finding]:
    if facts.refusal is not None:
        yield Finding(
            "installation",
            "attention" if facts.enrolment is not None else "broken",
            f"Nothing of what the installer was given was taken. {facts.refusal.detail}",
            f"{facts.refusal.remedy} Then install it again with all of it.",
        )


def _ceiling(facts: Facts) -> Iterable[Finding]:
    if facts.settings is None:
        return
    ceiling = getattr(facts.settings.ceiling, facts.settings.ownership)
    sides = {side: spelt_out(getattr(ceiling, side)) for side in ("work", "personal", "unknown")}
    if is_empty(facts.settings.ceiling, facts.settings.ownership):
        yield Finding(
            "ceiling",
            "attention",
            "The privacy ceiling lets nothing through: only a sign of life is reported.",
            "If that is not meant, set `ceiling` in the settings.",
        )
        return
    told = "; ".join(f"{side}: {detail}" for side, detail in sides.items())
    yield Finding("ceiling", "fine", f"What may be reported at most: {told}.")


def _not_granted(facts: Facts) -> Iterable[Finding]:
    if facts.snapshot is not None:
        for sentence in facts.snapshot.not_granted:
            yield Finding("not granted", "fine", sentence)


def _folder(facts: Facts) -> Iterable[Finding]:
    folder = facts.folder
    if not folder.exists:
        yield Finding(
            "state folder", "attention", f"{folder.path} is not there yet.", "Start the agent; it makes it."
        )
    elif not folder.is_readable:
        yield Finding(
            "state folder",
            "attention",
            f"{folder.path} may not be read by this user, so a part was not checked.",
            f"Run this as the agent's user, or {_AS_ADMINISTRATOR[facts.system]}.",
        )
    elif folder.open_to is not None:
        yield Finding(
            "state folder",
            "broken",
            f"{folder.open_to} can look into {folder.path}.",
            f"Run `{folder.closing}`.",
        )
    else:
        yield Finding("state folder", "fine", f"{folder.path} is its owner's alone.")


def _database(facts: Facts) -> Iterable[Finding]:
    if not facts.folder.exists or not facts.folder.is_readable:
        return
    if facts.folder.is_damaged:
        yield Finding(
            "database",
            "broken",
            "The state cannot be read through: it is damaged.",
            "Start the agent anew; it sets it aside and goes on with what is left. Check the disk.",
        )
    else:
        yield Finding("database", "fine", "The state can be read through.")


def _space(facts: Facts) -> Iterable[Finding]:
    free = facts.folder.free_bytes
    told = f"{free / 1024**2:,.0f} MiB are free where the state is kept."
    if free >= ROOM_BYTES:
        yield Finding("disk", "fine", told)
    else:
        grade: Grade = "broken" if free < LITTLE_BYTES else "attention"
        yield Finding("disk", grade, told, "Make room: without it nothing can be recorded or reported.")


def _key(facts: Facts) -> Iterable[Finding]:
    key = facts.key
    if key is None:
        return
    if key.error is not None:
        yield Finding("device key", "broken", key.error, key.remedy)
    elif not key.has_key and facts.enrolment is not None:
        yield Finding(
            "device key",
            "broken",
            "The device is enrolled, and its key is gone.",
            "Remove the state folder and enrol it anew.",
        )
    elif not key.has_key:
        yield Finding("device key", "fine", "There is none yet; it is made when the device is enrolled.")
    else:
        yield Finding("device key", "fine", key.described)


def _enrolment(facts: Facts) -> Iterable[Finding]:
    if facts.enrolment is not None:
        one = facts.enrolment
        yield Finding(
            "enrolment", "fine", f"Enrolled with {one.company} at {one.server_url} as {one.device}."
        )
    elif facts.snapshot is not None and facts.snapshot.enrolled:
        yield Finding("enrolment", "fine", f"Enrolled with {facts.snapshot.company}.")
    elif facts.folder.is_readable or facts.snapshot is not None:
        yield Finding(
            "enrolment", "broken", "The device is not enrolled; nothing leaves it.", "Run `decorum enrol`."
        )


def _root(facts: Facts) -> Iterable[Finding]:
    if facts.enrolment is None:
        return
    if facts.enrolment.pinned == "given":
        yield Finding("root key", "fine", "The settings named the root key, and it is the one that was met.")
    else:
        yield Finding(
            "root key",
            "attention",
            f"No root_fingerprint was set, so the key that was met is believed: {facts.enrolment.trust.root.fingerprint}.",
            "Compare it with `decorum-server root-fingerprint`, and give it with the settings.",
        )


def _agent(facts: Facts) -> Iterable[Finding]:
    if facts.agent_error is not None:
        yield Finding("agent", "broken", facts.agent_error, "Start it, or see its log.")
    elif facts.agent_version is None:
        yield Finding(
            "agent", "broken", "No agent runs.", f"Start it: `{_STARTING[facts.system]}`, or `decorum run`."
        )
    elif facts.agent_version != VERSION:
        yield Finding(
            "agent",
            "attention",
            f"The agent that runs is {facts.agent_version}; installed is {VERSION}.",
            "Restart the agent.",
        )
    else:
        yield Finding("agent", "fine", f"Version {VERSION} runs.")


def _server(facts: Facts) -> Iterable[Finding]:
    answer = facts.server
    if answer is None:
        return
    if answer.error is not None:
        yield Finding("server", "broken", answer.error, answer.remedy)
    else:
        yield Finding("server", "fine", f"{answer.url} answers.")


def _clock(facts: Facts) -> Iterable[Finding]:
    ahead = None if facts.server is None else facts.server.ahead_seconds
    if ahead is None:
        return
    if abs(ahead) > DOUBT.total_seconds():
        side = "behind" if ahead > 0 else "ahead of"
        yield Finding(
            "clock",
            "attention",
            f"This device's clock is {abs(ahead) / 60:.0f} minutes {side} the server's.",
            "Set it, or let the system keep it (NTP). Until then nothing expires here.",
        )
    else:
        yield Finding("clock", "fine", "The clock agrees with the server's.")


def _contact(facts: Facts) -> Iterable[Finding]:
    snapshot = facts.snapshot
    if snapshot is None or not snapshot.enrolled:
        return
    waiting = f"; {snapshot.waiting} reports wait" if snapshot.waiting else ""
    if snapshot.server == "refused":
        yield Finding(
            "check-in",
            "broken",
            f"The server refuses this device{waiting}.",
            "See the problems below, or the server's audit log.",
        )
    elif snapshot.last_contact is None or facts.now - snapshot.last_contact > SILENT_FOR:
        since = (
            "since the agent started"
            if snapshot.last_contact is None
            else f"since {snapshot.last_contact:%Y-%m-%d %H:%M}"
        )
        yield Finding(
            "check-in",
            "attention",
            f"The server has not answered {since}{waiting}.",
            "See the finding on the server.",
        )
    else:
        yield Finding(
            "check-in", "fine", f"The server last answered at {snapshot.last_contact:%H:%M:%S}{waiting}."
        )


def _policy(facts: Facts) -> Iterable[Finding]:
    snapshot = facts.snapshot
    if snapshot is None or not snapshot.enrolled:
        return
    if snapshot.policy_serial == 0:
        yield Finding(
            "policy", "attention", "No policy has reached this device yet.", "Publish one, then check in."
        )
    elif snapshot.policy_expired:
        yield Finding(
            "policy",
            "attention",
            f"Policy number {snapshot.policy_serial} has run out; it is still judged by, and nothing is enforced.",
            "The server renews it by itself: see whether it can be reached.",
        )
    else:
        yield Finding("policy", "fine", f"Policy number {snapshot.policy_serial} is in force.")


def _catalogue(facts: Facts) -> Iterable[Finding]:
    in_use = None if facts.snapshot is None else facts.snapshot.catalogue
    if facts.snapshot is None or in_use is None:
        return
    sentence = in_words(in_use, facts.snapshot.company)
    if in_use.current > in_use.version:
        yield Finding(
            "catalogue",
            "attention",
            f"{sentence} The server has version {in_use.current}.",
            "It comes with one of the next check-ins; if it was refused, the problems below say why.",
        )
    else:
        yield Finding("catalogue", "fine", sentence)


def _notice(facts: Facts) -> Iterable[Finding]:
    if facts.snapshot is None or not facts.snapshot.enrolled:
        return
    if facts.snapshot.notice_due:
        yield Finding(
            "notice",
            "attention",
            "This user has not been told what is collected: only a sign of life leaves about them.",
            "Open the tray and confirm the notice, or set `notice` to given if it was given otherwise.",
        )
    else:
        yield Finding("notice", "fine", "It was given.")


def _sensing(facts: Facts) -> Iterable[Finding]:
    if facts.scope != "system" or facts.sees_others is None:
        return
    if facts.sees_others:
        yield Finding("sensing", "fine", "Other users' processes can be looked at.")
    else:
        yield Finding(
            "sensing",
            "attention",
            "Other users' processes cannot be looked at by this user.",
            _SEEING[facts.system],
        )


def _starts(facts: Facts) -> Iterable[Finding]:
    noticing = None if facts.snapshot is None else facts.snapshot.noticing
    if noticing is None:
        return
    lost = (
        f" More came at once than could be taken {noticing.lost} times, and all processes were looked at."
        if noticing.lost
        else ""
    )
    if noticing.by == "events":
        yield Finding("starts", "fine", f"The system tells at once which processes start and end.{lost}")
        return
    sentence = f"{_looked_for(noticing)} {noticing.why}{lost}"
    is_fault = facts.scope == "system" or bool(noticing.at_once)
    if is_fault and noticing.remedy is not None:
        yield Finding("starts", "attention", sentence, noticing.remedy)
    else:
        yield Finding("starts", "fine", sentence)


def _looked_for(noticing: Noticing) -> str:
    if "applications" in noticing.at_once:
        return "The system tells at once which applications start and end; other programs are noticed by looking again and again."
    if "ends" in noticing.at_once:
        return "Starts are noticed by looking again and again; the system tells at once which messengers end."
    return "Starts are noticed by looking again and again."


def _installs(facts: Facts) -> Iterable[Finding]:
    noticing = None if facts.snapshot is None else facts.snapshot.installs
    if noticing is None:
        return
    if noticing.by == "events":
        yield Finding(
            "installs", "fine", "The system tells at once when an application is installed or removed."
        )
        return
    sentence = f"What is installed is looked for once a minute. {noticing.why}"
    if noticing.remedy is not None:
        yield Finding("installs", "attention", sentence, noticing.remedy)
    else:
        yield Finding("installs", "fine", sentence)


def _zones(facts: Facts) -> Iterable[Finding]:
    if facts.has_zones:
        yield Finding("time zones", "fine", "Office hours can be told in every zone.")
    else:
        yield Finding(
            "time zones",
            "broken",
            "The time zone data is missing.",
            "Install Decorum again (it brings tzdata).",
        )


def _problems(facts: Facts) -> Iterable[Finding]:
    if facts.snapshot is not None:
        for problem in facts.snapshot.problems:
            yield Finding("agent's word", "attention", problem.sentence, problem.remedy)
