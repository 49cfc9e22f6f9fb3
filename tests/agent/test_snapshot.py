"""What one person is shown: every problem with its remedy, and nobody else's affairs."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agent.catalogue import load
from agent.compliance import Sighting
from agent.privacy import Door
from agent.profiles import Side
from agent.sensing.process_source import ProcessKey
from agent.snapshot import View, build
from contract.evidence import Match
from contract.judge import Circumstances, Subject, judge
from contract.local import Noticing, Snapshot
from contract.messages import PolicyBundle
from tests.fakes.device import EVERYTHING, policy

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BUNDLE = PolicyBundle(serial=7, issued_at=NOW, expires_at=NOW + timedelta(days=90), policy=policy())
VIEW = View(
    at=NOW,
    sightings=(),
    company="Acme",
    ownership="company",
    bundle=BUNDLE,
    policy_expired=False,
    policy_refused=None,
    clock_in_doubt=False,
    server="reachable",
    last_contact=NOW,
    waiting=0,
    problems=(),
    noticing=Noticing("events"),
)


def _sighting(messenger: str, uid: int = 1000) -> Sighting:
    subject = Subject(messenger=messenger, name=messenger.title(), listed=True, profile="work")
    return Sighting(
        id=f"{uid:032x}",
        match=Match(messenger=messenger, name=messenger.title(), listed=True, confidence=1.0, evidence=()),
        side=Side("work", "a test"),
        uid=uid,
        processes=(ProcessKey(1, 1.0),),
        started=NOW,
        verdict=judge(subject, BUNDLE.policy, Circumstances(at=NOW, ownership="company")),
        judged_since=NOW,
    )


def _build(view: View, *, told: bool = True, sees: int | None = None) -> Snapshot:
    door = Door(EVERYTHING, "company", everybody_told=told)
    return build(view, door, load(), uid=1000, sees_uid=sees)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "compliant"),
        ({"bundle": None}, "pending"),
        ({"policy_expired": True}, "attention"),
        ({"sightings": (_sighting("telegram"),)}, "violation"),
        ({"sightings": (_sighting("telegram"),), "policy_expired": True}, "violation"),
        ({"sightings": (_sighting("microsoft-teams"),)}, "compliant"),
    ],
)
def test_the_state_is_the_worst_of_what_runs(changes: dict[str, object], state: str) -> None:
    assert _build(msgspec.structs.replace(VIEW, **changes)).state == state


def test_another_persons_violation_is_not_mine() -> None:
    view = msgspec.structs.replace(VIEW, sightings=(_sighting("telegram", 1001),))
    assert _build(view, sees=1000).state == "compliant"
    assert _build(view, sees=1000).messengers == ()


def test_a_row_says_what_is_reported_and_what_to_use_instead() -> None:
    view = msgspec.structs.replace(VIEW, sightings=(_sighting("telegram"),))
    (row,) = _build(view).messengers
    assert (row.reported, row.instead_names) == ("exact", ("Microsoft Teams",))
    (row,) = _build(view, told=False).messengers
    assert row.reported == "nothing"
    assert _build(view, told=False).notice_due


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"policy_refused": "It was changed."}, "policy_refused"), ({"clock_in_doubt": True}, "clock_in_doubt")],
)
def test_what_does_not_work_is_said_with_a_remedy(changes: dict[str, object], code: str) -> None:
    (problem,) = _build(msgspec.structs.replace(VIEW, **changes)).problems
    assert problem.code == code
    assert problem.remedy
