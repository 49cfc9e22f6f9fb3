"""The tray's icon and what it says when pointed at."""

import msgspec

from contract.local import WorkChoice
from ui.present.picture import Shape
from ui.present.status import StatusView
from ui.texts import say, say_many, status

_ASKING: frozenset[Shape] = frozenset({"attention", "violation"})
"""Shapes that ask for something by themselves; a badge on them would only make them harder to read."""


class TrayView(msgspec.Struct, frozen=True, kw_only=True):
    """A shape, whether something is to be done, and a sentence."""

    shape: Shape
    has_badge: bool
    sentence: str
    tooltip: str
    can_check_in: bool
    for_work: tuple[WorkChoice, ...]
    """What the menu offers to open for work."""


def tray(shown: StatusView, for_work: tuple[WorkChoice, ...] = ()) -> TrayView:
    """Return what the tray shows beside that status window.

    Args:
        shown: what the window shows.
        for_work: what can be opened for work.
    """
    lines = [say(status.TOOLTIP, sentence=shown.sentence)]
    if shown.todos:
        lines.append(say_many(*status.TODO_COUNT, len(shown.todos)))
    return TrayView(
        shape=shown.shape,
        has_badge=bool(shown.todos) and shown.shape not in _ASKING,
        sentence=shown.sentence,
        tooltip="\n".join(lines),
        can_check_in=shown.can_check_in,
        for_work=for_work,
    )
