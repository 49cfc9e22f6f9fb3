"""Each field that can leave the device is told of; the table below fails when a field comes without its words."""

from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import messages, observations, wire
from contract.errors import MalformedError
from contract.observations import (
    DISCLOSURES,
    LIMIT_BYTES,
    DailyCount,
    ExposureObserved,
    InstalledObserved,
    NoticeRecord,
    Observation,
    PolicyAnswer,
    ReminderReceipt,
    Request,
    SightingObserved,
    Tombstone,
    Trouble,
    UnretainedObserved,
    fitted,
    sentence,
)
from tests.contract.strategies import values_of

MOMENT = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
KINDS: tuple[Any, ...] = get_args(Observation)
TOLD: dict[type[msgspec.Struct], tuple[str, dict[str, str]]] = {
    SightingObserved: (
        "sighting",
        {
            "sighting": "under a random number",
            "transition": "started or closed",
            "detail": "only as much of this as is allowed for each side",
            "profile": "on the work or the personal side",
            "messenger": "its name",
            "name": "its name",
            "kind": "and kind",
            "listed": "whether it is a known one",
            "day": "the day",
            "at": "the time",
            "verdict": "judges it",
            "rule": "by which rule",
            "policy_serial": "the policy of that version",
            "unlisted": "what its program says of itself",
        },
    ),
    InstalledObserved: (
        "installed",
        {
            "installation": "under a random number",
            "change": "is installed here, or is not any more",
            "detail": "only as much of this as is allowed for each side",
            "profile": "on which side",
            "messenger": "its name",
            "name": "its name",
            "kind": "and kind",
            "listed": "whether it is a known one",
            "day": "on which day",
            "at": "at which time that was noticed",
        },
    ),
    UnretainedObserved: (
        "unretained",
        {
            "unretained": "under a random number",
            "detail": "only as much of this as is allowed for the work side",
            "profile": "the side",
            "messenger": "its name",
            "name": "its name",
            "kind": "kind",
            "listed": "whether it is a known one",
            "day": "the day",
            "files": "how many files",
            "total_bytes": "how large",
            "types": "of which types",
            "handed_over": "how many you have handed over",
            "file_names": "Names of files",
        },
    ),
    Request: (
        "request",
        {
            "request": "under a random number",
            "about": "which of the two",
            "messenger": "the messenger",
            "name": "the messenger",
            "until": "the day until which",
            "lines": "your words as you wrote them",
            "at": "the time",
        },
    ),
    ExposureObserved: (
        "exposure",
        {
            "exposure": "under a random number",
            "detail": "only as much of this as is allowed for the work side",
            "messenger": "its name",
            "name": "its name",
            "kind": "and kind",
            "listed": "whether it is a known one",
            "day": "on that day",
            "sessions": "in how many sessions",
            "uncaptured_sessions": "for how much of that nothing was known to retain its messages",
            "seconds": "for how long while the machine was awake",
            "uncaptured_seconds": "for how much of that nothing was known to retain its messages",
        },
    ),
    DailyCount: (
        "daily_count",
        {
            "profile": "for a side",
            "day": "on a day",
            "messengers": "how many messengers were in use",
        },
    ),
    ReminderReceipt: (
        "receipt",
        {
            "reminder": "under a random number",
            "rule": "about which rule",
            "policy_serial": "of which policy",
            "language": "in which language",
            "text_digest": "which text",
            "outcome": "acknowledged or put off",
            "at": "when",
        },
    ),
    PolicyAnswer: (
        "policy",
        {"serial": "which one", "outcome": "applied here, or refused", "reason": "why", "at": "when"},
    ),
    NoticeRecord: (
        "notice",
        {
            "version": "in which version",
            "how": "How you were told",
            "language": "in which language",
            "at": "when",
        },
    ),
    Trouble: ("trouble", {"code": "which one", "detail": "does not work", "at": "since when"}),
    Tombstone: (
        "tombstone",
        {
            "count": "how many",
            "first_due": "from which days",
            "last_due": "from which days",
            "at": "when it was done",
        },
    ),
    messages.CheckIn: (
        "heartbeat",
        {
            "protocol": "the versions of Decorum",
            "version": "the versions of Decorum",
            "platform": "its operating system",
            "ownership": "who owns it",
            "clock": "its clock and when it was last started anew",
            "policy_serial": "of the policy",
            "catalogue_version": "of the list of known messengers",
            "journal": "a digest of the local record",
            "waiting": "how many reports wait",
            "observations": "their digests",
            "next_key": "its next public key",
        },
    ),
    messages.HoldingsRequest: (
        "question",
        {"after": "from where it is to go on", "at": "the time"},
    ),
    messages.LeaveRequest: ("leaving", {"at": "the time"}),
    messages.EnrolmentRequest: (
        "enrolment",
        {
            "secret": "Once, when this device joined",
            "public_key": "its own public key",
            "ownership": "who owns it",
            "assurance": "who owns it",
            "platform": "its operating system",
            "version": "the version of Decorum",
            "device_name": "on a company's device its host name",
            "hardware": "a fingerprint of the machine",
            "at": "the time",
        },
    ),
}


def test_every_kind_of_observation_is_disclosed_once() -> None:
    types = [disclosure.type for disclosure in DISCLOSURES]
    assert len(types) == len(set(types))
    assert set(types) == {kind.__struct_config__.tag for kind in KINDS} | {
        "heartbeat",
        "enrolment",
        "question",
        "leaving",
    }


@pytest.mark.parametrize("kind", TOLD, ids=lambda kind: kind.__name__)
def test_every_field_that_can_leave_is_told_of_in_words(kind: type[msgspec.Struct]) -> None:
    disclosed_type, words = TOLD[kind]
    disclosure = next(one for one in DISCLOSURES if one.type == disclosed_type)
    for field in kind.__struct_fields__:
        assert field in words, f"{kind.__name__}.{field} can leave, and nothing says so"
        assert words[field] in disclosure.what
    assert set(words) == set(kind.__struct_fields__)


def test_every_kind_of_observation_is_in_the_table_above() -> None:
    assert set(KINDS) <= set(TOLD)


@pytest.mark.parametrize("disclosure", DISCLOSURES, ids=lambda disclosure: disclosure.type)
def test_a_disclosure_says_what_why_and_who_in_sentences(disclosure: observations.Disclosure) -> None:
    assert disclosure.what.endswith(".")
    assert disclosure.why.endswith(".")
    assert disclosure.who


def test_what_concerns_a_person_is_marked_as_personal_data() -> None:
    assert {one.type for one in DISCLOSURES if one.personal} == {
        "sighting",
        "installed",
        "unretained",
        "exposure",
        "daily_count",
        "receipt",
        "request",
        "notice",
    }


any_observation = st.one_of([values_of(kind) for kind in KINDS])


@given(any_observation)
def test_every_observation_comes_back_as_it_went_and_stays_under_the_limit(observed: Observation) -> None:
    encoded = wire.encode(observed)
    assert len(encoded) <= LIMIT_BYTES
    again = observations.decode(encoded)
    assert type(again) is type(observed)
    assert wire.encode(again) == encoded


@given(any_observation)
def test_every_observation_is_told_in_one_sentence(observed: Observation) -> None:
    told = sentence(observed)
    assert len(told) > 10
    assert "\n" not in told
    texts = [text for text in msgspec.structs.astuple(observed) if isinstance(text, str) and "None" in text]
    assert texts or "None" not in told


def test_the_sentence_says_what_is_known_and_no_more() -> None:
    coarse = b"""{"type": "sighting", "sighting": "%b", "transition": "started", "detail": "kind", "kind": "consumer",
        "profile": "unknown", "day": "2026-03-02", "verdict": "violation", "rule": "withheld", "policy_serial": 4}"""
    assert sentence(observations.decode(coarse % (b"a" * 32))) == (
        "A consumer messenger was started on an unknown side on 2026-03-02; not in line with the policy."
    )
    exact = wire.encode(
        {
            **msgspec.json.decode(coarse % (b"a" * 32)),
            "name": "Telegram",
            "profile": "work",
            "transition": "judged",
            "at": "2026-03-02T09:05:00+01:00",
        }
    )
    assert sentence(observations.decode(exact)) == (
        "Telegram was judged again on the work side on 2026-03-02 at 09:05; not in line with the policy."
    )


def test_what_is_installed_is_told_as_such_and_never_as_in_use() -> None:
    found = InstalledObserved(
        installation="a" * 32,
        change="found",
        detail="exact",
        profile="work",
        messenger="telegram",
        name="Telegram",
        day=MOMENT.date(),
        at=MOMENT,
    )
    assert sentence(found) == "Telegram is installed here; noticed on 2026-03-02 at 09:05."
    gone = msgspec.structs.replace(found, change="removed", name=None, messenger=None, kind="both", at=None)
    assert sentence(gone) == "A both messenger is no longer installed here; noticed on 2026-03-02."


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"uncaptured_seconds": 45},
            "Telegram was open for 2 min on the work side on 2026-03-02, 3 times; for 45 s of that nothing was known to retain its messages.",
        ),
        (
            {"sessions": 1, "seconds": 4800},
            "Telegram was open for 1 h 20 min on the work side on 2026-03-02, once; nothing was known to retain its messages.",
        ),
        (
            {"seconds": 4800, "uncaptured_seconds": 0},
            "Telegram was open for 1 h 20 min on the work side on 2026-03-02, 3 times.",
        ),
        (
            {"name": None, "kind": "consumer", "seconds": None, "uncaptured_seconds": None},
            "A consumer messenger was open 3 times on the work side on 2026-03-02.",
        ),
    ],
)
def test_a_days_exposure_says_how_long_and_how_much_of_it_was_not_retained(
    changes: dict[str, object], told: str
) -> None:
    exposure = ExposureObserved(
        exposure="a" * 32,
        detail="exact",
        messenger="telegram",
        name="Telegram",
        day=MOMENT.date(),
        sessions=3,
        uncaptured_sessions=1,
        seconds=120,
        uncaptured_seconds=4800,
    )
    assert sentence(msgspec.structs.replace(exposure, **changes)) == told


def test_a_type_that_servers_are_asked_for_is_one_of_those_that_are_told_of() -> None:
    assert {disclosure.type for disclosure in DISCLOSURES} >= observations.ASKED_FOR


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"type": "keystrokes"}, "$.type"),
        ({"sighting": "g" * 32}, "$.sighting"),
        ({"sighting": "a" * 32 + "\n"}, "$.sighting"),
        ({"transition": "typed"}, "$.transition"),
        ({"detail": "everything"}, "$.detail"),
        ({"profile": "secret"}, "$.profile"),
        ({"messenger": "x" * 201}, "$.messenger"),
        ({"name": "Tele\ngram"}, "$.name"),
        ({"name": "Tele\x00gram"}, "$.name"),
        ({"name": "Tele\x1b[31mgram"}, "$.name"),
        ({"kind": "spy"}, "$.kind"),
        ({"listed": 1}, "$.listed"),
        ({"day": "2026-02-30"}, "$.day"),
        ({"day": "2026-03-02T00:00:00Z"}, "$.day"),
        ({"at": "2026-03-02T09:05:00"}, "$.at"),
        ({"verdict": "guilty"}, "$.verdict"),
        ({"rule": None}, "$.rule"),
        ({"policy_serial": -1}, "$.policy_serial"),
        ({"policy_serial": 2**63}, "$.policy_serial"),
        ({"policy_serial": 1.5}, "$.policy_serial"),
    ],
)
def test_a_field_of_the_wrong_type_or_size_is_refused_by_its_path(
    changes: dict[str, object], path: str
) -> None:
    sighting = {
        "type": "sighting",
        "sighting": "a" * 32,
        "transition": "started",
        "detail": "exact",
        "profile": "work",
        "day": "2026-03-02",
        "verdict": "violation",
        "rule": "default-work",
        "policy_serial": 4,
    }
    assert isinstance(observations.decode(wire.encode(sighting)), SightingObserved)
    with pytest.raises(MalformedError) as refused:
        observations.decode(wire.encode({**sighting, **changes}))
    assert refused.value.path == path


def test_an_observation_above_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(MalformedError, match="8,193 bytes"):
        observations.decode(b" " * (LIMIT_BYTES + 1))


ANY_TEXT = st.text(
    st.characters(), max_size=900
)  # lone surrogates, as file names in another encoding give them


@given(ANY_TEXT, ANY_TEXT, st.sampled_from(["\ud800", "\x00", "\n", "\x1b]0;", "é" * 300, "💬" * 250, ""]))
def test_whatever_a_program_or_an_error_is_called_its_report_is_taken(
    code: str, detail: str, oddity: str
) -> None:
    trouble = Trouble(code=code + oddity, detail=oddity + detail, at=MOMENT)
    taken = observations.decode(wire.encode(fitted(trouble)))
    assert isinstance(taken, Trouble)
    assert len(taken.detail) <= 200


@given(any_observation)
def test_what_fits_already_is_left_as_it_is(observed: Observation) -> None:
    assert fitted(observed) == observed


def test_a_text_that_was_cut_says_so() -> None:
    cut = fitted(Trouble(code="c", detail="x" * 201, at=MOMENT))
    assert isinstance(cut, Trouble)
    assert cut.detail == "x" * 199 + "…"
