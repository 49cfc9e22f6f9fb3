"""A channel is captured only while a connector that the policy names for it was heard in time; else it is said why it is not."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.capture import (
    AHEAD,
    OUT_OF_TOUCH,
    TOLD_BYTES_AT_MOST,
    Capture,
    CaptureState,
    ConnectorHeard,
    Word,
    capture_of,
    fitting,
)
from contract.policy import CaptureRule, Profile
from contract.wire import encode
from tests.contract.strategies import around_now, captures, moments, profiles

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMIT = timedelta(hours=4)
RULES = (
    CaptureRule(messenger="telegram", connector="LeapXpert", silent_hours_at_most=4),
    CaptureRule(messenger="whatsapp", connector="LeapXpert", silent_hours_at_most=24),
    CaptureRule(messenger="telegram", connector="Archive", silent_hours_at_most=1),
)
NAMES = st.sampled_from(["LeapXpert", "Archive", "Another"])
MESSENGERS = st.sampled_from(["telegram", "whatsapp", "slack"])
words = st.builds(
    Word,
    connector=NAMES,
    heard_at=st.none() | around_now | moments(),
    covers=st.none() | st.frozensets(MESSENGERS),
    known_at=st.none() | around_now | moments(),
    trouble=st.sampled_from([None, "unreadable", "revoked"]),
)
rules = st.lists(
    st.builds(CaptureRule, messenger=MESSENGERS, connector=NAMES, silent_hours_at_most=st.integers(1, 744)),
    max_size=4,
)


def word(heard_at: datetime | None = NOON, **changes: object) -> Word:
    """Return what the server told at noon of a connector that it heard then."""
    fields: dict[str, object] = {
        "connector": "LeapXpert",
        "known_at": NOON,
        "covers": frozenset({"telegram"}),
    }
    return Word(heard_at=heard_at, **(fields | changes))  # type: ignore[arg-type]  # a test's own


def state(
    *said: Word, at: datetime = NOON, messenger: str = "telegram", profile: Profile = "work"
) -> CaptureState:
    return capture_of(RULES, messenger, profile, said, at).state


@settings(max_examples=300)
@given(rules, MESSENGERS, profiles, st.lists(words, max_size=5), around_now | moments())
def test_only_a_word_in_time_of_a_named_connector_that_covers_it_captures(
    some: list[CaptureRule], messenger: str, profile: Profile, said: list[Word], at: datetime
) -> None:
    capture = capture_of(some, messenger, profile, said, at)
    good = [
        (rule, one)
        for rule in some
        for one in said
        if profile == "work"
        and (rule.messenger, rule.connector) == (messenger, one.connector)
        and one.trouble is None
        and one.heard_at is not None
        and (one.covers is None or messenger in one.covers)
        and -AHEAD <= at - one.heard_at <= timedelta(hours=rule.silent_hours_at_most)
    ]
    assert capture.is_captured == bool(good)
    assert bool(capture.why_not) != capture.is_captured


@given(st.lists(words, max_size=4), around_now, st.timedeltas(timedelta(), timedelta(days=400)))
def test_nothing_becomes_captured_because_time_goes_by(said: list[Word], at: datetime, by: timedelta) -> None:
    past = [one for one in said if one.heard_at is None or one.heard_at <= at]
    if not capture_of(RULES, "telegram", "work", past, at).is_captured:
        assert not capture_of(RULES, "telegram", "work", past, at + by).is_captured


@given(captures)
def test_every_reason_ends_a_sentence_on_one_line(capture: Capture) -> None:
    assert "\n" not in capture.why_not
    assert not capture.why_not.endswith(".")


def test_the_limit_is_the_last_moment_that_counts() -> None:
    known = NOON + LIMIT + timedelta(minutes=1)
    assert state(word(known_at=known), at=NOON + LIMIT) == "captured"
    assert state(word(known_at=known), at=NOON + LIMIT + timedelta(microseconds=1)) == "silent"


def test_each_messenger_has_the_limit_of_its_own_rule() -> None:
    said, later = word(covers=None, known_at=None), NOON + timedelta(hours=10)
    assert state(said, at=later) == "silent"
    assert state(said, at=later, messenger="whatsapp") == "captured"


def test_one_of_several_connectors_is_enough_and_the_last_heard_is_named() -> None:
    archive = word(connector="Archive", heard_at=NOON - timedelta(hours=2))
    assert state(archive) == "silent"
    assert state(archive, word()) == state(word(), archive) == "captured"
    early = word(heard_at=NOON - timedelta(hours=9))
    capture = capture_of(RULES, "telegram", "work", [early, archive], NOON)
    assert (capture.connector, capture.state) == ("Archive", "silent")


def test_who_was_offline_says_that_it_cannot_know() -> None:
    late = NOON + LIMIT + OUT_OF_TOUCH
    offline = capture_of(RULES, "telegram", "work", [word()], late)
    assert offline.state == "out_of_touch"
    assert offline.why_not == (
        "LeapXpert, which retains its messages, was last heard from on 2026-11-23 at 12:00, "
        "and this device has not been in touch with the server since 2026-11-23 at 12:00"
    )
    assert state(word(known_at=late - timedelta(minutes=5)), at=late) == "silent", "the server said so itself"
    assert state(word(known_at=None), at=late) == "silent", "a folder is looked at here"


@pytest.mark.parametrize(
    ("said", "expected", "why"),
    [
        ([], "never", "has never been heard from"),
        ([word(heard_at=None)], "never", "has never been heard from"),
        ([word(covers=frozenset({"whatsapp"}))], "not_covered", "does not say that it retains"),
        ([word(trouble="revoked")], "revoked", "may no longer report"),
        ([word(trouble="unreadable")], "unreadable", "cannot be read"),
        ([word(heard_at=NOON + timedelta(days=300))], "ahead", "dated 2027-09-19 at 12:00"),
        ([word(connector="leapxpert")], "never", "LeapXpert"),
    ],
)
def test_it_is_said_why_a_channel_is_not_captured(said: list[Word], expected: CaptureState, why: str) -> None:
    capture = capture_of(RULES, "telegram", "work", said, NOON)
    assert (capture.state, why in capture.why_not) == (expected, True)


def test_what_no_rule_names_is_not_captured_whatever_a_connector_says() -> None:
    assert state(word(covers=frozenset({"slack"})), messenger="slack") == "no_connector"


@pytest.mark.parametrize("profile", ["personal", "unknown"])
def test_nothing_of_ones_own_is_ever_captured(profile: Profile) -> None:
    assert state(word(), profile=profile) == "not_work"


def test_every_state_has_its_words() -> None:
    assert {one for one in get_args(CaptureState) if not Capture(state=one).why_not} == {"captured"}


def test_an_answer_tells_as_much_as_fits_and_the_first_before_the_last() -> None:
    told = [
        ConnectorHeard(connector=f"{number}" + "ü" * 90, heard_at=NOON, messengers=("telegram",) * 9)
        for number in range(60)
    ]
    taken = fitting(told)
    assert taken == tuple(told[: len(taken)])
    assert len(encode(taken)) <= TOLD_BYTES_AT_MOST + 2 < len(encode(told[: len(taken) + 1])) + 2
    assert fitting(told[:3]) == tuple(told[:3])


def test_a_connectors_name_is_a_line() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"connector": "two\nlines", "heard_at": None, "messengers": []}, ConnectorHeard)
