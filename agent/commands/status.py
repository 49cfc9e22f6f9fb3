"""`decorum status`: whether this device is in line, what to do, and what runs."""

import argparse
import os
from collections.abc import Iterable
from datetime import datetime

from agent.catalogue import in_words
from agent.commands import exits
from agent.commands.printing import print_json
from agent.localapi.client import LocalClient
from contract.judge import VerdictState
from contract.local import MessengerRow, Nothing, Snapshot, UnretainedRow

WORDS: dict[VerdictState, str] = {
    "compliant": "in line",
    "attention": "needs attention",
    "violation": "not in line",
    "exempt": "exempt",
    "pending": "waiting for the policy",
    "unknowable": "cannot be told yet",
}
_SENTENCES: dict[VerdictState, str] = {
    "compliant": "You are in line with the policy.",
    "exempt": "You are in line with the policy; an exemption holds.",
    "attention": "Something needs your attention.",
    "violation": "Something is not in line with the policy.",
    "pending": "No policy has reached this device yet.",
    "unknowable": "It cannot be told yet whether all is in line.",
}
_REPORTED = {
    "nothing": "not reported",
    "count": "counted: how many on a day only",
    "kind": "reported: the kind only",
    "name": "reported: name and day",
    "hour": "reported: name and hour",
    "exact": "reported: name and time",
}
_SERVER = {
    "connecting": "The server has not answered yet.",
    "unreachable": "The server cannot be reached; reports wait here.",
    "refused": "The server refused this device.",
}


def execute(arguments: argparse.Namespace) -> int:
    """Ask the agent and print."""
    with LocalClient(arguments.socket, os.environ) as client:
        snapshot = client.ask("status", Nothing(), Snapshot)
    if arguments.json:
        print_json(snapshot)
    else:
        print("\n".join(lines(snapshot)))
    return exits.for_state(snapshot.state) if snapshot.enrolled else exits.NOT_ENROLLED


def lines(snapshot: Snapshot) -> Iterable[str]:
    """Yield the lines for people."""
    if not snapshot.enrolled:
        yield "This device is not enrolled; nothing leaves it. Run `decorum enrol`."
    else:
        yield _SENTENCES[snapshot.state]
        yield f"  {_whose(snapshot)}"
    if snapshot.catalogue is not None:
        yield f"  {in_words(snapshot.catalogue, snapshot.company)}"
    if snapshot.notice_due:
        yield "  You have not been shown yet what Decorum sees; until then only a sign of life leaves."
    if snapshot.server in _SERVER:
        yield f"  {_SERVER[snapshot.server]}"
    yield from (f"  {sentence}" for sentence in snapshot.not_granted)
    todo = tuple(_to_do(snapshot))
    if todo:
        yield "\nTo do"
        yield from todo
    if snapshot.messengers:
        yield "\nMessengers here"
        for row in snapshot.messengers:
            captured = ", captured" if row.captured else ""
            yield f"  {row.name} ({row.profile}): {WORDS[row.verdict]}{captured}, {_REPORTED[row.reported]}"
            yield from (f"    {sentence}" for sentence in row.pages)
    for problem in snapshot.problems:
        yield f"\n{problem.sentence}\n  {problem.remedy}"


def _to_do(snapshot: Snapshot) -> Iterable[str]:
    for row in snapshot.messengers:
        if row.verdict in {"violation", "attention"}:
            yield from _todo(row, snapshot.at)
    for files in snapshot.unretained:
        yield from _about_files(files, snapshot)


def _whose(snapshot: Snapshot) -> str:
    parts = [snapshot.company or ""]
    if snapshot.policy_title is not None:
        parts.append(f"{snapshot.policy_title} {snapshot.policy_version}")
    if snapshot.policy_expired:
        parts.append("expired")
    if snapshot.last_contact is not None:
        parts.append(f"checked {_clock(snapshot.last_contact, snapshot.at)}")
    return " · ".join(parts)


def _todo(row: MessengerRow, now: datetime) -> Iterable[str]:
    yield f"  {row.reasons[0].sentence}"
    step = row.next_step.sentence
    if row.instead_names:
        instead = f"Continue in {' or '.join(row.instead_names)}."
        step = instead if row.next_step.code == "use_instead" else f"{instead} {step}"
    yield f"    Open since {_clock(row.since, now)} · rule: {row.rule}"
    yield f"    {step}"


def _about_files(row: UnretainedRow, snapshot: Snapshot) -> Iterable[str]:
    yield f"  {'One file' if row.files == 1 else f'{row.files:,} files'} for work, saved from {row.name}, retained nowhere."
    if snapshot.can_hand_over:
        yield "    Run `decorum hand-over`, and the company keeps it as its record."
    else:
        yield f"    Ask {snapshot.questions_contact or 'your administrator'} how such files are to be kept."


def _clock(moment: datetime, now: datetime) -> str:
    local, today = moment.astimezone(), now.astimezone().date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"
