"""The policy: one source for two readers, the rules that devices follow and the clauses that people acknowledge.

A policy is written as TOML, checked, and published inside a sealed bundle (`contract.messages.PolicyBundle`).
The text people read is made from this same object by `contract.document`.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from contract.ceiling import Ceiling
from contract.errors import MalformedError
from contract.hours import OfficeHours
from contract.sides import Profiles
from contract.sides import problems as problems_of_profiles
from contract.spelling import unknown_keys
from contract.toml_text import table_in
from contract.wire import convert, encode

Stance = Literal["approved", "personal_only", "restricted", "banned"]
"""`restricted` means outside office hours and in breaks only."""
Rung = Literal["report", "remind", "ask_to_close", "close"]
RUNGS: tuple[Rung, ...] = ("report", "remind", "ask_to_close", "close")
"""How far a rule may go, mildest first."""
Profile = Literal["work", "personal", "unknown"]
Ownership = Literal["company", "personal"]
Model = Literal["ban", "restrict", "records", "orchestrate"]
BYTES_AT_MOST = 512 * 1024
"""The largest policy, in canonical JSON: its bundle fits into a reply, its document into a line of the local interface."""
RESERVED_IDS = frozenset({"none", "withheld", "default-work", "default-personal"})
"""What verdicts and reports say in a rule's place."""

Line = Annotated[
    str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f\x85\u2028\u2029]+\Z")
]
"""Something to read on one line: not blank, and nothing that steers a terminal or breaks the line."""
Prose = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=8000, pattern=r"^(?=\s*\S)[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+\Z"),
]
"""Something to read in paragraphs: not blank; line breaks and tabs are the only control characters."""
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}(-[A-Z][a-z]{3})?(-[A-Z]{2})?\Z")]
Texts = Annotated[dict[Language, Prose], msgspec.Meta(min_length=1, max_length=40)]
"""One text per language (BCP 47)."""
RuleId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
Link = Annotated[str, msgspec.Meta(pattern=r"^(https://|mailto:)[^\s<>\"\x00-\x1f\x7f]+\Z", max_length=500)]


class ChannelRule(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy says of one channel: a messenger in a profile."""

    id: RuleId
    messenger: Line
    """A catalogue id, or `unlisted:<key>`."""
    profile: Literal["work", "personal"]
    stance: Stance
    rung: Rung = "report"
    text: Texts | None = None
    """Why, in the company's own words."""


class DefaultRule(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every messenger that no channel rule names, listed or not."""

    stance: Stance
    rung: Rung = "report"
    text: Texts | None = None


class Defaults(msgspec.Struct, frozen=True):
    """The default stance per profile; an unknown profile counts as personal."""

    work: DefaultRule
    personal: DefaultRule


class Scope(msgspec.Struct, frozen=True):
    """The equipment that the policy speaks of."""

    company_equipment: bool = True
    personal_equipment_used_for_work: bool = True


class CaptureRule(msgspec.Struct, frozen=True, kw_only=True):
    """Which connector retains a messenger's messages, and how long it may be silent."""

    messenger: Line
    connector: Line
    silent_hours_at_most: Annotated[int, msgspec.Meta(ge=1, le=24 * 31)] = 24


class Reminders(msgspec.Struct, frozen=True, kw_only=True):
    """How often a person may be told, and in which words."""

    a_day_at_most: Annotated[int, msgspec.Meta(ge=0, le=20)] = 4
    again_after_minutes: Annotated[int, msgspec.Meta(ge=15, le=7 * 24 * 60)] = 240
    """The same channel is not mentioned again before this."""
    conduct: Texts
    """The code of conduct in a sentence or two, shown with each reminder."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long things are kept, in days."""

    records_days: Annotated[int, msgspec.Meta(ge=180, le=36500)] = 180
    personal_data_days: Annotated[int, msgspec.Meta(ge=1, le=180)] = 30


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """A paragraph that people acknowledge."""

    id: RuleId
    heading: Texts
    text: Texts
    link: Link | None = None


class ExistingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy of the company that this one extends to messaging."""

    kind: Literal["email", "privacy", "electronic_communication", "social_media", "conduct", "other"]
    name: Line
    link: Link | None = None


class Contacts(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask; names of functions, telephone numbers or mail addresses."""

    questions: Line
    concerns: Line
    approvals: Line


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The whole policy."""

    format: Literal[1] = 1
    id: RuleId
    company: Line
    model: Model
    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    """The author's own count; it may go back, the bundle's serial never does."""
    language: Language = "en"
    """The language that every text has."""
    title: Texts
    scope: Scope = Scope()
    extends: tuple[ExistingPolicy, ...] = ()
    defaults: Defaults
    channels: Annotated[tuple[ChannelRule, ...], msgspec.Meta(max_length=500)] = ()
    use_instead: Annotated[tuple[Line, ...], msgspec.Meta(max_length=10)] = ()
    """Messengers to offer where a channel is not allowed, best first."""
    capture_required: bool = False
    """Whether an approved work channel must be captured."""
    capture: tuple[CaptureRule, ...] = ()
    enforce_unlisted: bool = False
    """Whether a rung above `remind` may apply to a messenger that nobody has reviewed yet."""
    office_hours: OfficeHours
    reminders: Reminders
    ceiling: Ceiling | None = None
    """Lowers the device's own privacy ceiling; it never raises it."""
    retention: Retention = Retention()
    profiles: Profiles | None = None
    """How work is told from personal use; without it who owns the device decides alone."""
    clauses: Annotated[tuple[Clause, ...], msgspec.Meta(max_length=100)] = ()
    contacts: Contacts
    valid_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 90
    """How long a published bundle of it stays in force without being renewed."""

    def text(self, texts: Texts, language: str) -> str:
        """Return the text in the language asked for, or in the policy's own, or in any that it has."""
        return texts.get(language) or texts.get(self.language) or next(iter(texts.values()), "")


def parse(text: str) -> Policy:
    """Return the policy that a person wrote as TOML.

    Raises:
        MalformedError: not TOML, contradictory, or a field of the wrong type or size or that nothing reads; its path is named.
    """
    table = _table(text)
    policy = convert(Policy, table)
    for problem in chain(unknown_keys(policy, table), problems(policy)):
        raise problem
    return policy


def parse_published(text: str) -> Policy:
    """Return a policy that was taken once, perhaps by a later version: fields that this one does not know are dropped.

    Raises:
        MalformedError: as `parse`, but for unknown fields.
    """
    policy = convert(Policy, _table(text))
    for problem in problems(policy):
        raise problem
    return policy


def _table(text: str) -> dict[str, object]:
    if len(text) > BYTES_AT_MOST:
        raise _too_large(len(text))
    return table_in(text, "The policy")


def problems(policy: Policy) -> Iterable[MalformedError]:
    """Yield what is contradictory or incomplete although every field has its type."""
    size_bytes = len(encode(policy))
    if size_bytes > BYTES_AT_MOST:
        yield _too_large(size_bytes)
    yield from _missing_texts(policy)
    yield from _not_offerable(policy)
    yield from _clauses_with_one_id(policy)
    yield from _never_restricted(policy)
    if policy.profiles is not None:
        yield from problems_of_profiles(policy.profiles)
    seen_ids: set[str] = set()
    seen_channels: set[tuple[str, str]] = set()
    for number, rule in enumerate(policy.channels):
        where = f"$.channels[{number}]"
        if rule.id in seen_ids:
            yield MalformedError(f"Two rules are called {rule.id}.", "Give each its own id.", f"{where}.id")
        if (rule.messenger, rule.profile) in seen_channels:
            yield MalformedError(
                f"{rule.messenger} in the {rule.profile} profile has two rules.", "Keep one of them.", where
            )
        if rule.id in RESERVED_IDS:
            yield MalformedError(f"{rule.id} has a meaning of its own.", "Choose another id.", f"{where}.id")
        seen_ids.add(rule.id)
        seen_channels.add((rule.messenger, rule.profile))
    zone = policy.office_hours.time_zone
    if zone != "local" and not _is_zone(zone):
        yield MalformedError(
            f"There is no time zone {zone!r}.",
            "Use a name such as Europe/Berlin, or local.",
            "$.office_hours.time_zone",
        )


def _too_large(size: int) -> MalformedError:
    return MalformedError(
        f"The policy has {size:,} bytes; {BYTES_AT_MOST:,} are taken.", "Shorten its texts."
    )


def _not_offerable(policy: Policy) -> Iterable[MalformedError]:
    """Yield the messengers that people are sent to although the rules do not approve them at work."""
    rules = {rule.messenger: (i, rule) for i, rule in enumerate(policy.channels) if rule.profile == "work"}
    for number, messenger in enumerate(policy.use_instead):
        place, rule = rules.get(messenger, (None, policy.defaults.work))
        if rule.stance != "approved":
            yield MalformedError(
                f"{messenger} is offered to people instead, yet it is {rule.stance} at work.",
                "Approve it, or take it out of use_instead.",
                f"$.use_instead[{number}]" if place is None else f"$.channels[{place}].stance",
            )


def _clauses_with_one_id(policy: Policy) -> Iterable[MalformedError]:
    seen: set[str] = set()
    for number, clause in enumerate(policy.clauses):
        if clause.id in seen:
            yield MalformedError(
                f"Two clauses are called {clause.id}.", "Give each its own id.", f"$.clauses[{number}].id"
            )
        seen.add(clause.id)


def _never_restricted(policy: Policy) -> Iterable[MalformedError]:
    stances = [
        ("$.defaults.work", policy.defaults.work.stance),
        ("$.defaults.personal", policy.defaults.personal.stance),
    ]
    stances += [(f"$.channels[{i}]", rule.stance) for i, rule in enumerate(policy.channels)]
    restricted = next((path for path, stance in stances if stance == "restricted"), None)
    if restricted is not None and not policy.office_hours.work:
        yield MalformedError(
            f"{restricted} is restricted to breaks and the time outside office hours, and there are no office hours.",
            "Write when work is done, or choose another stance.",
            "$.office_hours.work",
        )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _missing_texts(policy: Policy) -> Iterable[MalformedError]:
    places: list[tuple[str, Texts | None]] = [("$.title", policy.title)]
    places.append(("$.reminders.conduct", policy.reminders.conduct))
    places.append(("$.defaults.work.text", policy.defaults.work.text))
    places.append(("$.defaults.personal.text", policy.defaults.personal.text))
    places.extend((f"$.channels[{i}].text", rule.text) for i, rule in enumerate(policy.channels))
    for i, clause in enumerate(policy.clauses):
        places.append((f"$.clauses[{i}].heading", clause.heading))
        places.append((f"$.clauses[{i}].text", clause.text))
    for path, texts in places:
        if texts is not None and policy.language not in texts:
            yield MalformedError(
                f"The text at {path} has no {policy.language!r}.",
                "Write it in the policy's own language.",
                path,
            )
