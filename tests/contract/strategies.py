"""Values of the contract's types, for property tests: everything a valid policy, sighting or circumstance can be."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal, get_args

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from contract.capture import Capture, CaptureState
from contract.ceiling import Ceiling
from contract.hours import DAYS, Interval, OfficeHours
from contract.judge import Circumstances, Exemption, Subject
from contract.policy import (
    ChannelRule,
    Clause,
    Contacts,
    DefaultRule,
    Defaults,
    Model,
    Ownership,
    Policy,
    Profile,
    Reminders,
    Retention,
    Rung,
    Stance,
)
from contract.sides import SIGNAL_NAMES, SideRule
from contract.sides import Profiles as SideProfiles

_SECONDS_LEFT_OFFSETS = datetime(1972, 1, 8)  # noqa: DTZ001 - hypothesis wants bounds without a zone
"""Until then Liberia's offset had seconds, which RFC 3339 cannot write."""
_FIRST, _LAST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - as above
_BEFORE, _AFTER = datetime(2026, 3, 20), datetime(2026, 4, 10)  # noqa: DTZ001 - as above
_CHARACTERS = st.characters(codec="utf-8")
_READABLE = st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])
_MANY = 2**63

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def moments() -> st.SearchStrategy[datetime]:
    """Every aware time that a message may carry, in named zones (gaps and folds included) and at fixed offsets."""
    return st.datetimes(_SECONDS_LEFT_OFFSETS, _LAST, timezones=st.timezones()) | st.datetimes(
        _FIRST, _LAST, timezones=offsets
    )


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Every value that the type's own declaration allows, limits included."""
    return _values(inspect.type_info(kind))


def _values(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata(type=inner):
            return _values(inner)
        case inspect.UnionType(types=types):
            return st.one_of([_values(one) for one in types])
        case inspect.StructType(cls=kind, fields=fields):
            return st.builds(kind, **{field.name: _values(field.type) for field in fields})
        case inspect.VarTupleType() | inspect.TupleType() | inspect.DictType():
            return _collections(info)
    return _scalars(info)


def _collections(info: inspect.VarTupleType | inspect.TupleType | inspect.DictType) -> st.SearchStrategy[Any]:
    match info:
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return st.lists(_values(item), min_size=least or 0, max_size=_few(least, most)).map(tuple)
        case inspect.TupleType(item_types=items):
            return st.tuples(*[_values(one) for one in items])
        case inspect.DictType(key_type=key, value_type=value, min_length=least, max_length=most):
            return st.dictionaries(
                _values(key), _values(value), min_size=least or 0, max_size=_few(least, most)
            )


def _scalars(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.IntType(ge=low, le=high):
            return st.integers(-_MANY if low is None else low, _MANY if high is None else high)
        case inspect.FloatType(ge=low, le=high):
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case inspect.StrType():
            return _texts(info)
    return _SIMPLE[type(info)]


def _texts(info: inspect.StrType) -> st.SearchStrategy[str]:
    least, most = info.min_length or 0, info.max_length
    if info.pattern is None:
        return st.text(_CHARACTERS, min_size=least, max_size=most)
    pattern = re.compile(info.pattern)
    if info.pattern.startswith("^(?="):  # what hypothesis would find by trial and error
        return st.text(_READABLE, min_size=least, max_size=most).filter(
            lambda text: pattern.search(text) is not None
        )
    texts = st.from_regex(info.pattern, fullmatch=True, alphabet=_CHARACTERS)
    return texts.filter(lambda text: least <= len(text) <= (most or len(text)))


def _few(least: int | None, most: int | None) -> int:
    return min((least or 0) + 2, most if most is not None else 100)


_SIMPLE: dict[type[inspect.Type], st.SearchStrategy[Any]] = {
    inspect.NoneType: st.none(),
    inspect.BoolType: st.booleans(),
    inspect.DateType: st.dates(),
    inspect.DateTimeType: moments(),
    inspect.RawType: st.sampled_from([msgspec.Raw(b"{}"), msgspec.Raw(b'{"a":[1,"b"]}')]),
}


MESSENGERS = ("telegram", "slack", "microsoft-teams", "unlisted:chatty")
"""Few, so that a policy, an exemption and a sighting often speak of the same one."""
ZONES = (
    "local",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
)
messengers = st.sampled_from(MESSENGERS)
clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 29, 30, 59]))
stances = st.sampled_from(get_args(Stance))
rungs = st.sampled_from(get_args(Rung))
profiles = st.sampled_from(get_args(Profile))
sides: st.SearchStrategy[Literal["work", "personal"]] = st.sampled_from(["work", "personal"])
ownerships = st.sampled_from(get_args(Ownership))
intervals = st.builds(
    Interval,
    days=st.sets(st.sampled_from(DAYS), min_size=1).map(lambda days: tuple(sorted(days, key=DAYS.index))),
    start=clock_times,
    end=clock_times,
)
office_hours = st.builds(
    OfficeHours,
    time_zone=st.sampled_from(ZONES),
    work=st.lists(intervals, min_size=1, max_size=2).map(tuple),
    breaks=st.lists(intervals, max_size=1).map(tuple),
    holidays=st.lists(st.dates(date(2026, 3, 20), date(2026, 4, 10)), max_size=3).map(tuple),
)


_WORDS = ("Be kind.", "Seid nett.\n\tImmer.", "請友善。", "x" * 300)


def texts(language: str) -> st.SearchStrategy[dict[str, str]]:
    """Texts that have at least this language."""
    return st.sampled_from(
        [{**more, language: words} for words in _WORDS for more in ({}, {"fr": "Soyez gentils."})]
    )


company_domains = st.sampled_from(["example.com", "Corp.Example.ORG.", "münchen.example", "acme.slack.com"])
_side_rules = st.builds(
    SideRule,
    side=st.sampled_from(["work", "personal"]),
    messenger=st.none() | st.sampled_from(["telegram", "slack", "firefox"]),
    folder=st.sampled_from(["~/Work", "/home/work", "/srv/acme", "~/.local"]),
) | st.builds(
    SideRule,
    side=st.sampled_from(["work", "personal"]),
    name=st.sampled_from(["work", "Profile 2", "org.telegram.desktop"]),
)
side_profiles = st.builds(
    SideProfiles,
    company_domains=st.lists(company_domains, max_size=3).map(tuple),
    rules=st.lists(
        _side_rules
        | st.builds(SideRule, side=st.sampled_from(["work", "personal"]), program=st.just("/opt/acme")),
        max_size=4,
    ).map(tuple),
    signals_off=st.lists(st.sampled_from(SIGNAL_NAMES), max_size=4).map(tuple),
)
"""Tables `[profiles]` that a policy may have."""


@st.composite
def ruling_policies(draw: st.DrawFn) -> Policy:
    """Every policy that `parse` would take, as far as rules go: every stance and rung, with and without words of its own."""
    work = DefaultRule(
        stance=draw(stances), rung=draw(rungs), text=draw(st.sampled_from([None, {"en": "Not for work."}]))
    )
    personal = DefaultRule(stance=draw(stances), rung=draw(rungs))
    named = draw(st.lists(st.tuples(messengers, sides), unique=True, max_size=4))
    channels = tuple(
        ChannelRule(
            id=f"rule-{number}", messenger=messenger, profile=profile, stance=draw(stances), rung=draw(rungs)
        )
        for number, (messenger, profile) in enumerate(named)
    )
    at_work = {rule.messenger: rule.stance for rule in channels if rule.profile == "work"}
    offerable = [one for one in MESSENGERS if at_work.get(one, work.stance) == "approved"]
    return Policy(
        id="messaging",
        company="Acme",
        model="restrict",
        version=1,
        title={"en": "Messaging"},
        defaults=Defaults(work, personal),
        channels=channels,
        use_instead=tuple(offerable[: draw(st.integers(0, 2))]),
        capture_required=draw(st.booleans()),
        enforce_unlisted=draw(st.booleans()),
        office_hours=draw(office_hours),
        reminders=Reminders(conduct={"en": "Be kind."}),
        contacts=Contacts(questions="the IT desk", concerns="HR", approvals="Compliance"),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Every policy that `parse` would take, in every language, with clauses, ceilings and periods."""
    language = draw(st.sampled_from(["en", "de", "zh-Hant-TW"]))
    words = texts(language)
    policy = draw(ruling_policies())
    translated = tuple(
        msgspec.structs.replace(rule, text=draw(st.none() | words)) for rule in policy.channels
    )
    work = msgspec.structs.replace(policy.defaults.work, text=draw(st.none() | words))
    clauses = st.lists(st.builds(Clause, id=st.just("divulge"), heading=words, text=words), max_size=1)
    return msgspec.structs.replace(
        policy,
        language=language,
        version=draw(st.integers(1, 1_000_000)),
        model=draw(st.sampled_from(get_args(Model))),
        title=draw(words),
        defaults=Defaults(work, policy.defaults.personal),
        channels=translated,
        reminders=Reminders(conduct=draw(words)),
        profiles=draw(st.none() | side_profiles),
        ceiling=draw(st.none() | values_of(Ceiling)),
        retention=draw(values_of(Retention)),
        clauses=tuple(draw(clauses)),
        valid_days=draw(st.integers(1, 366)),
    )


subjects = st.builds(
    Subject,
    messenger=st.none() | messengers,
    name=st.sampled_from(["Telegram", "", "Ünbekannt 💬", "a" * 500]),
    listed=st.booleans(),
    profile=profiles,
)
_HERE_AND_THERE = st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=11))])
around_now = st.datetimes(_BEFORE, _AFTER, timezones=_HERE_AND_THERE)
"""Around the nights on which Berlin and Lord Howe change their clocks."""
captures = st.builds(
    Capture,
    state=st.sampled_from(get_args(CaptureState)),
    connector=st.sampled_from(["LeapXpert", "Ünbekannt 💬"]),
    heard_at=st.none() | around_now,
    known_at=st.none() | around_now,
)
circumstances = st.builds(
    Circumstances,
    at=st.none() | around_now,
    ownership=ownerships,
    policy_expired=st.booleans(),
    captured=st.dictionaries(messengers, captures, max_size=3),
    highest_rung=rungs,
)
exemptions = st.lists(
    st.builds(
        Exemption,
        id=st.just("e1"),
        messenger=messengers,
        profile=sides,
        reason=st.just("a client insists"),
        approver=st.just("Compliance"),
        starts=around_now,
        ends=around_now,
    ),
    max_size=4,
)
