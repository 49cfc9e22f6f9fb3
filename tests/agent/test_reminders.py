"""When a person is told, and in which words: few, never too soon again, and exactly what the receipt will prove."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agent.compliance import Sighting
from agent.profiles import Side
from agent.reminders import DEFERRAL, Outcome, Past, compose, is_due
from agent.sensing.process_source import ProcessKey
from contract import catalogue, wire
from contract.evidence import Match
from contract.judge import NextStep, Reason, Verdict, VerdictState
from contract.messages import PolicyBundle
from contract.policy import Policy, Reminders, Rung
from tests.fakes.device import policy

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NAMES = catalogue.parse(
    {
        "a.toml": '[teams]\nname = "Microsoft Teams"\nmaker = "M"\nkind = "business"\nseen = [["linux", "x", { executable = "t" }]]'
    }
)


def sighting(
    state: VerdictState = "violation",
    rung: Rung = "remind",
    messenger: str = "telegram",
    instead: tuple[str, ...] = (),
) -> Sighting:
    return Sighting(
        id="5" * 32,
        match=Match(messenger=messenger, name=messenger.title(), listed=True, confidence=1.0, evidence=()),
        side=Side("work", "a test"),
        uid=1000,
        processes=(ProcessKey(10, 1.0),),
        started=NOW,
        verdict=Verdict(
            state=state,
            reasons=(Reason("banned", "Telegram may not be used for work."),),
            rule="no-telegram",
            stance="banned",
            next_step=NextStep("use_instead" if instead else "close", "Do.", instead),
            rung=rung,
            text={"en": "Clients expect records.", "de": "Nachweise."},
        ),
        judged_since=NOW,
    )


def bundle(**changes: object) -> PolicyBundle:
    return PolicyBundle(serial=7, issued_at=NOW, expires_at=NOW + DAY, policy=policy(**changes))


def with_budget(a_day: int = 4, again_after_minutes: int = 240) -> Policy:
    reminders = Reminders(
        a_day_at_most=a_day, again_after_minutes=again_after_minutes, conduct={"en": "Be kind."}
    )
    return policy(reminders=reminders)


def past(
    ago: timedelta,
    outcome: Outcome | None = "shown",
    channel: str = "telegram/work",
    answered_ago: timedelta | None = None,
) -> Past:
    made = NOW - ago
    reminder = compose(sighting(), bundle(), NAMES, "a" * 32, made)
    answered = None if outcome is None else NOW - (ago if answered_ago is None else answered_ago)
    return Past(
        reminder=reminder,
        uid=1000,
        channel=channel,
        profile="work",
        made=made,
        outcome=outcome,
        answered=answered,
    )


def due(*before: Past, seen: Sighting | None = None, rules: Policy | None = None) -> bool:
    history: Sequence[Past] = before
    return is_due(seen or sighting(), rules or with_budget(), history, NOW)


def test_a_violation_is_mentioned_at_once() -> None:
    assert due()


@pytest.mark.parametrize("state", ["compliant", "exempt", "pending", "unknowable", "attention"])
def test_nothing_but_a_violation_is_mentioned(state: VerdictState) -> None:
    assert not due(seen=sighting(state))


@pytest.mark.parametrize(
    ("rung", "told"), [("report", False), ("remind", True), ("ask_to_close", True), ("close", True)]
)
def test_a_rule_that_only_reports_reminds_nobody(rung: Rung, told: object) -> None:
    assert due(seen=sighting(rung=rung)) is told


@pytest.mark.parametrize("outcome", [None, "shown", "acknowledged", "expired"])
def test_a_channel_is_not_mentioned_again_too_soon(outcome: Outcome | None) -> None:
    assert not due(past(240 * MINUTE - timedelta(microseconds=1), outcome))
    assert due(past(240 * MINUTE, outcome))


def test_what_was_deferred_comes_back_after_its_hour_and_not_after_the_longer_wait() -> None:
    assert not due(past(3 * HOUR, "deferred", answered_ago=DEFERRAL - MINUTE))
    assert due(past(2 * HOUR, "deferred", answered_ago=DEFERRAL))
    assert due(past(DEFERRAL, "deferred"))


def test_another_channel_stands_in_nobodys_way() -> None:
    assert due(past(MINUTE, channel="slack/work"))
    assert due(past(MINUTE, channel="telegram/personal"))


def test_the_budget_of_a_day_is_one_for_all_channels() -> None:
    three = [past(hours * HOUR, channel=f"m{hours}/work") for hours in (1, 2, 23)]
    assert due(*three)
    assert not due(*three, past(5 * HOUR, channel="m5/work"))
    assert due(*three, past(DAY, channel="m5/work"))


def test_deferring_does_not_earn_a_larger_budget() -> None:
    deferred = [past(hours * HOUR, "deferred") for hours in (2, 4, 6, 8)]
    assert not due(*deferred)


def test_a_budget_of_nothing_is_silence() -> None:
    assert not due(rules=with_budget(0))


def test_the_order_of_the_past_decides_nothing() -> None:
    history = [past(9 * HOUR), past(MINUTE), past(5 * HOUR, "deferred")]
    assert due(*history) == due(*reversed(history)) is False


def test_a_clock_set_back_never_makes_more_reminders() -> None:
    # Made "tomorrow": it still counts and still stands in the way.
    assert not due(past(-DAY))
    assert not due(*[past(-DAY - number * HOUR, channel=f"m{number}/work") for number in range(4)])


def test_a_reminder_says_what_to_do_why_and_by_which_rule() -> None:
    reminder = compose(sighting(instead=("teams", "unlisted:chatty")), bundle(), NAMES, "a" * 32, NOW)
    assert reminder.title == "Please continue in Microsoft Teams"
    assert reminder.sentence == "Telegram may not be used for work."
    assert reminder.instead_names == ("Microsoft Teams", "chatty")
    assert reminder.conduct == "Be kind."
    assert (reminder.rule, reminder.rule_text) == ("no-telegram", "Clients expect records.")
    assert (reminder.reminder, reminder.sighting, reminder.policy_serial) == ("a" * 32, "5" * 32, 7)


def test_without_anything_to_offer_it_asks_to_close() -> None:
    assert compose(sighting(), bundle(), NAMES, "a" * 32, NOW).title == "Please close Telegram"


def test_a_policy_in_another_language_speaks_it() -> None:
    german = bundle(
        language="de",
        reminders=Reminders(conduct={"de": "Seid nett.", "en": "Be kind."}),
        title={"de": "Nachrichten"},
    )
    reminder = compose(sighting(), german, NAMES, "a" * 32, NOW)
    assert (reminder.language, reminder.conduct, reminder.rule_text) == ("de", "Seid nett.", "Nachweise.")


def test_the_digest_is_over_every_word_that_was_shown_and_nothing_else() -> None:
    reminder = compose(sighting(), bundle(), NAMES, "a" * 32, NOW)
    shown = [reminder.title, reminder.sentence, reminder.conduct, reminder.rule_text]
    assert reminder.text_digest == wire.digest(wire.encode(shown))
    other_time = compose(sighting(), bundle(), NAMES, "b" * 32, NOW + DAY)
    assert other_time.text_digest == reminder.text_digest
    kinder = bundle(reminders=Reminders(conduct={"en": "Be kinder."}))
    assert compose(sighting(), kinder, NAMES, "a" * 32, NOW).text_digest != reminder.text_digest


def test_a_rule_without_words_of_its_own_has_none_to_show() -> None:
    seen = sighting()
    silent = msgspec.structs.replace(seen, verdict=msgspec.structs.replace(seen.verdict, text=None))
    assert compose(silent, bundle(), NAMES, "a" * 32, NOW).rule_text is None
