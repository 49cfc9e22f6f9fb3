"""The section `To do`: only what a person can act on, the most pressing first; before all, what is collected."""

from collections.abc import Iterable

import msgspec

from contract.local import MessengerRow, Snapshot, UnretainedRow
from ui.present.moments import when
from ui.present.picture import SHAPES, Action, Picture, Shape, plain
from ui.texts import say, say_many, status

_PROBLEMS_TOLD_ABOVE = {"server"}
"""Problems of the agent that stand among the to-dos in words of their own."""


class TodoView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do. Only the first `primary` of all is drawn as the window's primary action."""

    shape: Shape
    title: str
    detail: str
    primary: Action | None = None
    secondary: Action | None = None


def todos(picture: Picture) -> tuple[TodoView, ...]:
    """Return what is to be done."""
    if picture.link.kind != "connected":
        return tuple(_about_link(picture))
    if picture.snapshot is None:
        return ()
    return tuple(_about_device(picture, picture.snapshot))


def asks_for_something(row: MessengerRow) -> bool:
    """Tell whether a messenger's row is something to do for the person; an expired policy is one thing, not one each."""
    if row.verdict == "violation":
        return True
    return row.verdict == "attention" and row.reasons[0].code != "policy_expired"


def _about_link(picture: Picture) -> Iterable[TodoView]:
    kind = picture.link.kind
    if kind in status.LINK_TODO:
        title, detail = status.LINK_TODO[kind]
        retry = Action("retry", say(status.TRY_AGAIN))
        yield TodoView(
            shape="attention",
            title=say(title),
            detail=say(detail, detail=picture.link.detail),
            primary=Action("restart", say(status.RESTART)) if kind == "agent_newer" else retry,
        )


def _about_device(picture: Picture, snapshot: Snapshot) -> Iterable[TodoView]:
    if not snapshot.enrolled:
        yield TodoView(shape="unknown", title=say(status.ENROL_TITLE), detail=say(status.ENROL_DETAIL))
    if snapshot.notice_due:
        yield TodoView(
            shape="attention",
            title=say(status.NOTICE_TITLE),
            detail=say(status.NOTICE_DETAIL),
            primary=Action("read_notice", say(status.READ_NOTICE)),
        )
    for row in _worst_first(snapshot):
        yield _about_messenger(row, picture)
    for files in snapshot.unretained:
        yield _about_files(files, snapshot)
    check_in = Action("check_in", say(status.CHECK_IN))
    if snapshot.policy_expired:
        yield TodoView(
            shape="attention",
            title=say(status.EXPIRED_TITLE),
            detail=say(status.EXPIRED_DETAIL),
            primary=check_in,
        )
    if snapshot.server == "refused":
        yield TodoView(
            shape="attention",
            title=say(status.REFUSED_TITLE),
            detail=say(status.REFUSED_DETAIL),
            primary=check_in,
        )
    for problem in snapshot.problems:
        if not (problem.code in _PROBLEMS_TOLD_ABOVE and snapshot.server == "refused"):
            yield TodoView(shape="attention", title=problem.sentence, detail=problem.remedy)


def _about_files(files: UnretainedRow, snapshot: Snapshot) -> TodoView:
    contact = snapshot.questions_contact
    if snapshot.can_hand_over:
        detail = say(status.UNRETAINED_DETAIL, name=files.name)
    elif contact is not None:
        detail = say(status.UNRETAINED_ASK, name=files.name, contact=contact)
    else:
        detail = say(status.UNRETAINED_ASK_ANYONE, name=files.name)
    return TodoView(
        shape="attention",
        title=say_many(*status.UNRETAINED_TITLE, files.files),
        detail=detail,
        primary=Action("hand_over", say(status.HAND_OVER), files.messenger)
        if snapshot.can_hand_over
        else None,
    )


def _worst_first(snapshot: Snapshot) -> list[MessengerRow]:
    asking = [row for row in snapshot.messengers if asks_for_something(row)]
    return sorted(asking, key=lambda row: (row.verdict != "violation", row.judged_since, row.sighting))


def _about_messenger(row: MessengerRow, picture: Picture) -> TodoView:
    here = next((name for name in row.instead_names if name in picture.can_start), None)
    if here is not None:
        primary = Action("continue_in", say(status.CONTINUE, name=plain(here)), here)
    else:
        primary = Action("read_rule", say(status.READ_RULE), row.sighting)
    is_open = any(reminder.sighting == row.sighting for reminder in picture.reminders)
    rule = say(status.RULE_DEFAULTS.get(row.rule, "{rule}"), rule=row.rule)
    since = say(status.OPEN_SINCE[row.profile], when=when(row.since, picture.now, picture.zone))
    return TodoView(
        shape=SHAPES[row.verdict],
        title=row.reasons[0].sentence.removesuffix("."),
        detail=f"{since} · {say(status.RULE, rule=rule)}\n{_step(row)}",
        primary=primary,
        secondary=Action("defer", say(status.DEFER), row.sighting) if is_open else None,
    )


def _step(row: MessengerRow) -> str:
    if row.instead_names and row.next_step.code == "use_instead":
        return say(status.CONTINUE_SENTENCE, names=say(status.OR).join(row.instead_names))
    return row.next_step.sentence
