"""One application is one sighting, with all its processes; what comes out are transitions, never samples."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agent.compliance import Compliance, Found
from agent.profiles import Side
from agent.sensing.process_source import ProcessKey
from contract.evidence import Match
from contract.judge import NextStep, Reason, Subject, Verdict, VerdictState
from contract.policy import Profile

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)


def verdict(state: VerdictState = "violation", rule: str = "r", step: str = "Close it.") -> Verdict:
    return Verdict(
        state=state,
        reasons=(Reason("banned", "It is banned."),),
        rule=rule,
        stance="banned",
        next_step=NextStep("close", step),
        rung="remind",
    )


def found(
    pid: int = 10,
    messenger: str = "telegram",
    uid: int = 1000,
    profile: Profile = "work",
    started: float = 1.0,
) -> Found:
    match = Match(messenger=messenger, name=messenger.title(), listed=True, confidence=1.0, evidence=())
    return Found(ProcessKey(pid, started), uid, match, Side(profile, "a test"))


class Picture:
    """A picture, and what changed in it, in a form that is easy to compare."""

    def __init__(self) -> None:
        self.compliance = Compliance()
        self.verdict = verdict()
        self.asked: list[Subject] = []

    def judge(self, subject: Subject) -> Verdict:
        self.asked.append(subject)
        return self.verdict

    def take(self, *appeared: Found, gone: tuple[Found, ...] = ()) -> list[tuple[str, str]]:
        transitions = self.compliance.take(appeared, [one.key for one in gone], self.judge, AT)
        return [(one.kind, one.sighting.match.messenger) for one in transitions]

    def rejudge(self, answer: Verdict) -> list[str]:
        self.verdict = answer
        return [one.kind for one in self.compliance.rejudge(self.judge, LATER)]


@pytest.fixture
def picture() -> Picture:
    return Picture()


def test_a_messenger_that_starts_is_judged_and_told_once(picture: Picture) -> None:
    assert picture.take(found()) == [("started", "telegram")]
    assert picture.asked == [Subject(messenger="telegram", name="Telegram", listed=True, profile="work")]
    assert picture.take(found()) == []
    (sighting,) = picture.compliance.sightings()
    assert (sighting.started, sighting.judged_since, sighting.verdict) == (AT, AT, verdict())
    assert sighting.channel == "telegram/work"


def test_further_processes_of_an_application_belong_to_it(picture: Picture) -> None:
    picture.take(found(10))
    assert picture.take(found(11), found(12)) == []
    (sighting,) = picture.compliance.sightings()
    assert [key.pid for key in sighting.processes] == [10, 11, 12]
    assert picture.compliance.tracked_pids() == {10, 11, 12}


def test_it_has_ended_when_its_last_process_has(picture: Picture) -> None:
    one, two = found(10), found(11)
    picture.take(one, two)
    assert picture.take(gone=(one,)) == []
    assert picture.take(gone=(two,)) == [("ended", "telegram")]
    assert picture.compliance.sightings() == ()
    assert picture.compliance.tracked_pids() == frozenset()


@pytest.mark.parametrize(
    "other", [found(11, messenger="slack"), found(11, uid=1001), found(11, profile="unknown")]
)
def test_another_messenger_user_or_side_is_another_sighting(picture: Picture, other: Found) -> None:
    picture.take(found(10))
    assert [kind for kind, _ in picture.take(other)] == ["started"]
    first, second = picture.compliance.sightings()
    assert first.id != second.id


def test_a_process_that_became_another_messenger_ended_the_one_and_started_the_other(
    picture: Picture,
) -> None:
    picture.take(found(10))
    assert picture.take(found(10, messenger="slack")) == [("ended", "telegram"), ("started", "slack")]


def test_of_several_processes_only_the_one_that_changed_leaves(picture: Picture) -> None:
    picture.take(found(10), found(11))
    assert picture.take(found(11, messenger="slack")) == [("started", "slack")]
    telegram = next(one for one in picture.compliance.sightings() if one.match.messenger == "telegram")
    assert [key.pid for key in telegram.processes] == [10]


def test_a_pid_used_again_by_the_same_messenger_is_a_new_start(picture: Picture) -> None:
    old, new = found(10, started=1.0), found(10, started=2.0)
    picture.take(old)
    before = picture.compliance.sightings()[0].id
    assert picture.take(new, gone=(old,)) == [("ended", "telegram"), ("started", "telegram")]
    assert picture.compliance.sightings()[0].id != before


def test_the_end_of_what_was_never_seen_is_no_news(picture: Picture) -> None:
    picture.take(found(10))
    assert picture.take(gone=(found(99), found(10, started=9.0))) == []
    assert len(picture.compliance.sightings()) == 1


def test_a_new_verdict_or_rule_is_told_with_the_time_since_when(picture: Picture) -> None:
    picture.take(found())
    assert picture.rejudge(verdict("compliant")) == ["judged"]
    assert picture.compliance.sightings()[0].judged_since == LATER
    assert picture.rejudge(verdict("compliant", rule="other")) == ["judged"]
    assert picture.rejudge(verdict("compliant", rule="other")) == []


def test_other_words_for_the_same_verdict_are_shown_and_not_told(picture: Picture) -> None:
    picture.take(found())
    assert picture.rejudge(verdict(step="Continue elsewhere.")) == []
    (sighting,) = picture.compliance.sightings()
    assert sighting.verdict.next_step.sentence == "Continue elsewhere."
    assert sighting.judged_since == AT


def test_sightings_come_in_the_order_in_which_they_started(picture: Picture) -> None:
    picture.compliance.take([found(10, "zoom")], [], picture.judge, LATER)
    picture.compliance.take([found(11, "slack")], [], picture.judge, AT)
    assert [one.match.messenger for one in picture.compliance.sightings()] == ["slack", "zoom"]


def test_what_was_open_before_goes_on_under_its_id(picture: Picture) -> None:
    picture.take(found(10))
    (before,) = picture.compliance.sightings()
    resumed = Compliance([before])
    assert resumed.take([found(10)], [], picture.judge, LATER) == []
    assert resumed.sightings() == (before,)
    (ended,) = resumed.take([], [found(10).key], picture.judge, LATER)
    assert (ended.kind, ended.sighting.id, ended.at) == ("ended", before.id, LATER)


def test_an_identity_tells_nothing(picture: Picture) -> None:
    picture.take(found(10), found(11, "slack"))
    ids = [one.id for one in picture.compliance.sightings()]
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in ids)
    assert len(set(ids)) == 2
    again = Picture()
    again.take(found(10))
    assert again.compliance.sightings()[0].id not in ids


def test_a_sighting_is_never_changed_in_place(picture: Picture) -> None:
    picture.take(found(10))
    (before,) = picture.compliance.sightings()
    copy = msgspec.structs.replace(before)
    picture.take(found(11))
    picture.rejudge(verdict("compliant"))
    assert before == copy


def test_a_messenger_that_is_called_otherwise_now_stays_the_same_sighting_under_its_new_name(
    picture: Picture,
) -> None:
    first = found()
    picture.take(first)
    (before,) = picture.compliance.sightings()
    renamed = msgspec.structs.replace(first, match=msgspec.structs.replace(first.match, name="Telegram here"))
    assert picture.take(renamed) == []
    (after,) = picture.compliance.sightings()
    assert (after.id, after.match.name) == (before.id, "Telegram here")
