"""What the agent and the tray say to each other: JSON-RPC 2.0, one object per line, on a unix socket or named pipe.

A client says `hello` with its version, asks, and after `subscribe` is told of every change:

    -> {"jsonrpc":"2.0","id":1,"method":"hello","params":{"version":1}}
    <- {"id":1,"jsonrpc":"2.0","result":{"agent":"0.1.0","version":1}}
    -> {"jsonrpc":"2.0","id":2,"method":"subscribe","params":{}}
    <- {"id":2,"jsonrpc":"2.0","result":{ ... a Snapshot ... }}
    <- {"jsonrpc":"2.0","method":"snapshot","params":{ ... }}
    <- {"jsonrpc":"2.0","method":"reminder","params":{ ... a Reminder ... }}

Every method declares the permission it needs. A peer is known by its operating-system identity, never by what it says.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec

from contract.catalogue import MessengerId
from contract.ceiling import Detail
from contract.facts import ProcessFacts
from contract.judge import NextStep, Reason, VerdictState
from contract.messages import HeldDevice
from contract.observations import Identity
from contract.policy import Ownership, Profile, Stance
from contract.sides import Assurance, Spoken
from contract.web import Picture
from contract.wire import Dated, Moment

LINE_LIMIT_BYTES = 1024 * 1024
"""The longest line that either side takes; the policy's document is the longest of all."""
REPLY_SECONDS = 5.0
"""How long a client waits for an answer."""

Role = Literal["owner", "person", "stranger"]
"""`owner`: the user whom the agent serves or an administrator; `person`: another user of this device;
`stranger`: somebody whose identity the system does not tell, or who has no business here."""
Permission = Literal["anyone", "own_data", "device_data"]
"""`own_data`: what concerns the caller's own sessions; `device_data`: what concerns the whole device."""
MAY: dict[Role, frozenset[Permission]] = {
    "owner": frozenset({"anyone", "own_data", "device_data"}),
    "person": frozenset({"anyone", "own_data"}),
    "stranger": frozenset({"anyone"}),
}

ServerState = Literal["not_enrolled", "connecting", "reachable", "unreachable", "refused"]


class Problem(msgspec.Struct, frozen=True):
    """Something that Decorum itself cannot do, with its remedy."""

    code: str
    sentence: str
    remedy: str


class MessengerRow(Dated, frozen=True, kw_only=True):
    """A messenger that runs, as judged now."""

    sighting: Identity
    messenger: str
    name: str
    listed: bool
    profile: Profile
    profile_reason: str
    profile_assurance: Assurance | None = None
    """How sure it is; None where an older agent does not tell."""
    profile_signals: tuple[Spoken, ...] = ()
    """All that spoke for a side, the most reliable first."""
    stance: Stance | None
    verdict: VerdictState
    reasons: tuple[Reason, ...]
    rule: str
    rule_text: str | None
    """The company's own words for the rule, in the policy's language."""
    since: Moment
    """When the messenger started."""
    judged_since: Moment
    """Since when this verdict holds."""
    next_step: NextStep
    instead_names: tuple[str, ...]
    """Names of the messengers in `next_step.instead`."""
    captured: bool
    reported: Detail
    """How much of this leaves the device."""
    pid: int
    """Of the messenger's first process; where only a page is open, of the browser."""
    pages: tuple[str, ...] = ()
    """A sentence for each profile of a browser that has its page open."""
    focused: bool = False
    """Whether one of those pages has the keyboard. Shown here, and never reported."""


AtOnce = Literal["applications", "ends"]
"""`applications`: that one with a window or a place in the menu bar starts; `ends`: that a messenger ends."""


class Noticing(msgspec.Struct, frozen=True):
    """How this agent notices that a process starts, or that something is installed."""

    by: Literal["events", "polling"]
    """`events`: the system tells of it; `polling`: it is looked for again and again."""
    why: str | None = None
    """Why it is not by events."""
    remedy: str | None = None
    lost: int = 0
    """How often more was told at once than could be taken; each time everything was looked at."""
    at_once: tuple[AtOnce, ...] = ()
    """What the system tells of although the rest is looked for again and again. None of it where an older agent does not say."""


class CatalogueInUse(Dated, frozen=True, kw_only=True):
    """By what messengers are known on this device."""

    version: int
    """The version of the company's published catalogue; 0 where only the list that came with the agent is used."""
    release: str
    """The release of Decorum that the list came with: the agent's own, or the server's."""
    issued: Moment | None = None
    """When that version was published."""
    corrections: int = 0
    """How many entries of the company's own it has."""
    current: int = 0
    """The newest version, as the server last said; 0 where it said none."""


class WorkChoice(msgspec.Struct, frozen=True):
    """A messenger that can be opened for work."""

    messenger: str
    name: str


class UnretainedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Files that a messenger has saved for work, that nothing retains, and that were not handed over."""

    messenger: str
    name: str
    files: int
    total_bytes: int


class Snapshot(Dated, frozen=True, kw_only=True):
    """All that the status window shows."""

    at: Moment
    state: VerdictState
    """The worst verdict of what runs; `pending` without a policy, `attention` under an expired one."""
    enrolled: bool
    ownership: Ownership
    company: str | None
    policy_title: str | None
    policy_version: int | None
    policy_serial: int
    policy_expired: bool
    server: ServerState
    last_contact: Moment | None
    """When the server last answered."""
    waiting: int
    """Reports that wait to be sent."""
    notice_due: bool
    """Whether the employee has still to be shown what is collected; until then only a heartbeat leaves."""
    messengers: tuple[MessengerRow, ...]
    problems: tuple[Problem, ...] = ()
    questions_contact: str | None = None
    noticing: Noticing | None = None
    """None where an older agent does not tell."""
    catalogue: CatalogueInUse | None = None
    """Alike."""
    installs: Noticing | None = None
    """Alike: how it notices that a messenger is installed or removed."""
    for_work: tuple[WorkChoice, ...] = ()
    """What is installed and may be opened for work, or is to be used for it, by name. None of it where an older agent does not say."""
    unretained: tuple[UnretainedRow, ...] = ()
    """Alike."""
    can_hand_over: bool = False
    """Whether there is a folder for it."""
    not_granted: tuple[str, ...] = ()
    """Sentences: what the policy or an answer of the server asks for beyond what this device grants, and does not get."""


class Reminder(Dated, frozen=True, kw_only=True):
    """A notice for the employee."""

    reminder: Identity
    sighting: Identity
    title: str
    """What to do."""
    sentence: str
    """Why."""
    conduct: str
    """The code of conduct, in the company's words."""
    instead_names: tuple[str, ...]
    rule: str
    rule_text: str | None
    language: str
    text_digest: str
    policy_serial: int
    at: Moment


class LedgerRow(Dated, frozen=True, kw_only=True):
    """One thing that was sent from this device, or tried to be."""

    number: int
    type: str
    sentence: str
    literal: str
    """The very JSON that left."""
    first_attempt: Moment
    attempts: int
    acknowledged: Moment | None


class DisclosurePage(msgspec.Struct, frozen=True, kw_only=True):
    """What Decorum sees, for this device: one row a type, and what the ceiling lets through per profile.

    `work`, `personal` and `unknown` say it of sightings.
    """

    ownership: Ownership
    work: Detail
    personal: Detail
    unknown: Detail
    notice_due: bool
    retention_days: int | None
    others: dict[str, dict[Profile, Detail]] = {}
    """What it lets through of what is installed and of receipts, by their types; where an older agent does not tell, as much as of sightings."""


class Hello(msgspec.Struct, frozen=True):
    """Parameters of `hello`."""

    version: int


class HelloReply(msgspec.Struct, frozen=True):
    """Result of `hello`."""

    agent: str
    version: int


class Nothing(msgspec.Struct, frozen=True):
    """No parameters, or no result."""


class NoticeShown(msgspec.Struct, frozen=True):
    """Parameters of `notice.shown`."""

    language: Annotated[str, msgspec.Meta(max_length=35)] | None = None
    """In which it was shown (BCP 47); None from an older tray."""


class LedgerQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `ledger`; newest first."""

    before: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
    """Only rows with a smaller number."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class LedgerPage(msgspec.Struct, frozen=True):
    """Result of `ledger`."""

    rows: tuple[LedgerRow, ...]


DIFFERENCES_AT_MOST = 50
"""How many differences are told word for word; the others are counted."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that one side has alone."""

    side: Literal["here", "there"]
    literal: str
    uid: int | None
    """The user whom it is about, where that is known."""


class LedgerComparison(Dated, frozen=True, kw_only=True):
    """The ledger beside what the server holds of this device, byte for byte."""

    at: Moment
    equal_reports: int
    equal_check_ins: int
    """Check-ins that the server still has as they were sealed: those that reported something, and the newest."""
    erased_there: int
    """Reports of which the server has nothing left but the digest."""
    forgotten_here: int
    """What the server holds from before this ledger begins."""
    not_arrived: int
    """Reports that were sent and are not known to have arrived, nor held there."""
    missing_there: int
    """Reports that arrived and are not held there."""
    unknown_here: int
    """What the server holds and this ledger does not have."""
    about: HeldDevice | None
    """What the server keeps of the device itself."""
    differences: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether nothing is held that was not sent from here, and nothing has got lost."""
        return not (self.missing_there or self.unknown_here)


class ComparisonQuery(msgspec.Struct, frozen=True):
    """Parameters of `ledger.compare`."""

    begin: bool = False
    """Whether to compare anew; otherwise what is known by now is told."""


class ComparisonPage(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `ledger.compare`; it takes longer than an answer may, so it is asked for again until it no longer runs."""

    is_running: bool
    result: LedgerComparison | None
    problem: Problem | None


class PolicyQuery(msgspec.Struct, frozen=True):
    """Parameters of `policy`."""

    language: str = "en"


class Section(msgspec.Struct, frozen=True):
    """A heading of the policy's document with its paragraphs."""

    heading: str
    paragraphs: tuple[str, ...]


class PolicyPage(Dated, frozen=True, kw_only=True):
    """Result of `policy`: the document people read; without a policy, no sections."""

    title: str | None
    version: int | None
    serial: int
    expires: Moment | None
    sections: tuple[Section, ...]


class IdentifyQuery(msgspec.Struct, frozen=True):
    """Parameters of `identify`."""

    pid: Annotated[int, msgspec.Meta(ge=1, le=2**31)]


class SideTold(msgspec.Struct, frozen=True, kw_only=True):
    """Whose side a process is on, why, how sure that is, and all that spoke, the most reliable first."""

    profile: Profile
    reason: str
    assurance: Assurance
    signals: tuple[Spoken, ...] = ()


class IdentifyReply(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `identify`: the facts of a process and what they point to."""

    facts: ProcessFacts
    messenger: str | None
    explanation: str
    side: SideTold | None = None
    """Whose side it is on; None for what is no messenger, and where an older agent does not tell."""


class ReminderAnswer(msgspec.Struct, frozen=True):
    """Parameters of `reminder.answer`."""

    reminder: Identity
    outcome: Literal["shown", "acknowledged", "deferred"]


class WorkQuery(msgspec.Struct, frozen=True):
    """Parameters of `work`."""

    messenger: MessengerId


class WorkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `work`: what the policy says to opening a messenger for work."""

    opens: tuple[str, ...]
    """Ids of what is to be opened, best first: the messenger itself, or what takes its place; empty for nothing."""
    sentence: str
    """Why it is not the messenger itself; empty where it is."""
    remedy: str


class AskQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `ask`."""

    about: Literal["question", "exemption"]
    messenger: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    """Its id or name."""
    until: date | None = None
    text: Annotated[str, msgspec.Meta(max_length=4000)]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `ask`."""

    request: Identity
    sentence: str
    """What leaves, in words."""


UNRETAINED_AT_ONCE = 200


class UnretainedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that waits to be handed over."""

    messenger: str
    path: str
    size: int


class UnretainedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `unretained`: the first that wait, and where they are handed over to."""

    folder: str | None
    files: tuple[UnretainedFile, ...]


class Handing(msgspec.Struct, frozen=True, kw_only=True):
    """A file and its copy."""

    path: str
    copy: str


class HandedOver(msgspec.Struct, frozen=True):
    """Parameters of `unretained.handed_over`."""

    files: Annotated[tuple[Handing, ...], msgspec.Meta(max_length=UNRETAINED_AT_ONCE)]


class WebPages(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `web.pages`: what a browser's extension tells, and whose extension it is."""

    browser_pid: Annotated[int, msgspec.Meta(ge=1, le=2**31)]
    """The browser that runs the native host; it must be a process of the caller's own."""
    picture: Picture


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One method: what it takes, what it returns, and the permission it needs."""

    name: str
    permission: Permission
    params: type
    result: type


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(name="hello", permission="anyone", params=Hello, result=HelloReply),
        Method(name="status", permission="own_data", params=Nothing, result=Snapshot),
        Method(name="subscribe", permission="own_data", params=Nothing, result=Snapshot),
        Method(name="policy", permission="own_data", params=PolicyQuery, result=PolicyPage),
        Method(name="disclosure", permission="own_data", params=Nothing, result=DisclosurePage),
        Method(name="notice.shown", permission="own_data", params=NoticeShown, result=Nothing),
        Method(name="reminder.answer", permission="own_data", params=ReminderAnswer, result=Nothing),
        Method(name="ledger", permission="own_data", params=LedgerQuery, result=LedgerPage),
        Method(name="ledger.compare", permission="own_data", params=ComparisonQuery, result=ComparisonPage),
        Method(name="identify", permission="device_data", params=IdentifyQuery, result=IdentifyReply),
        Method(name="ask", permission="own_data", params=AskQuery, result=Asked),
        Method(name="unretained", permission="device_data", params=Nothing, result=UnretainedPage),
        Method(name="unretained.handed_over", permission="device_data", params=HandedOver, result=Nothing),
        Method(name="work", permission="own_data", params=WorkQuery, result=WorkAnswer),
        Method(name="web.pages", permission="own_data", params=WebPages, result=Nothing),
        Method(name="check_in", permission="own_data", params=Nothing, result=Nothing),
    )
}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON-RPC request line."""

    jsonrpc: Literal["2.0"]
    id: int
    method: Annotated[str, msgspec.Meta(max_length=64)]
    params: msgspec.Raw = msgspec.Raw(b"{}")


ErrorCode = Literal[-32700, -32600, -32601, -32602, -32603, -32001, -32002]
"""JSON-RPC 2.0's codes; -32001 not permitted, -32002 version too new."""


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was refused, and what to do."""

    code: int
    message: str
    remedy: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A JSON-RPC reply line, or with a method a notification."""

    jsonrpc: Literal["2.0"]
    id: int | None = None
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw(b"")
    """Empty where there is none; msgspec takes no `Raw | None`."""
    result: msgspec.Raw = msgspec.Raw(b"")
    error: ErrorBody | None = None
