"""A reminder as it is shown."""

from collections.abc import Sequence

import msgspec

from contract.local import Reminder, Snapshot
from ui.present.picture import plain
from ui.texts import reminder as texts
from ui.texts import say, say_many


class ReminderView(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, why, the code of conduct, one action, one way to defer, and where it comes from."""

    title: str
    sentence: str
    conduct: str
    primary: str
    """The primary button's label."""
    start: str | None
    """The messenger that the primary action starts; None if it only acknowledges."""
    why: str
    more: str
    """How many wait behind it; empty for none."""


def reminder_view(reminder: Reminder, behind: int, can_start: frozenset[str]) -> ReminderView:
    """Return how a reminder is shown.

    Args:
        reminder: the agent's words.
        behind: how many more wait.
        can_start: names of messengers that can be started from here.
    """
    start = next((name for name in reminder.instead_names if name in can_start), None)
    return ReminderView(
        title=reminder.title,
        sentence=reminder.sentence,
        conduct=reminder.conduct,
        primary=say(texts.CONTINUE, name=plain(start)) if start else say(texts.UNDERSTOOD),
        start=start,
        why=_why(reminder),
        more=say_many(*texts.MORE, behind) if behind else "",
    )


def still_open(reminders: Sequence[Reminder], snapshot: Snapshot) -> tuple[Reminder, ...]:
    """Return the reminders whose messenger still runs; one that is newer than the snapshot cannot be known to be over."""
    running = {row.sighting for row in snapshot.messengers}
    return tuple(one for one in reminders if one.sighting in running or one.at > snapshot.at)


def _why(reminder: Reminder) -> str:
    if reminder.rule.startswith("default-"):
        because = say(texts.WHY_DEFAULT)
    else:
        because = say(texts.WHY_RULE, rule=reminder.rule)
    return f"{because}\n{reminder.rule_text}" if reminder.rule_text else because
