"""The status window: one sentence, whose policy, what to do, what runs."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from contract.local import Snapshot
from ui.present.moments import when
from ui.present.picture import SHAPES, Picture, Shape
from ui.present.rows import RowView, rows
from ui.present.todo import TodoView, asks_for_something, todos
from ui.texts import say, say_many, status

NAME_CHARACTERS = 32
"""A longer name of a messenger stands among the things to do, not in the sentence."""
NoteIcon = Literal["cloud-off", "info"]


class NoteView(msgspec.Struct, frozen=True):
    """Something good to know that asks for nothing; the icon is one of the set's."""

    icon: NoteIcon
    text: str


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """All that the status window shows."""

    shape: Shape
    sentence: str
    muted: str
    """Whose policy, which, when it was checked."""
    notes: tuple[NoteView, ...]
    todos: tuple[TodoView, ...]
    rows: tuple[RowView, ...]
    empty: str | None
    """What stands in place of rows; None while nothing is known, so that the section is left out."""
    can_check_in: bool


def view(picture: Picture) -> StatusView:
    """Return what the status window shows of a picture."""
    snapshot = picture.snapshot if picture.link.kind == "connected" else None
    known = rows(picture, snapshot) if snapshot else ()
    return StatusView(
        shape=_shape(picture, snapshot),
        sentence=_sentence(picture, snapshot),
        muted=_muted(picture, snapshot),
        notes=tuple(_notes(picture, snapshot)),
        todos=todos(picture),
        rows=known,
        empty=say(status.NO_MESSENGER) if snapshot and not known else None,
        can_check_in=snapshot is not None and snapshot.enrolled and not picture.is_checking_in,
    )


def _shape(picture: Picture, snapshot: Snapshot | None) -> Shape:
    if snapshot is None:
        return "attention" if picture.link.kind == "untrusted" else "unknown"
    return SHAPES[snapshot.state] if snapshot.enrolled else "unknown"


def _sentence(picture: Picture, snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return say(status.LINK_SENTENCES[picture.link.kind])
    if not snapshot.enrolled:
        return say(status.NOT_ENROLLED)
    asking = [row for row in snapshot.messengers if asks_for_something(row)]
    not_in_line = sorted({row.name for row in asking if row.verdict == "violation"})
    if len(not_in_line) == 1 and len(not_in_line[0]) <= NAME_CHARACTERS:
        return say(status.ONE_VIOLATION, name=not_in_line[0])
    if not_in_line:
        return say_many(*status.MANY_VIOLATIONS, len(not_in_line))
    if len(asking) == 1 and len(asking[0].name) <= NAME_CHARACTERS:
        return say(status.ONE_ATTENTION, name=asking[0].name)
    if snapshot.policy_expired and not asking:
        return say(status.EXPIRED)
    return say(status.SENTENCES[snapshot.state])


def _muted(picture: Picture, snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return say(status.LINK_MUTED.get(picture.link.kind, ""))
    if not snapshot.enrolled:
        return say(status.NOTHING_LEAVES)
    return status.MUTED_JOIN.join(_whose(picture, snapshot))


def _whose(picture: Picture, snapshot: Snapshot) -> Iterable[str]:
    if snapshot.company:
        yield snapshot.company
    if snapshot.policy_title is None:
        yield say(status.NO_POLICY)
    else:
        yield say(status.POLICY_NAME, title=snapshot.policy_title, version=snapshot.policy_version)
    if picture.is_checking_in:
        yield say(status.CHECKING)
    elif snapshot.last_contact is not None and snapshot.server != "unreachable":
        yield say(status.CHECKED, when=when(snapshot.last_contact, picture.now, picture.zone))


def _notes(picture: Picture, snapshot: Snapshot | None) -> Iterable[NoteView]:
    if snapshot is not None and snapshot.enrolled:
        if snapshot.state == "exempt":
            yield NoteView("info", say(status.EXEMPTION_HOLDS))
        if snapshot.server == "unreachable":
            yield NoteView("cloud-off", " ".join(_unreachable(picture, snapshot)))
        elif snapshot.server == "connecting" and snapshot.last_contact is None:
            yield NoteView("info", say(status.CONNECTING_SERVER))
    if picture.opened_without_tray:
        yield NoteView("info", say(status.NO_TRAY))


def _unreachable(picture: Picture, snapshot: Snapshot) -> Iterable[str]:
    if snapshot.last_contact is None:
        yield say(status.UNREACHABLE_EVER)
    else:
        since = when(snapshot.last_contact, picture.now, picture.zone)
        yield say(status.UNREACHABLE, when=since)
    if snapshot.waiting:
        yield say_many(*status.WAITING, snapshot.waiting)
    if snapshot.policy_title is not None and not snapshot.policy_expired:
        yield say(status.POLICY_HOLDS)
