"""When a person is told, and in which words. Pure: what was shown before, and the time, are arguments.

One budget for the whole day; the same channel is not mentioned again too soon; a deferred reminder comes back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from agent.compliance import Sighting
from contract import wire
from contract.catalogue import Catalogue
from contract.local import Reminder
from contract.messages import PolicyBundle
from contract.policy import RUNGS, Policy, Profile

DEFERRAL = timedelta(hours=1)
"""How long `Remind me later` is."""
Outcome = Literal["shown", "acknowledged", "deferred", "expired"]


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder that was made."""

    reminder: Reminder
    uid: int
    channel: str
    profile: Profile
    made: datetime
    outcome: Outcome | None
    """None while it was not shown yet."""
    answered: datetime | None


def is_due(sighting: Sighting, policy: Policy, past: Sequence[Past], now: datetime) -> bool:
    """Tell whether a person should be told about a sighting now.

    Args:
        sighting: what runs.
        policy: the policy in force.
        past: this user's reminders of the last weeks, in any order.
        now: an aware time.
    """
    verdict = sighting.verdict
    if verdict.state != "violation" or RUNGS.index(verdict.rung) < RUNGS.index("remind"):
        return False
    today = [one for one in past if now - one.made < timedelta(days=1)]
    if len(today) >= policy.reminders.a_day_at_most:
        return False
    channel = [one for one in past if one.channel == sighting.channel]
    return all(_is_over(one, policy, now) for one in channel)


def _is_over(past: Past, policy: Policy, now: datetime) -> bool:
    """Tell whether an earlier reminder about the channel no longer stands in the way."""
    if past.outcome == "deferred" and past.answered is not None:
        return now - past.answered >= DEFERRAL
    return now - past.made >= timedelta(minutes=policy.reminders.again_after_minutes)


def compose(
    sighting: Sighting, bundle: PolicyBundle, catalogue: Catalogue, new_id: str, now: datetime
) -> Reminder:
    """Return the reminder's words, in the policy's own language, with the digest that its receipt will carry."""
    policy, verdict = bundle.policy, sighting.verdict
    instead = tuple(catalogue.name_of(one) for one in verdict.next_step.instead)
    title = f"Please continue in {instead[0]}" if instead else f"Please close {sighting.match.name}"
    rule_text = policy.text(verdict.text, policy.language) if verdict.text else None
    reminder = Reminder(
        reminder=new_id,
        sighting=sighting.id,
        title=title,
        sentence=verdict.reasons[0].sentence,
        conduct=policy.text(policy.reminders.conduct, policy.language),
        instead_names=instead,
        rule=verdict.rule,
        rule_text=rule_text,
        language=policy.language,
        text_digest="",
        policy_serial=bundle.serial,
        at=now,
    )
    shown = [reminder.title, reminder.sentence, reminder.conduct, reminder.rule_text]
    return msgspec.structs.replace(reminder, text_digest=wire.digest(wire.encode(shown)))
