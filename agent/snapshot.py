"""What one person is shown of the current picture. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from agent.compliance import PageKey, Sighting
from agent.privacy import Door
from agent.reporting.overreach import Asked
from contract.catalogue import Catalogue
from contract.judge import VerdictState, worst
from contract.local import (
    CatalogueInUse,
    MessengerRow,
    Noticing,
    Problem,
    ServerState,
    Snapshot,
    UnretainedRow,
    WorkChoice,
)
from contract.messages import PolicyBundle
from contract.observations import ASKED_FOR_MORE
from contract.policy import Ownership


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that bears on what is shown."""

    at: datetime
    sightings: tuple[Sighting, ...]
    company: str | None
    """None while the device is not enrolled."""
    ownership: Ownership
    bundle: PolicyBundle | None
    policy_expired: bool
    policy_refused: str | None
    """Why the last policy that came was refused."""
    clock_in_doubt: bool
    server: ServerState
    last_contact: datetime | None
    waiting: int
    problems: tuple[Problem, ...]
    noticing: Noticing
    installs: Noticing | None = None
    captured: frozenset[str] = frozenset()
    """Ids of the sightings whose channel is captured."""
    focused: frozenset[PageKey] = frozenset()
    """Pages that have the keyboard."""
    catalogue: CatalogueInUse | None = None
    catalogue_refused: str | None = None
    """Why the last catalogue that came was refused."""
    for_work: tuple[WorkChoice, ...] = ()
    """What may be opened for work here."""
    unretained: tuple[UnretainedRow, ...] = ()
    """Of the user whom the agent serves."""
    can_hand_over: bool = False
    asked_for_more: tuple[Asked, ...] = ()
    """What the server asks for and does not get."""


def build(view: View, door: Door, catalogue: Catalogue, *, uid: int | None, sees_uid: int | None) -> Snapshot:
    """Return the picture for one person.

    Args:
        view: the whole picture.
        door: says how much of it leaves the device.
        catalogue: names.
        uid: who asks.
        sees_uid: whose sightings they may see; None for everybody's.
    """
    seen = [one for one in view.sightings if sees_uid is None or one.uid == sees_uid]
    policy = None if view.bundle is None else view.bundle.policy
    return Snapshot(
        at=view.at,
        state=_state(view, seen),
        enrolled=view.company is not None,
        ownership=view.ownership,
        company=view.company,
        policy_title=None if policy is None else policy.text(policy.title, policy.language),
        policy_version=None if policy is None else policy.version,
        policy_serial=0 if view.bundle is None else view.bundle.serial,
        policy_expired=view.policy_expired,
        server=view.server,
        last_contact=view.last_contact,
        waiting=view.waiting,
        notice_due=uid is not None and not door.was_told(uid),
        messengers=tuple(_row(one, view, door, catalogue) for one in seen),
        problems=tuple(_problems(view)),
        questions_contact=None if policy is None else policy.contacts.questions,
        noticing=view.noticing,
        installs=view.installs,
        catalogue=view.catalogue,
        for_work=view.for_work,
        unretained=view.unretained,
        can_hand_over=view.can_hand_over,
        not_granted=tuple(one.sentence for one in view.asked_for_more if one.kind != "wish"),
    )


def _problems(view: View) -> Iterable[Problem]:
    yield from view.problems
    if view.policy_refused is not None:
        yield Problem(
            "policy_refused",
            f"A new policy was refused: {view.policy_refused}",
            "The last good one stays in force; tell your administrator.",
        )
    if view.catalogue_refused is not None:
        yield Problem(
            "catalogue_refused",
            f"A new list of messengers was refused: {view.catalogue_refused}",
            "The last good one stays in use; tell your administrator.",
        )
    for one in view.asked_for_more:
        if one.kind == "wish":
            yield Problem(
                ASKED_FOR_MORE, one.sentence, "It got nothing of that; tell whoever answers for the server."
            )
    if view.clock_in_doubt:
        yield Problem(
            "clock_in_doubt",
            "This device's clock contradicts the server's.",
            "Set the clock; until then nothing is judged by the time of day.",
        )


def _state(view: View, seen: Sequence[Sighting]) -> VerdictState:
    if view.bundle is None:
        return "pending"
    state = worst([sighting.verdict.state for sighting in seen])
    return worst([state, "attention"]) if view.policy_expired else state


def _row(sighting: Sighting, view: View, door: Door, catalogue: Catalogue) -> MessengerRow:
    verdict, match = sighting.verdict, sighting.match
    policy = None if view.bundle is None else view.bundle.policy
    has_text = policy is not None and verdict.text is not None
    return MessengerRow(
        sighting=sighting.id,
        messenger=match.messenger,
        name=match.name,
        listed=match.listed,
        profile=sighting.side.profile,
        profile_reason=sighting.side.reason,
        profile_assurance=sighting.side.assurance,
        profile_signals=sighting.side.spoke,
        stance=verdict.stance,
        verdict=verdict.state,
        reasons=verdict.reasons,
        rule=verdict.rule,
        rule_text=policy.text(verdict.text, policy.language)
        if has_text and policy and verdict.text
        else None,
        since=sighting.started,
        judged_since=sighting.judged_since,
        next_step=verdict.next_step,
        instead_names=tuple(catalogue.name_of(one) for one in verdict.next_step.instead),
        captured=sighting.id in view.captured,
        reported=door.detail(sighting.side.profile, sighting.uid),
        pid=sighting.pids[0],
        pages=tuple(page_sentence(match.name, page) for page in sighting.pages),
        focused=not view.focused.isdisjoint(sighting.pages),
    )


def page_sentence(name: str, page: PageKey) -> str:
    """Return the sentence that says which page is open where."""
    return f"The page of {name} is open in {page.browser_name}."
