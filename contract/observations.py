"""Everything that can ever be reported, each with the sentence shown to the person it is about.

An observation reaches the outbox only through `agent/privacy`, which fills in no more than the ceiling allows: a field that
may not leave stays None.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from contract import wire
from contract.catalogue import MessengerKind
from contract.ceiling import Detail
from contract.facts import Platform
from contract.judge import VerdictState
from contract.policy import Profile
from contract.wire import Dated, Moment

SHORT_CHARACTERS = 200
Short = Annotated[str, msgspec.Meta(max_length=SHORT_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
"""A line of text: names come from files that anybody may have written, so nothing in it may steer a terminal or a log."""
SENTENCES = 5
"""So many of the longest fit into an observation."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
TIMES_AT_MOST, SECONDS_AT_MOST = 10**6, 10**7
Times = Annotated[int, msgspec.Meta(ge=0, le=TIMES_AT_MOST)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=SECONDS_AT_MOST)]
Identity = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
"""32 hexadecimal digits, random; the same in every observation of one sighting or reminder."""


class Unlisted(msgspec.Struct, frozen=True, kw_only=True):
    """Why a program that no list knows is taken for a messenger, and what it can be listed by: what an officer needs to decide."""

    platform: Platform
    kind: Short
    """Kind of the identifier, as the catalogue has it."""
    value: Short
    evidence: Annotated[tuple[Short, ...], msgspec.Meta(max_length=SENTENCES)]
    """Sentences, each a fact with its reason and its source."""


class OfMessenger(Dated, frozen=True, kw_only=True):
    """What is told of the messenger that a report is about, as far as the ceiling lets it."""

    detail: Detail
    """How much that is."""
    messenger: Short | None = None
    name: Short | None = None
    kind: MessengerKind | None = None
    listed: bool | None = None
    day: date
    """On which it happened or was noticed here."""


class SightingObserved(OfMessenger, frozen=True, kw_only=True, tag="sighting", tag_field="type"):
    """A messenger started, its verdict changed, or it ended."""

    sighting: Identity
    transition: Literal["started", "judged", "ended"]
    profile: Profile
    at: Moment | None = None
    """Exact, or rounded down to the hour, as `detail` says."""
    verdict: VerdictState
    rule: Short
    policy_serial: Count
    unlisted: Unlisted | None = None
    """Told once, when an unlisted messenger starts."""


class InstalledObserved(OfMessenger, frozen=True, kw_only=True, tag="installed", tag_field="type"):
    """A messenger was found to be installed, or is not any more; says nothing of whether it was ever started."""

    installation: Identity
    change: Literal["found", "removed"]
    profile: Profile
    at: Moment | None = None
    """Exact, or rounded down to the hour, as `detail` says."""


FileType = Literal["image", "audio", "video", "document", "archive", "other"]
NAMES_AT_MOST = 20


class UnretainedObserved(OfMessenger, frozen=True, kw_only=True, tag="unretained", tag_field="type"):
    """Files that a work copy of a messenger saved on one day while nothing retained that channel; told again when more was handed over."""

    unretained: Identity
    profile: Profile
    files: Count
    total_bytes: Count
    types: dict[FileType, Count]
    handed_over: Count
    """How many of them their user has handed over for retention since."""
    file_names: Annotated[tuple[Short, ...], msgspec.Meta(max_length=NAMES_AT_MOST)] | None = None
    """The first of them, where device and policy both let names leave."""


class ExposureObserved(OfMessenger, frozen=True, kw_only=True, tag="exposure", tag_field="type"):
    """For how long a messenger was open at work on a day that is over, and for how much of it nothing is known to retain its messages.

    It may be told again, under the same number, where a clock that was set has added to that day.
    """

    exposure: Identity
    sessions: Times
    """How many sightings were open on that day; one that is open past midnight counts on both."""
    uncaptured_sessions: Times | None = None
    """How many of them were not captured at some moment of it."""
    seconds: Seconds | None = None
    """How long they were open in all while the machine was awake; to the second or to the quarter of an hour, as `detail` says."""
    uncaptured_seconds: Seconds | None = None


class DailyCount(Dated, frozen=True, kw_only=True, tag="daily_count", tag_field="type"):
    """How many messengers were in use on one side on a day that is over; never of which kind, or which."""

    profile: Profile
    day: date
    messengers: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    """On a day on which there was none, nothing is told."""


class ReminderReceipt(Dated, frozen=True, kw_only=True, tag="receipt", tag_field="type"):
    """A reminder's text was shown, acknowledged or deferred on this device; nothing says by whom."""

    reminder: Identity
    rule: Short
    policy_serial: Count
    language: Short
    text_digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    outcome: Literal["shown", "acknowledged", "deferred", "expired"]
    at: Moment


class Request(Dated, frozen=True, kw_only=True, tag="request", tag_field="type"):
    """The person asked the company for something, in words of their own: no ceiling holds for what somebody says by themselves."""

    request: Identity
    about: Literal["question", "exemption"]
    messenger: Short | None = None
    """What an exemption is asked for."""
    name: Short | None = None
    until: date | None = None
    lines: Annotated[tuple[Short, ...], msgspec.Meta(min_length=1, max_length=SENTENCES)]
    """Their words."""
    at: Moment


class PolicyAnswer(Dated, frozen=True, kw_only=True, tag="policy", tag_field="type"):
    """A policy bundle was applied, or refused and why."""

    serial: Count | None
    outcome: Literal["applied", "refused"]
    reason: Short
    at: Moment


class NoticeRecord(Dated, frozen=True, kw_only=True, tag="notice", tag_field="type"):
    """How the employee was told what is collected, before anything was."""

    version: Count
    how: Literal["shown", "recorded"]
    """`recorded`: the administrator recorded that it was given otherwise."""
    language: Short | None = None
    """In which it was shown; None where it was given otherwise, or an older tray does not tell."""
    at: Moment


ASKED_FOR_MORE = "asked_for_more"
"""The code of a `Trouble` that says what the server asked for and did not get."""


class Trouble(Dated, frozen=True, kw_only=True, tag="trouble", tag_field="type"):
    """The agent could not do a part of its work, or the server asked for more than it may have."""

    code: Short
    detail: Short
    at: Moment


class Tombstone(Dated, frozen=True, kw_only=True, tag="tombstone", tag_field="type"):
    """Reports that this device had to drop before it could send them: the outbox is bounded, and a gap is never silent."""

    count: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    first_due: date
    last_due: date
    """The days on which the first and the last of them would have left."""
    at: Moment
    """When the last was dropped."""


Fit = TypeVar("Fit", bound=msgspec.Struct)
LIMIT_BYTES = 8 * 1024
"""The largest observation."""

Observation = (
    SightingObserved
    | InstalledObserved
    | UnretainedObserved
    | ExposureObserved
    | DailyCount
    | ReminderReceipt
    | Request
    | PolicyAnswer
    | NoticeRecord
    | Trouble
    | Tombstone
)

ASKED_FOR = frozenset({"installed", "unretained", "exposure", "daily_count", "request"})
"""Types that came later: a device keeps them back until its server says that it takes them, so that none is lost to an older one."""


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one type of observation on the page `What Decorum sees`."""

    type: str
    what: str
    why: str
    who: str
    personal: bool
    """Whether it is personal data, kept no longer than the policy's `personal_data_days`."""


DISCLOSURES: tuple[Disclosure, ...] = (
    Disclosure(
        type="enrolment",
        what="Once, when this device joined: its operating system, who owns it, the version of Decorum, the time, its own "
        "public key, a fingerprint of the machine that only your company can recognise, and on a company's device its "
        "host name.",
        why="So that the server takes in this device and no other.",
        who="Administrators",
        personal=False,
    ),
    Disclosure(
        type="heartbeat",
        what="That this device is there: its id, its operating system, who owns it, the versions of Decorum, of the "
        "policy and of the list of known messengers, its clock and when it was last started anew, how many reports wait and "
        "their digests, a digest of the local record that tells nothing of what stands in it, and its next public key when "
        "that changes.",
        why="So that a device that went silent is noticed.",
        who="Administrators and compliance officers",
        personal=False,
    ),
    Disclosure(
        type="question",
        what="When you ask what the server holds of this device: that question, from where it is to go on, and the time.",
        why="So that you can compare it with the list of what was sent.",
        who="Nobody; it is answered and not kept",
        personal=False,
    ),
    Disclosure(
        type="leaving",
        what="When you take your own device out with `decorum leave`: that you do, and the time.",
        why="So that the server erases everything about it.",
        who="Administrators see that a device left, and which number it had",
        personal=False,
    ),
    Disclosure(
        type="sighting",
        what="That a messenger was started or closed: its name and kind, whether it is a known one, the day and the time, "
        "whether it was on the work or the personal side, how the policy of that version judges it, and by which rule; of one "
        "that no list knows also what its program says of itself, by which it was recognised; "
        "under a random number, and only as much of this as is allowed for each side. Never a message, a contact, a title "
        "or an account.",
        why="So that the company can show that work messaging follows its policy.",
        who="Compliance officers",
        personal=True,
    ),
    Disclosure(
        type="installed",
        what="That a messenger is installed here, or is not any more: its name and kind, whether it is a known one, on which "
        "side, and on which day and at which time that was noticed; under a random number, and only as much of this as is allowed for each side. Never another program.",
        why="So that a messenger that lies there unused is told from one in use.",
        who="Compliance officers",
        personal=True,
    ),
    Disclosure(
        type="unretained",
        what="That a messenger which you opened for work has saved files while nothing retained that channel: its name and "
        "kind, whether it is a known one, the side, the day, how many files, how large and of which types, and how many you "
        "have handed over; under a random number, and only as much of this as is allowed for the work side. Names of files "
        "only where the policy and this device's settings both say so. Never what is in a file, and never of another folder.",
        why="So that records of the business that arrive there are not lost.",
        who="Compliance officers",
        personal=True,
    ),
    Disclosure(
        type="exposure",
        what="Of the work side alone, once a day is over: that a messenger was open on that day, its name and kind, whether it is a known "
        "one, for how long while the machine was awake, in how many sessions, and for how much of that nothing was known to "
        "retain its messages; under a random number, and only as much of this as is allowed for the work side: to the second "
        "where exact times may leave, else to the quarter of an hour, and no duration where its name may not. Open is "
        "not writing: of that nothing is known.",
        why="So that the company knows how much of its work messaging is outside its records.",
        who="Compliance officers",
        personal=True,
    ),
    Disclosure(
        type="daily_count",
        what="Where no more than that is allowed for a side: how many messengers were in use on it on a day, once that day is over. Never of "
        "which kind, which ones, or when.",
        why="So that it is known whether messengers are in use at all, without knowing more.",
        who="Compliance officers",
        personal=True,
    ),
    Disclosure(
        type="receipt",
        what="That a reminder's text was shown on this device: which text in which language, about which rule of "
        "which policy, when, and whether it was acknowledged or put off; under a random number.",
        why="So that nobody is said to have been told who was not.",
        who="Compliance officers",
        personal=True,
    ),
    Disclosure(
        type="request",
        what="When you ask for an exemption or put a question with `decorum ask`: which of the two, the messenger and the day until "
        "which you name, your words as you wrote them, and the time; under a random number.",
        why="So that somebody can answer.",
        who="Compliance officers",
        personal=True,
    ),
    Disclosure(
        type="policy",
        what="That a policy was applied here, or refused and why; which one and when.",
        why="So that it is known which rules hold where.",
        who="Administrators and compliance officers",
        personal=False,
    ),
    Disclosure(
        type="notice",
        what="How you were told what is collected, in which version, in which language and when.",
        why="Because nothing but a sign of life leaves before that.",
        who="Compliance officers",
        personal=True,
    ),
    Disclosure(
        type="trouble",
        what="That a part of Decorum does not work here, which one and since when, or that the server asked this device for more "
        "than it may have.",
        why="So that it can be mended.",
        who="Administrators",
        personal=False,
    ),
    Disclosure(
        type="tombstone",
        what="That reports were dropped here because too many waited for too long: how many, from which days, and when it "
        "was done.",
        why="So that a gap in the records is never taken for a quiet time.",
        who="Administrators and compliance officers",
        personal=False,
    ),
)


def decode(untrusted_bytes: bytes) -> Observation:
    """Return an observation from its canonical JSON.

    Raises:
        MalformedError: none of the types above, or a field of the wrong type or size.
    """
    kind: type[Observation] = Observation  # type: ignore[assignment]  # a union is what msgspec decodes to
    return wire.decode(kind, untrusted_bytes, limit_bytes=LIMIT_BYTES)


def fitted(told: Fit) -> Fit:
    """Return an observation, or a part of one, with every text cut and cleaned to what `decode` takes.

    Names of programs and words of errors are as long and as odd as they come; one that the server had to refuse would be
    sent again for ever, and everything behind it would wait.
    """
    parts: dict[str, Any] = {}
    for name in told.__struct_fields__:
        match getattr(told, name):
            case str() as text:
                parts[name] = _shortened(text)
            case tuple() as texts:
                parts[name] = tuple(_shortened(text) for text in texts)
            case msgspec.Struct() as inner:
                parts[name] = fitted(inner)
    return msgspec.structs.replace(told, **parts)


def _shortened(text: str) -> str:
    r"""Return a line of text that can be told to anybody.

    >>> _shortened("Tele\ngram\x1b[2J")
    'Tele gram [2J'
    """
    line = text.encode(errors="replace").decode()
    line = "".join(
        " " if ord(character) < 0x20 or ord(character) == 0x7F else character for character in line
    )
    return line if len(line) <= SHORT_CHARACTERS else line[: SHORT_CHARACTERS - 1] + "…"


def sentence(observation: Observation) -> str:
    """Return what an observation says, in words for the person it is about."""
    match observation:
        case SightingObserved() | InstalledObserved() | UnretainedObserved() | ExposureObserved():
            return _messenger_sentence(observation)
        case DailyCount():
            return f"{counted(observation)}."
        case ReminderReceipt(outcome=outcome, rule=rule):
            return f"A reminder about the rule {rule} was {outcome}."
        case Request():
            return _request_sentence(observation)
        case PolicyAnswer() | Trouble() | Tombstone():
            return _devices_sentence(observation)
        case NoticeRecord(how="shown"):
            return "You were shown what Decorum collects."
        case NoticeRecord():
            return "Your administrator recorded that you were told what Decorum collects."


def _devices_sentence(observation: PolicyAnswer | Trouble | Tombstone) -> str:
    match observation:
        case PolicyAnswer():
            return _policy_sentence(observation)
        case Trouble(code=code, detail=detail):
            return detail if code == ASKED_FOR_MORE else f"A part of Decorum does not work: {detail}"
        case Tombstone():
            return _tombstone_sentence(observation)


def _policy_sentence(answer: PolicyAnswer) -> str:
    if answer.outcome == "refused":
        return f"A policy was refused: {answer.reason}"
    return "A policy was applied." if answer.serial is None else f"Policy number {answer.serial} was applied."


def _tombstone_sentence(dropped: Tombstone) -> str:
    reports = "One report was" if dropped.count == 1 else f"{dropped.count:,} reports were"
    first, last = dropped.first_due, dropped.last_due
    days = f"of {first}" if first == last else f"of {first} to {last}"
    return f"{reports} dropped here before being sent, {days}: too many waited."


_TRANSITIONS = {"started": "was started", "judged": "was judged again", "ended": "was closed"}

_VERDICTS: dict[VerdictState, str] = {
    "compliant": "in line with the policy",
    "attention": "it needs attention",
    "violation": "not in line with the policy",
    "exempt": "exempt from the policy",
    "pending": "not judged yet",
    "unknowable": "whether in line with the policy cannot be told",
}


def _messenger_sentence(
    observation: SightingObserved | InstalledObserved | UnretainedObserved | ExposureObserved,
) -> str:
    match observation:
        case SightingObserved():
            return _sighting_sentence(observation)
        case InstalledObserved():
            return _installed_sentence(observation)
        case UnretainedObserved():
            return _unretained_sentence(observation)
        case ExposureObserved():
            return _exposure_sentence(observation)


def counted(told: DailyCount) -> str:
    """Return how many messengers were in use on a day.

    >>> counted(DailyCount(profile="personal", day=date(2026, 11, 27), messengers=3))
    '3 messengers on the personal side on 27 November 2026'
    """
    messengers = "One messenger" if told.messengers == 1 else f"{told.messengers:,} messengers"
    return f"{messengers} on {_side(told.profile)} on {told.day.day} {told.day:%B %Y}"


def _side(profile: Profile) -> str:
    return "an unknown side" if profile == "unknown" else f"the {profile} side"


def _sighting_sentence(seen: SightingObserved) -> str:
    what = f"{called(seen)} {_TRANSITIONS[seen.transition]} on {_side(seen.profile)} on {seen.day}{_time_of_day(seen.at)}"
    said = f"{what}; {_VERDICTS[seen.verdict]}."
    if seen.unlisted is None:
        return said
    return " ".join(
        (said, "It is not a known messenger; told why it is taken for one:", *seen.unlisted.evidence)
    )


def _installed_sentence(noticed: InstalledObserved) -> str:
    state = "is installed here" if noticed.change == "found" else "is no longer installed here"
    return f"{called(noticed)} {state}; noticed on {noticed.day}{_time_of_day(noticed.at)}."


def _unretained_sentence(noted: UnretainedObserved) -> str:
    files = "One file" if noted.files == 1 else f"{noted.files:,} files"
    sizes = f"{noted.total_bytes:,} bytes"
    said = f"{files} ({sizes}) came in for work by {_in_sentence(called(noted))} on {noted.day} and nothing retained them"
    handed = f"; {noted.handed_over:,} handed over since." if noted.handed_over else "."
    named = "" if not noted.file_names else f" Named: {', '.join(noted.file_names)}."
    return f"{said}{handed}{named}"


def _request_sentence(asked: Request) -> str:
    words = " ".join(asked.lines)
    if asked.about == "question":
        return f"You asked: {words}"
    until = "" if asked.until is None else f" until {asked.until}"
    return f"You asked for an exemption for {asked.name or 'a messenger'}{until}: {words}"


def _in_sentence(name: str) -> str:
    return f"a{name[1:]}" if name.startswith("A ") else name


def _exposure_sentence(told: ExposureObserved) -> str:
    times = "once" if told.sessions == 1 else f"{told.sessions:,} times"
    if told.seconds is None:
        return f"{called(told)} was open {times} on the work side on {told.day}."
    said = f"{called(told)} was open for {duration(told.seconds)} on the work side on {told.day}, {times}"
    if not told.uncaptured_seconds:
        return f"{said}."
    if told.uncaptured_seconds >= told.seconds:
        return f"{said}; nothing was known to retain its messages."
    return (
        f"{said}; for {duration(told.uncaptured_seconds)} of that nothing was known to retain its messages."
    )


def duration(seconds: int) -> str:
    """Return a duration as people say it, rounded down to its two largest units.

    >>> duration(59), duration(3_660), duration(90_000)
    ('59 s', '1 h 1 min', '25 h 0 min')
    """
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def called(observed: OfMessenger) -> str:
    """Return what a messenger is called, as far as that was told."""
    return observed.name or (f"A {observed.kind} messenger" if observed.kind else "A messenger")


def _time_of_day(at: datetime | None) -> str:
    return f" at {at:%H:%M}" if at else ""
