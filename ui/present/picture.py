"""All that bears on what is shown, and what a button does."""

from datetime import datetime, tzinfo
from typing import Literal

import msgspec

from contract.judge import VerdictState
from contract.local import Reminder, Snapshot
from ui.link_state import LinkState

Shape = Literal["compliant", "attention", "violation", "unknown", "exempt"]
"""A state as it is drawn: check in a circle, triangle, octagon, dashed circle, shield."""
SHAPES: dict[VerdictState, Shape] = {
    "compliant": "compliant",
    "exempt": "exempt",
    "attention": "attention",
    "violation": "violation",
    "pending": "unknown",
    "unknowable": "unknown",
}

ActionKind = Literal[
    "continue_in", "read_notice", "read_rule", "retry", "restart", "check_in", "defer", "hand_over"
]


class Action(msgspec.Struct, frozen=True):
    """What a button does: its kind, its label with a mnemonic, and what it is about."""

    kind: ActionKind
    label: str
    about: str = ""
    """A messenger's name, a sighting or a rule, as the kind asks."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is to show at one moment."""

    link: LinkState
    snapshot: Snapshot | None
    now: datetime
    zone: tzinfo | None = None
    """The user's time zone; None for the system's own."""
    reminders: tuple[Reminder, ...] = ()
    """Reminders that were not answered yet, the oldest first."""
    can_start: frozenset[str] = frozenset()
    """Names of messengers that can be started from here."""
    is_checking_in: bool = False
    opened_without_tray: bool = False


def plain(text: str) -> str:
    """Return a text that may stand on a button: an ampersand would be taken for a mnemonic.

    >>> plain("AT&T")
    'AT&&T'
    """
    return text.replace("&", "&&")
