"""The judge: sighting x policy x circumstances x exemptions -> verdict.

Pure and total: whatever it is given, it answers with a reason and a next step. The agent calls it for what runs now, the
server for what a draft policy would have meant for what was reported.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from contract.capture import Capture
from contract.hours import HoursState
from contract.policy import RUNGS, Ownership, Policy, Profile, Rung, Stance, Texts
from contract.wire import Dated, Moment

VerdictState = Literal["compliant", "attention", "violation", "exempt", "pending", "unknowable"]
SEVERITY: tuple[VerdictState, ...] = (
    "compliant",
    "exempt",
    "pending",
    "unknowable",
    "attention",
    "violation",
)
"""Mildest first: the order in which verdicts are summed up to one state."""
ReasonCode = Literal[
    "no_policy",
    "unknown_messenger",
    "approved",
    "not_captured",
    "personal_only_at_work",
    "personal_allowed",
    "restricted_now",
    "restricted_free",
    "time_unknown",
    "banned",
    "exemption",
    "policy_expired",
]
NextStepCode = Literal[
    "nothing", "wait_for_policy", "use_instead", "close", "close_until_free", "ask_desk", "renew_policy"
]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged; None where the data is too coarse to say."""

    messenger: str | None
    name: str
    """The messenger's name for sentences."""
    listed: bool
    profile: Profile


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """All that bears on a verdict besides the subject and the policy."""

    at: datetime | None
    """An aware time in the device's own zone; None where it is not known or the clock is in doubt."""
    ownership: Ownership
    policy_expired: bool = False
    captured: Mapping[str, Capture] = msgspec.field(default_factory=dict)
    """Whether a messenger's messages are retained at work, and why not; one that is not named here is not captured."""
    highest_rung: Rung = "report"
    """What the device's own settings allow at most."""


class Exemption(Dated, frozen=True, kw_only=True):
    """A permission with a reason, an approver, a scope and an end."""

    id: str
    messenger: str
    profile: Literal["work", "personal"]
    reason: str
    approver: str
    starts: Moment
    ends: Moment


class Reason(msgspec.Struct, frozen=True):
    """Why, as a code for translation and as an English sentence."""

    code: ReasonCode
    sentence: str


class NextStep(msgspec.Struct, frozen=True):
    """What to do next; `instead` names the messengers to use."""

    code: NextStepCode
    sentence: str
    instead: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of one sighting."""

    state: VerdictState
    reasons: tuple[Reason, ...]
    rule: str
    """Id of the rule, `default-work`, `default-personal`, or `none` without a policy."""
    stance: Stance | None
    next_step: NextStep
    rung: Rung
    """How far this may go, after every limit."""
    text: Texts | None = None
    """The company's own words for the rule."""


class _Rule(msgspec.Struct, frozen=True):
    id: str
    stance: Stance
    rung: Rung
    text: Texts | None


_UNCONFIRMED = Capture(state="unknown")
_NOTHING = NextStep("nothing", "Nothing needs to be done.")


def judge(
    subject: Subject, policy: Policy | None, now: Circumstances, exemptions: Sequence[Exemption] = ()
) -> Verdict:
    """Return the verdict, always with at least one reason and a next step."""
    if policy is None:
        return Verdict(
            state="pending",
            reasons=(Reason("no_policy", "No policy has reached this device yet."),),
            rule="none",
            stance=None,
            next_step=NextStep("wait_for_policy", "Nothing to do; the policy arrives by itself."),
            rung="report",
        )
    if subject.messenger is None:
        return _unknowable_messenger(subject, policy)
    rule = rule_for(policy, subject.messenger, subject.profile)
    state, reason = _judge_stance(subject, policy, rule, now)
    next_step = _next_step(state, reason, policy)
    reasons: tuple[Reason, ...] = (reason,)
    exemption = _exemption_for(subject, exemptions, now.at)
    if exemption is not None and state in {"violation", "attention"}:
        until = f"{exemption.ends:%Y-%m-%d}"
        state = "exempt"
        reasons = (
            Reason("exemption", f"{exemption.approver} allowed it until {until}: {exemption.reason}."),
            reason,
        )
        next_step = NextStep("nothing", f"Nothing needs to be done until {until}.")
    elif now.policy_expired and state == "compliant":
        state = "attention"
        reasons = (Reason("policy_expired", "The policy on this device has expired."), reason)
        next_step = NextStep("renew_policy", "Connect to the company's network so that it can be renewed.")
    return Verdict(
        state=state,
        reasons=reasons,
        rule=rule.id,
        stance=rule.stance,
        next_step=next_step,
        rung=_limited_rung(rule.rung, subject, policy, now),
        text=rule.text,
    )


def rule_for(policy: Policy, messenger: str, profile: Profile) -> _Rule:
    """Return the rule that holds for a channel: the one naming it, or the profile's default."""
    side: Literal["work", "personal"] = "work" if profile == "work" else "personal"
    for rule in policy.channels:
        if rule.messenger == messenger and rule.profile == side:
            return _Rule(rule.id, rule.stance, rule.rung, rule.text)
    default = policy.defaults.work if side == "work" else policy.defaults.personal
    return _Rule(f"default-{side}", default.stance, default.rung, default.text)


def worst(states: Sequence[VerdictState]) -> VerdictState:
    """Sum verdicts up to one state; none at all is compliant."""
    return max(states, key=SEVERITY.index, default="compliant")


def _judge_stance(
    subject: Subject, policy: Policy, rule: _Rule, now: Circumstances
) -> tuple[VerdictState, Reason]:
    name, at_work = subject.name or "This messenger", subject.profile == "work"
    if rule.stance == "approved":
        capture = now.captured.get(subject.messenger or "", _UNCONFIRMED)
        if at_work and policy.capture_required and not capture.is_captured:
            return "attention", Reason("not_captured", f"{name} is approved, but {capture.why_not}.")
        return "compliant", Reason("approved", f"{name} is approved here.")
    if rule.stance == "personal_only":
        if at_work:
            return "violation", Reason("personal_only_at_work", f"{name} is for personal use only.")
        return "compliant", Reason("personal_allowed", f"{name} may be used personally.")
    if rule.stance == "banned":
        where = "for work" if at_work else "here"
        return "violation", Reason("banned", f"{name} may not be used {where}.")
    return _judge_restricted(name, policy, now.at)


def _judge_restricted(name: str, policy: Policy, at: datetime | None) -> tuple[VerdictState, Reason]:
    if at is None:
        return "unknowable", Reason(
            "time_unknown", f"{name} may be used outside office hours, and the time is not known for certain."
        )
    try:
        hours: HoursState = policy.office_hours.state(at)
    except (LookupError, ValueError, OSError, OverflowError):  # a zone unknown here, or the calendar's end
        return "unknowable", Reason(
            "time_unknown",
            f"{name} may be used outside office hours, and this device cannot tell them in the zone "
            f"{policy.office_hours.time_zone}.",
        )
    if hours == "office_hours":
        return "violation", Reason(
            "restricted_now", f"{name} may be used in breaks and outside office hours only."
        )
    when = "in breaks" if hours == "break" else "outside office hours"
    return "compliant", Reason("restricted_free", f"{name} may be used {when}.")


def _next_step(state: VerdictState, reason: Reason, policy: Policy) -> NextStep:
    if state == "compliant":
        return _NOTHING
    if state == "unknowable":
        return NextStep("nothing", "Nothing needs to be done until the time is certain.")
    if reason.code == "not_captured":
        return NextStep("ask_desk", f"Ask {policy.contacts.questions} whether retention works.")
    if reason.code == "restricted_now":
        return NextStep("close_until_free", "Close it until the next break.", policy.use_instead)
    if policy.use_instead:
        return NextStep("use_instead", "Continue in an approved messenger.", policy.use_instead)
    return NextStep("close", f"Close it, or ask {policy.contacts.approvals} for an exemption.")


def _unknowable_messenger(subject: Subject, policy: Policy) -> Verdict:
    """Judge a report that says only that some messenger was used."""
    rule = rule_for(policy, "", subject.profile)
    return Verdict(
        state="unknowable",
        reasons=(Reason("unknown_messenger", "The report does not say which messenger it was."),),
        rule=rule.id,
        stance=None,
        next_step=NextStep("nothing", "Nothing can be said without knowing more."),
        rung="report",
    )


def _exemption_for(
    subject: Subject, exemptions: Sequence[Exemption], at: datetime | None
) -> Exemption | None:
    side = "work" if subject.profile == "work" else "personal"
    for exemption in exemptions:
        if (exemption.messenger, exemption.profile) != (subject.messenger, side):
            continue
        # On a clock in doubt nothing expires, so a permission goes on.
        if at is None or exemption.starts <= at < exemption.ends:
            return exemption
    return None


def _limited_rung(rung: Rung, subject: Subject, policy: Policy, now: Circumstances) -> Rung:
    """Apply every limit on enforcement; a rung is never raised."""
    gentle = (
        (now.ownership == "personal" and subject.profile != "work")
        or now.policy_expired
        or now.at is None
        or (not subject.listed and not policy.enforce_unlisted)
    )
    limits: list[Rung] = [rung, now.highest_rung]
    if gentle:
        limits.append("remind")
    return min(limits, key=RUNGS.index)
