"""The judge is pure and total: every sighting under every valid policy gets a verdict, a reason and a next step."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contract import wire
from contract.capture import Capture
from contract.hours import DAYS, Interval, OfficeHours
from contract.judge import (
    SEVERITY,
    Circumstances,
    Exemption,
    Subject,
    Verdict,
    VerdictState,
    judge,
    rule_for,
    worst,
)
from contract.policy import RUNGS, Policy, Profile, Rung, Stance, parse
from tests.contract.strategies import circumstances, exemptions, ruling_policies, subjects

known_subjects = subjects.filter(lambda subject: subject.messenger is not None)
any_policy = st.none() | ruling_policies()


def at_most(rung: Rung, limit: Rung) -> bool:
    return RUNGS.index(rung) <= RUNGS.index(limit)


@settings(max_examples=200)
@given(subjects, any_policy, circumstances, exemptions)
def test_every_sighting_under_every_policy_gets_a_verdict_a_reason_and_a_next_step(
    subject: Subject, policy: Policy | None, now: Circumstances, permissions: list[Exemption]
) -> None:
    verdict = judge(subject, policy, now, permissions)
    assert verdict.reasons
    assert all(reason.sentence[0].isupper() or subject.name in reason.sentence for reason in verdict.reasons)
    assert all(reason.sentence.endswith(".") for reason in verdict.reasons)
    assert verdict.next_step.sentence.endswith(".")
    # Decoding proves that every word is one of those agreed upon.
    assert wire.decode(Verdict, wire.encode(verdict), limit_bytes=10**6) == verdict


@given(subjects, any_policy, circumstances, exemptions)
def test_the_same_question_gets_the_same_answer_and_nothing_is_changed(
    subject: Subject, policy: Policy | None, now: Circumstances, permissions: list[Exemption]
) -> None:
    before = [wire.encode(value) for value in (subject, policy, now, permissions)]
    assert judge(subject, policy, now, permissions) == judge(subject, policy, now, tuple(permissions))
    assert [wire.encode(value) for value in (subject, policy, now, permissions)] == before


@settings(max_examples=200)
@given(known_subjects, ruling_policies(), circumstances, exemptions)
def test_no_exemption_makes_a_verdict_worse_or_goes_further(
    subject: Subject, policy: Policy, now: Circumstances, permissions: list[Exemption]
) -> None:
    without = judge(subject, policy, now)
    for number in range(len(permissions) + 1):
        verdict = judge(subject, policy, now, permissions[:number])
        assert SEVERITY.index(verdict.state) <= SEVERITY.index(without.state)
        assert at_most(verdict.rung, without.rung)
        assert verdict.rule == without.rule


@given(known_subjects, ruling_policies(), circumstances, exemptions, st.randoms(use_true_random=False))
def test_the_order_of_exemptions_decides_nothing(
    subject: Subject, policy: Policy, now: Circumstances, permissions: list[Exemption], chance: object
) -> None:
    shuffled = sorted(permissions, key=lambda _: chance.random())  # type: ignore[attr-defined]  # a random.Random
    verdict, other = judge(subject, policy, now, permissions), judge(subject, policy, now, shuffled)
    assert (verdict.state, verdict.rung, verdict.rule) == (other.state, other.rung, other.rule)


@settings(max_examples=200)
@given(known_subjects, ruling_policies(), circumstances)
def test_a_rung_never_goes_above_any_limit(subject: Subject, policy: Policy, now: Circumstances) -> None:
    assert subject.messenger is not None
    rung = judge(subject, policy, now).rung
    assert at_most(rung, rule_for(policy, subject.messenger, subject.profile).rung)
    assert at_most(rung, now.highest_rung)
    if now.ownership == "personal" and subject.profile != "work":
        assert at_most(rung, "remind")
    if now.policy_expired or now.at is None:
        assert at_most(rung, "remind")
    if not subject.listed and not policy.enforce_unlisted:
        assert at_most(rung, "remind")


@given(st.sampled_from(RUNGS), st.sampled_from(RUNGS), st.booleans())
def test_without_a_reason_for_gentleness_a_rung_is_what_rule_and_device_allow(
    rule: Rung, device: Rung, listed: object
) -> None:
    text = POLICY.replace('rung = "close"', f'rung = "{rule}"') + "\nenforce_unlisted = true\n"
    subject = msgspec.structs.replace(TELEGRAM, listed=listed)
    now = msgspec.structs.replace(MONDAY, highest_rung=device)
    assert judge(subject, parse(text), now).rung == min(rule, device, key=RUNGS.index)


@settings(max_examples=200)
@given(known_subjects, ruling_policies(), circumstances, exemptions)
def test_an_unknown_profile_is_judged_exactly_as_a_personal_one(
    subject: Subject, policy: Policy, now: Circumstances, permissions: list[Exemption]
) -> None:
    unknown = msgspec.structs.replace(subject, profile="unknown")
    personal = msgspec.structs.replace(subject, profile="personal")
    assert judge(unknown, policy, now, permissions) == judge(personal, policy, now, permissions)


@settings(max_examples=200)
@given(subjects, ruling_policies(), circumstances, exemptions)
def test_listed_and_unlisted_messengers_are_judged_alike(
    subject: Subject, policy: Policy, now: Circumstances, permissions: list[Exemption]
) -> None:
    listed = judge(msgspec.structs.replace(subject, listed=True), policy, now, permissions)
    unlisted = judge(msgspec.structs.replace(subject, listed=False), policy, now, permissions)
    assert msgspec.structs.replace(unlisted, rung=listed.rung) == listed
    assert at_most(unlisted.rung, listed.rung)


@given(st.sampled_from(get_args(Profile)), ruling_policies(), circumstances, st.text(max_size=20))
def test_a_messenger_not_yet_invented_falls_under_the_default_of_its_side(
    profile: Profile, policy: Policy, now: Circumstances, key: str
) -> None:
    new = Subject(messenger=f"unlisted:new{key}", name="New", listed=False, profile=profile)
    verdict = judge(new, policy, now)
    side = "work" if profile == "work" else "personal"
    default = getattr(policy.defaults, side)
    assert (verdict.rule, verdict.stance) == (f"default-{side}", default.stance)
    # No rule names this one either, so it cannot be told apart from a listed messenger without a rule.
    named = {rule.messenger for rule in policy.channels}
    assume("telegram" not in named)
    other = judge(msgspec.structs.replace(TELEGRAM, profile=profile), policy, now)
    captured_differs = policy.capture_required and now.captured.keys() & {"telegram", new.messenger}
    assert other.state == verdict.state or captured_differs


@given(subjects, ruling_policies(), circumstances, exemptions)
def test_under_an_expired_policy_nothing_counts_as_in_line(
    subject: Subject, policy: Policy, now: Circumstances, permissions: list[Exemption]
) -> None:
    expired = judge(subject, policy, msgspec.structs.replace(now, policy_expired=True), permissions)
    valid = judge(subject, policy, msgspec.structs.replace(now, policy_expired=False), permissions)
    assert expired.state != "compliant"
    if valid.state == "compliant":
        assert expired.state == "attention"
        assert {reason.code for reason in expired.reasons} > {"policy_expired"}
        assert expired.next_step.code == "renew_policy"
    else:
        assert expired.state == valid.state


@given(subjects, circumstances, exemptions)
def test_without_a_policy_everything_is_pending_and_nothing_is_done(
    subject: Subject, now: Circumstances, permissions: list[Exemption]
) -> None:
    verdict = judge(subject, None, now, permissions)
    assert (verdict.state, verdict.rung, verdict.rule, verdict.stance) == ("pending", "report", "none", None)
    assert verdict.next_step.code == "wait_for_policy"


@given(subjects, ruling_policies(), circumstances, exemptions)
def test_a_report_without_a_name_is_never_held_against_anybody(
    subject: Subject, policy: Policy, now: Circumstances, permissions: list[Exemption]
) -> None:
    coarse = msgspec.structs.replace(subject, messenger=None)
    verdict = judge(coarse, policy, now, permissions)
    assert (verdict.state, verdict.rung) == ("unknowable", "report")


POLICY = """
id = "messaging"
company = "Acme"
model = "restrict"
version = 1
title.en = "Messaging"
use_instead = ["microsoft-teams"]
capture_required = true
defaults.work = { stance = "banned", text.en = "Not here." }
defaults.personal = { stance = "approved" }
reminders.conduct.en = "Be kind."
contacts = { questions = "the IT desk", concerns = "HR", approvals = "Compliance" }
office_hours.time_zone = "UTC"
office_hours.work = [{ days = ["mon"], start = "09:00", end = "17:00" }]
office_hours.breaks = [{ days = ["mon"], start = "12:00", end = "13:00" }]
channels = [
  { id = "teams", messenger = "microsoft-teams", profile = "work", stance = "approved" },
  { id = "telegram", messenger = "telegram", profile = "work", stance = "STANCE", rung = "close" },
  { id = "telegram-too", messenger = "telegram", profile = "personal", stance = "STANCE", rung = "close" },
]
""".replace("STANCE", "banned")
TELEGRAM = Subject(messenger="telegram", name="Telegram", listed=True, profile="work")
MONDAY = Circumstances(at=datetime(2026, 3, 2, 10, tzinfo=UTC), ownership="company", highest_rung="close")
OFFICE, BREAK, EVENING = (datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (10, 12, 18))


def with_stance(stance: Stance) -> Policy:
    policy = parse(POLICY)
    rules = tuple(
        msgspec.structs.replace(rule, stance=stance) if rule.messenger == "telegram" else rule
        for rule in policy.channels
    )
    return msgspec.structs.replace(policy, channels=rules, capture_required=False)


@pytest.mark.parametrize(
    ("stance", "profile", "at", "state", "reason", "step"),
    [
        ("approved", "work", OFFICE, "compliant", "approved", "nothing"),
        ("approved", "personal", OFFICE, "compliant", "approved", "nothing"),
        ("personal_only", "work", EVENING, "violation", "personal_only_at_work", "use_instead"),
        ("personal_only", "personal", OFFICE, "compliant", "personal_allowed", "nothing"),
        ("restricted", "work", OFFICE, "violation", "restricted_now", "close_until_free"),
        ("restricted", "work", BREAK, "compliant", "restricted_free", "nothing"),
        ("restricted", "work", EVENING, "compliant", "restricted_free", "nothing"),
        ("restricted", "work", None, "unknowable", "time_unknown", "nothing"),
        ("restricted", "personal", OFFICE, "violation", "restricted_now", "close_until_free"),
        ("restricted", "unknown", BREAK, "compliant", "restricted_free", "nothing"),
        ("banned", "work", EVENING, "violation", "banned", "use_instead"),
        ("banned", "personal", None, "violation", "banned", "use_instead"),
    ],
)
def test_each_stance_means_what_the_policy_says(
    stance: Stance, profile: Profile, at: datetime | None, state: str, reason: str, step: str
) -> None:
    now = msgspec.structs.replace(MONDAY, at=at)
    verdict = judge(msgspec.structs.replace(TELEGRAM, profile=profile), with_stance(stance), now)
    assert (verdict.state, verdict.reasons[0].code, verdict.next_step.code) == (state, reason, step)
    assert verdict.stance == stance
    assert verdict.rule == ("telegram" if profile == "work" else "telegram-too")


def test_an_approved_work_channel_that_is_not_captured_needs_attention() -> None:
    teams = Subject(messenger="microsoft-teams", name="Teams", listed=True, profile="work")
    silent = judge(teams, parse(POLICY), MONDAY)
    assert (silent.state, silent.reasons[0].code, silent.next_step.code) == (
        "attention",
        "not_captured",
        "ask_desk",
    )
    assert "the IT desk" in silent.next_step.sentence
    captured = Capture(state="captured", connector="Purview")
    heard = msgspec.structs.replace(MONDAY, captured={"microsoft-teams": captured})
    assert judge(teams, parse(POLICY), heard).state == "compliant"
    other_heard = msgspec.structs.replace(MONDAY, captured={"telegram": captured})
    assert judge(teams, parse(POLICY), other_heard).state == "attention"


def test_the_reason_says_which_connector_was_last_heard_and_when() -> None:
    teams = Subject(messenger="microsoft-teams", name="Teams", listed=True, profile="work")
    at = datetime(2026, 2, 20, 10, 15, tzinfo=UTC)
    silent = Capture(state="silent", connector="LeapXpert", heard_at=at)
    now = msgspec.structs.replace(MONDAY, captured={"microsoft-teams": silent})
    verdict = judge(teams, parse(POLICY), now)
    assert (verdict.state, verdict.reasons[0].code) == ("attention", "not_captured")
    assert verdict.reasons[0].sentence == (
        "Teams is approved, but LeapXpert, which retains its messages, was last heard from on 2026-02-20 at 10:15."
    )


def test_capture_is_asked_for_at_work_only() -> None:
    own = Subject(messenger="microsoft-teams", name="Teams", listed=True, profile="personal")
    assert parse(POLICY).capture_required
    assert judge(own, parse(POLICY), MONDAY).state == "compliant"


def test_an_exemption_also_covers_what_only_needs_attention() -> None:
    teams = Subject(messenger="microsoft-teams", name="Teams", listed=True, profile="work")
    verdict = judge(teams, parse(POLICY), MONDAY, [exemption(messenger="microsoft-teams")])
    assert [reason.code for reason in verdict.reasons] == ["exemption", "not_captured"]
    assert verdict.state == "exempt"


def test_a_messenger_that_nobody_has_reviewed_is_never_closed_unless_the_policy_says_so() -> None:
    unlisted = msgspec.structs.replace(TELEGRAM, listed=False)
    assert judge(unlisted, parse(POLICY), MONDAY).rung == "remind"
    enforcing = msgspec.structs.replace(parse(POLICY), enforce_unlisted=True)
    assert judge(unlisted, enforcing, MONDAY).rung == "close"


def test_the_words_of_the_company_go_with_the_rule() -> None:
    zoom = Subject(messenger="zoom", name="Zoom", listed=True, profile="work")
    verdict = judge(zoom, parse(POLICY), MONDAY)
    assert verdict.text == {"en": "Not here."}
    assert verdict.next_step.instead == ("microsoft-teams",)
    assert judge(TELEGRAM, parse(POLICY), MONDAY).text is None


def test_without_anything_to_offer_one_is_told_whom_to_ask() -> None:
    alone = msgspec.structs.replace(parse(POLICY), use_instead=())
    step = judge(TELEGRAM, alone, MONDAY).next_step
    assert (step.code, step.instead) == ("close", ())
    assert "Compliance" in step.sentence


def exemption(**changes: object) -> Exemption:
    permission = Exemption(
        id="e1",
        messenger="telegram",
        profile="work",
        reason="a client insists",
        approver="Compliance",
        starts=OFFICE,
        ends=OFFICE + timedelta(days=30),
    )
    return msgspec.structs.replace(permission, **changes)


@pytest.mark.parametrize(
    ("permission", "at", "state"),
    [
        (exemption(), OFFICE, "exempt"),
        (exemption(), OFFICE - timedelta(microseconds=1), "violation"),
        (exemption(), OFFICE + timedelta(days=30), "violation"),
        (exemption(), OFFICE + timedelta(days=30) - timedelta(microseconds=1), "exempt"),
        (exemption(), None, "exempt"),
        (exemption(messenger="slack"), OFFICE, "violation"),
        (exemption(profile="personal"), OFFICE, "violation"),
    ],
)
def test_an_exemption_holds_for_its_channel_from_its_start_until_before_its_end(
    permission: Exemption, at: datetime | None, state: str
) -> None:
    verdict = judge(TELEGRAM, parse(POLICY), msgspec.structs.replace(MONDAY, at=at), [permission])
    assert verdict.state == state
    if state == "exempt":
        assert [reason.code for reason in verdict.reasons] == ["exemption", "banned"]
        assert "Compliance allowed it until 2026-04-01: a client insists." in verdict.reasons[0].sentence
        assert verdict.next_step.code == "nothing"


def test_an_exemption_for_the_personal_side_holds_for_an_unknown_one() -> None:
    unknown = msgspec.structs.replace(TELEGRAM, profile="unknown")
    assert judge(unknown, parse(POLICY), MONDAY, [exemption(profile="personal")]).state == "exempt"


def test_what_is_allowed_anyway_is_not_called_an_exemption() -> None:
    assert judge(TELEGRAM, with_stance("approved"), MONDAY, [exemption()]).state == "compliant"


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        ({}, "close"),
        ({"policy_expired": True}, "remind"),
        ({"at": None}, "remind"),
        ({"ownership": "personal"}, "close"),
        ({"highest_rung": "ask_to_close"}, "ask_to_close"),
        ({"highest_rung": "report", "at": None}, "report"),
    ],
)
def test_every_doubt_makes_enforcement_gentler(change: dict[str, object], limit: str) -> None:
    assert judge(TELEGRAM, parse(POLICY), msgspec.structs.replace(MONDAY, **change)).rung == limit


@pytest.mark.parametrize("profile", ["personal", "unknown"])
def test_on_ones_own_device_ones_own_side_is_reminded_of_at_most(profile: Profile) -> None:
    own = msgspec.structs.replace(MONDAY, ownership="personal")
    subject = msgspec.structs.replace(TELEGRAM, profile=profile)
    assert judge(subject, parse(POLICY), own).rung == "remind"
    assert judge(subject, parse(POLICY), MONDAY).rung == "close"


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("zone", ["UTC", "local", "Asia/Kathmandu", "America/New_York"])
def test_the_ends_of_the_calendar_are_judged_too(at: datetime, zone: str) -> None:
    policy = with_stance("restricted")
    always = Interval(days=DAYS, start="12:00", end="11:00")
    hours = msgspec.structs.replace(policy.office_hours, time_zone=zone, work=(always,))
    verdict = judge(
        TELEGRAM, msgspec.structs.replace(policy, office_hours=hours), msgspec.structs.replace(MONDAY, at=at)
    )
    assert verdict.state in {"unknowable", "violation", "compliant"}


def test_in_a_zone_that_this_device_does_not_know_nothing_is_held_against_anybody() -> None:
    hours = OfficeHours(time_zone="Mars/Olympus_Mons", work=parse(POLICY).office_hours.work)
    policy = msgspec.structs.replace(with_stance("restricted"), office_hours=hours)
    verdict = judge(TELEGRAM, policy, MONDAY)
    assert (verdict.state, verdict.reasons[0].code) == ("unknowable", "time_unknown")
    assert "Mars/Olympus_Mons" in verdict.reasons[0].sentence


def test_a_messenger_without_a_name_is_still_spoken_of() -> None:
    nameless = msgspec.structs.replace(TELEGRAM, name="")
    assert (
        judge(nameless, parse(POLICY), MONDAY).reasons[0].sentence
        == "This messenger may not be used for work."
    )


def test_the_worst_verdict_stands_for_all_and_none_at_all_is_in_line() -> None:
    assert set(SEVERITY) == set(get_args(VerdictState))
    assert SEVERITY.index("exempt") < SEVERITY.index("attention") < SEVERITY.index("violation")
    assert worst([]) == "compliant"
    assert worst(["exempt", "violation", "attention"]) == "violation"
    assert worst(["compliant", "pending", "exempt"]) == "pending"


@given(st.lists(st.sampled_from(SEVERITY), min_size=1))
def test_one_more_messenger_never_makes_the_state_better(states: list[VerdictState]) -> None:
    assert SEVERITY.index(worst(states)) >= SEVERITY.index(worst(states[:-1]))
