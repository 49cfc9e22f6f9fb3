"""Whether a channel is captured: retained by a connector that has been heard from within the policy's limit, and why not. Pure.

A channel stops being captured by itself, when its connector falls silent or nothing more is known of it; only a connector's word starts it.
Only the work side is ever captured: no connector retains what somebody writes for themselves.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from contract.policy import CaptureRule, Line, Profile
from contract.wire import Dated, Moment, encode

TOLD_BYTES_AT_MOST = 8 * 1024
"""How much an answer to a device tells of connectors."""
AHEAD = timedelta(minutes=10)
"""A word that is dated later than this from now counts for nothing; clocks that agree well enough differ by less."""
OUT_OF_TOUCH = timedelta(hours=1)
"""After how long without an answer of the server a device says that it could not know better."""

CaptureState = Literal[
    "captured",
    "silent",
    "out_of_touch",
    "not_covered",
    "ahead",
    "unreadable",
    "revoked",
    "never",
    "no_connector",
    "not_work",
    "unknown",
]
"""What says most first: of several connectors of one messenger, the first of these counts."""
_ORDER: tuple[CaptureState, ...] = (
    "captured",
    "silent",
    "out_of_touch",
    "not_covered",
    "ahead",
    "unreadable",
    "revoked",
    "never",
)


class ConnectorHeard(Dated, frozen=True, kw_only=True):
    """What a server tells a device of one connector that the policy in force names."""

    connector: Line
    heard_at: Moment | None
    """None if never."""
    messengers: tuple[Line, ...]
    """Those of the policy that it says it retains."""
    is_revoked: bool = False
    """Whether the company took back its permission to report."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What is known here of a connector, whichever way it reports."""

    connector: str
    heard_at: datetime | None
    """None if never."""
    covers: frozenset[str] | None = None
    """Messengers that it says it retains; None for each whose rule names it."""
    known_at: datetime | None = None
    """Until when this is known; None if it was looked at here."""
    trouble: Literal["unreadable", "revoked"] | None = None
    """Why nothing it says counts."""


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a channel is captured now, and if not, why."""

    state: CaptureState
    connector: str = ""
    heard_at: datetime | None = None
    known_at: datetime | None = None

    @property
    def is_captured(self) -> bool:
        """Whether its messages are retained, as far as anybody has said recently."""
        return self.state == "captured"

    @property
    def why_not(self) -> str:
        """Why it is not captured, as the end of a sentence; empty if it is.

        >>> Capture(state="never", connector="LeapXpert").why_not
        'LeapXpert, which is to retain its messages, has never been heard from'
        """
        retains = f"{self.connector}, which retains its messages,"
        last = "was last heard from" if self.heard_at is None else f"was last heard from {_on(self.heard_at)}"
        since = "lately" if self.known_at is None else f"since {_at(self.known_at)}"
        dated = "in a time" if self.heard_at is None else _at(self.heard_at)
        words: dict[CaptureState, str] = {
            "captured": "",
            "silent": f"{retains} {last}",
            "out_of_touch": f"{retains} {last}, and this device has not been in touch with the server {since}",
            "not_covered": f"{self.connector} does not say that it retains its messages",
            "ahead": f"what {self.connector} says is dated {dated}, which is still to come",
            "unreadable": f"the folder in which {self.connector} leaves its messages cannot be read",
            "revoked": f"{self.connector}, which retained its messages, may no longer report",
            "never": f"{self.connector}, which is to retain its messages, has never been heard from",
            "no_connector": "the policy names no connector that retains its messages",
            "not_work": "nobody retains what is not written for work",
            "unknown": "nothing has confirmed that its messages are retained",
        }
        return words[self.state]


def capture_of(
    rules: Sequence[CaptureRule], messenger: str, profile: Profile, words: Iterable[Word], at: datetime
) -> Capture:
    """Return whether a channel is captured; one connector that was heard in time is enough.

    Args:
        rules: the capture rules of the policy in force.
        messenger: a catalogue id, or `unlisted:<key>`.
        profile: whose side.
        words: all that is known of connectors.
        at: the time, as well as it is known.
    """
    if profile != "work":
        return Capture(state="not_work")
    by_name: dict[str, list[Word | None]] = {}
    for word in words:
        by_name.setdefault(word.connector, []).append(word)
    found = [
        _judged(rule, word, at)
        for rule in rules
        if rule.messenger == messenger
        for word in by_name.get(rule.connector, [None])
    ]
    return min(found, key=_rank, default=Capture(state="no_connector"))


def _rank(capture: Capture) -> tuple[int, float]:
    latest = 0.0 if capture.heard_at is None else -capture.heard_at.timestamp()
    return _ORDER.index(capture.state), latest


def _judged(rule: CaptureRule, word: Word | None, at: datetime) -> Capture:
    if word is None:
        return Capture(state="never", connector=rule.connector)
    state = _state(rule, word, at)
    return Capture(state=state, connector=rule.connector, heard_at=word.heard_at, known_at=word.known_at)


def _state(rule: CaptureRule, word: Word, at: datetime) -> CaptureState:
    limit, known = timedelta(hours=rule.silent_hours_at_most), word.known_at
    if word.trouble is not None:
        return word.trouble
    if word.heard_at is None:
        return "never"
    if word.covers is not None and rule.messenger not in word.covers:
        return "not_covered"
    if word.heard_at - at > AHEAD:
        return "ahead"
    if at - word.heard_at <= limit:
        return "captured"
    could_know = known is None or known - word.heard_at > limit or at - known < OUT_OF_TOUCH
    return "silent" if could_know else "out_of_touch"


def fitting(told: Iterable[ConnectorHeard]) -> tuple[ConnectorHeard, ...]:
    """Return as many as an answer tells, from the first on; of the others a device knows nothing, so they capture nothing."""
    taken: list[ConnectorHeard] = []
    left = TOLD_BYTES_AT_MOST
    for one in told:
        left -= len(encode(one)) + 1
        if left < 0:
            break
        taken.append(one)
    return tuple(taken)


def named_connectors(rules: Iterable[CaptureRule]) -> dict[str, tuple[str, ...]]:
    """Return the connectors that capture rules name, each with its messengers, in their order.

    >>> rules = [CaptureRule(messenger=one, connector="LeapXpert") for one in ("whatsapp", "wechat")]
    >>> named_connectors(rules)
    {'LeapXpert': ('whatsapp', 'wechat')}
    """
    named: dict[str, list[str]] = {}
    for rule in rules:
        messengers = named.setdefault(rule.connector, [])
        if rule.messenger not in messengers:
            messengers.append(rule.messenger)
    return {connector: tuple(messengers) for connector, messengers in named.items()}


def _on(moment: datetime) -> str:
    return f"on {_at(moment)}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d at %H:%M}"
