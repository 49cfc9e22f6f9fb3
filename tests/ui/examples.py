"""Realistic things that an agent says, for tests and for the pictures in the guides."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contract.judge import NextStep, Reason
from contract.local import (
    DisclosurePage,
    LedgerRow,
    MessengerRow,
    PolicyPage,
    Reminder,
    Section,
    Snapshot,
)

NOW = datetime(2026, 11, 23, 12, 4, 31, tzinfo=UTC)
"""A Monday."""
WORK_REASON = "The device belongs to the company, so everything on it is work."


def identity(number: int) -> str:
    """Return the number as a sighting's or reminder's identity."""
    return f"{number:032x}"


def messenger(name: str = "Slack", **changes: Any) -> MessengerRow:
    """Return a messenger that is in line, with changes."""
    row = MessengerRow(
        sighting=identity(sum(name.encode())),
        messenger=name.lower().replace(" ", "-"),
        name=name,
        listed=True,
        profile="work",
        profile_reason=WORK_REASON,
        stance="approved",
        verdict="compliant",
        reasons=(Reason("approved", f"{name} is approved here."),),
        rule=f"{name.lower().replace(' ', '-')}-at-work",
        rule_text=None,
        since=NOW - timedelta(hours=3, minutes=20),
        judged_since=NOW - timedelta(hours=3, minutes=20),
        next_step=NextStep("nothing", "Nothing needs to be done."),
        instead_names=(),
        captured=False,
        reported="exact",
        pid=4711,
    )
    return msgspec.structs.replace(row, **changes)


def not_in_line(name: str = "Telegram", **changes: Any) -> MessengerRow:
    """Return a messenger that the policy keeps for personal use, open at work."""
    told: dict[str, Any] = {
        "stance": "personal_only",
        "verdict": "violation",
        "reasons": (Reason("personal_only_at_work", f"{name} is for personal use only."),),
        "rule_text": "Clients are served in channels whose messages are retained.",
        "since": NOW - timedelta(minutes=12),
        "judged_since": NOW - timedelta(minutes=12),
        "next_step": NextStep("use_instead", "Continue in an approved messenger.", ("teams",)),
        "instead_names": ("Microsoft Teams",),
    }
    return messenger(name, **(told | changes))


def snapshot(*messengers: MessengerRow, **changes: Any) -> Snapshot:
    """Return what the agent of an enrolled company device says, with changes; the state follows from the messengers."""
    states = {row.verdict for row in messengers}
    state = next((one for one in ("violation", "attention", "exempt") if one in states), "compliant")
    told: dict[str, Any] = {
        "at": NOW,
        "state": state,
        "enrolled": True,
        "ownership": "company",
        "company": "Acme",
        "policy_title": "Messaging policy",
        "policy_version": 4,
        "policy_serial": 12,
        "policy_expired": False,
        "server": "reachable",
        "last_contact": NOW - timedelta(seconds=20),
        "waiting": 0,
        "notice_due": False,
        "messengers": messengers,
        "questions_contact": "Compliance desk, extension 4400",
    }
    return Snapshot(**(told | changes))


def in_line() -> Snapshot:
    """Return the picture of a device on which all is in line."""
    return snapshot(messenger("Microsoft Teams"), messenger("Slack"))


def with_violation(**changes: Any) -> Snapshot:
    """Return the picture of a device with one messenger that is not in line."""
    return snapshot(not_in_line(), messenger("Microsoft Teams"), messenger("Slack"), **changes)


def not_enrolled() -> Snapshot:
    """Return the picture of a device that no server knows."""
    return snapshot(
        messenger("Slack", stance=None, verdict="pending", rule="none"),
        state="pending",
        enrolled=False,
        company=None,
        policy_title=None,
        policy_version=None,
        policy_serial=0,
        server="not_enrolled",
        last_contact=None,
        questions_contact=None,
    )


def reminder(number: int = 1, **changes: Any) -> Reminder:
    """Return the reminder about `not_in_line()`, with changes."""
    told: dict[str, Any] = {
        "reminder": identity(number),
        "sighting": not_in_line().sighting,
        "title": "Please continue in Microsoft Teams",
        "sentence": "Telegram is for personal use only.",
        "conduct": "Write at work as you would want to read it aloud. Client matters belong where they are retained.",
        "instead_names": ("Microsoft Teams",),
        "rule": "telegram-at-work",
        "rule_text": "Clients are served in channels whose messages are retained.",
        "language": "en",
        "text_digest": "0" * 64,
        "policy_serial": 12,
        "at": NOW,
    }
    return Reminder(**(told | changes))


def policy() -> PolicyPage:
    """Return a policy as people read it."""
    return PolicyPage(
        title="Messaging policy",
        version=4,
        serial=12,
        expires=NOW + timedelta(days=90),
        sections=(
            Section(
                "Where this holds",
                (
                    "This policy holds for messaging on equipment of Acme and on personal equipment used for work.",
                    "It extends to messaging: Electronic communication policy (https://intranet.acme.example/ecp).",
                ),
            ),
            Section(
                "Messengers for work",
                (
                    "Microsoft Teams may be used.",
                    "Slack may be used.",
                    "Telegram may be used personally, never for work. Clients are served in channels whose messages are retained.",
                    "Every other messenger, known or not yet known, may not be used.",
                    "Use Microsoft Teams instead.",
                    "Messages in Microsoft Teams are retained by Teams export.",
                ),
            ),
            Section(
                "Personal messengers",
                (
                    "Every other messenger, known or not yet known, may be used in breaks and outside office hours only.",
                ),
            ),
            Section(
                "Office hours",
                (
                    "Office hours: Monday, Tuesday, Wednesday, Thursday and Friday, 09:00 to 17:30.",
                    "Break: Monday, Tuesday, Wednesday, Thursday and Friday, 12:30 to 13:30.",
                    "Times are in Europe/Berlin.",
                ),
            ),
            Section("Conduct", (reminder().conduct,)),
            Section(
                "How long things are kept",
                (
                    "Business records are kept for at least 180 days.",
                    "Acme keeps what Decorum reports about a person for 30 days at most.",
                ),
            ),
            Section("Whom to ask", ("Questions: Compliance desk, extension 4400.",)),
        ),
    )


def disclosure(**changes: Any) -> DisclosurePage:
    """Return what holds for a company device, with changes."""
    told: dict[str, Any] = {
        "ownership": "company",
        "work": "exact",
        "personal": "nothing",
        "unknown": "nothing",
        "notice_due": False,
        "retention_days": 30,
    }
    return DisclosurePage(**(told | changes))


def ledger_row(number: int, **changes: Any) -> LedgerRow:
    """Return a line that was sent and received, with changes."""
    told: dict[str, Any] = {
        "number": number,
        "type": "sighting",
        "sentence": "Telegram was started on the work side on 2026-11-23 at 11:52; not in line with the policy.",
        "literal": '{"at":"2026-11-23T11:52:07Z","day":"2026-11-23","detail":"exact","listed":true,"messenger":"telegram",'
        '"name":"Telegram","policy_serial":12,"profile":"work","rule":"telegram-at-work",'
        '"sighting":"7d0f5c2e9b1a4d6f8e3c2b1a0f9e8d7c","transition":"started","type":"sighting","verdict":"violation"}',
        "first_attempt": NOW - timedelta(minutes=11, seconds=number),
        "attempts": 1,
        "acknowledged": NOW - timedelta(minutes=11, seconds=number - 1),
    }
    return LedgerRow(**(told | changes))
