"""A server that asks for more than it may have gets nothing, and it is told: to the person, and once to the server's administrators."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from agent.journal import Journal
from agent.localapi.server import Caller
from agent.privacy import Door
from agent.reporting.outbox import Outbox
from agent.reporting.overreach import AT_ONCE, Overreach
from agent.reporting.wishes import kept
from agent.settings import load
from agent.store import Store
from contract import wire
from contract.ceiling import Ceiling, ProfileCeiling
from contract.envelope import payload_of, seal
from contract.observations import ASKED_FOR_MORE, PolicyAnswer, Trouble, sentence
from tests.fakes.central_server import START, CentralServer, _address
from tests.fakes.device import policy
from tests.fakes.running_agent import OWNER_UID, RunningAgent

OWNER = Caller("owner", OWNER_UID)
LITTLE = Ceiling(company=ProfileCeiling(work="name"))
MORE = Ceiling(company=ProfileCeiling(work="exact", personal="kind"))


def told(agent: RunningAgent) -> list[str]:
    """Return what the server's administrators were told of it."""
    taken = agent.device.server.taken.values()
    return [one.detail for one in taken if isinstance(one, Trouble) and one.code == ASKED_FOR_MORE]


def shown(agent: RunningAgent) -> tuple[list[str], list[str]]:
    """Return what a person sees of it: as problems, and as remarks."""
    status = agent.ask("status", {}, OWNER)["result"]
    problems = [one["sentence"] for one in status["problems"] if one["code"] == ASKED_FOR_MORE]
    return problems, status["not_granted"]


def journalled(agent: RunningAgent) -> list[str]:
    troubles = [one.body for one in agent.agent._journal.entries() if one.kind == "trouble" and one.body]
    return [json.loads(body)["detail"] for body in troubles if ASKED_FOR_MORE in body.decode()]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ceiling", "exact"),
        ("ownership", "company"),
        ("notice", "given"),
        ("highest_rung", "close"),
        ("server_url", "https://elsewhere.example.com"),
        ("root_fingerprint", "a" * 43),
        ("web_extension", "a" * 32),
        ("key_store", "file"),
        ("invented_later", True),
        ("poll_milliseconds", 1),
        ("poll_milliseconds", "fast"),
    ],
)
def test_a_wish_that_no_server_may_have_gets_nothing_and_is_told_once(
    tmp_path: Path, name: str, wanted: str | int
) -> None:
    with RunningAgent(tmp_path) as agent:
        before = load(None).values
        agent.device.server.wishes = {name: wanted}
        for _ in range(4):
            agent.check_in()
        after = load(None, server=kept(tmp_path)).values
        assert {one: after[one].value for one in after if one != "check_in_seconds"} == {
            one: before[one].value for one in before if one != "check_in_seconds"
        }
        (reported,) = told(agent)
        assert repr(name) in reported
        problems, remarks = shown(agent)
        assert (len(problems), remarks) == (1, [])
        assert problems[0].startswith(reported.removesuffix("…"))
        assert journalled(agent) == [reported]


def test_a_wish_that_is_taken_back_is_no_problem_any_more_and_a_new_one_is_told_anew(tmp_path: Path) -> None:
    with RunningAgent(tmp_path) as agent:
        for wishes in ({"notice": "given"}, {}, {"notice": "given"}):
            agent.device.server.wishes = dict(wishes)
            agent.check_in()
            agent.check_in()
            assert len(shown(agent)[0]) == len(wishes)
        assert len(told(agent)) == 2


def test_a_wish_that_a_server_may_have_is_nothing_to_tell_of(tmp_path: Path) -> None:
    with RunningAgent(tmp_path) as agent:
        agent.device.server.wishes = {"poll_milliseconds": 900}
        agent.check_in()
        agent.check_in()
        assert (told(agent), shown(agent)) == ([], ([], []))


def test_before_the_notice_the_person_sees_it_and_the_server_hears_of_it_once_the_notice_was_shown(
    tmp_path: Path,
) -> None:
    with RunningAgent(tmp_path, notice="show") as agent:
        agent.device.server.wishes = {"ceiling": "exact"}
        agent.check_in()
        agent.check_in()
        assert told(agent) == []
        assert len(shown(agent)[0]) == 1
        agent.ask("notice.shown", {"language": "en"}, OWNER)
        agent.check_in()
        agent.check_in()
        assert len(told(agent)) == 1
        assert len(journalled(agent)) == 1


def test_a_policy_with_a_higher_ceiling_raises_nothing_and_is_told_once(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, ceiling=LITTLE) as agent:
        agent.device.server.publish(policy(ceiling=MORE, version=2))
        for _ in range(4):
            agent.check_in()
        door = agent.agent._door
        assert (door.ceiling("work"), door.ceiling("personal")) == ("name", "nothing")
        (reported,) = told(agent)
        assert "Policy number 2 would let more leave" in reported
        assert "(work, personal)" in reported
        assert shown(agent) == ([], [reported])
        assert journalled(agent) == [reported]


@pytest.mark.parametrize("ceiling", [None, LITTLE, Ceiling()])
def test_a_policy_that_lowers_or_is_silent_is_nothing_to_tell_of(
    tmp_path: Path, ceiling: Ceiling | None
) -> None:
    with RunningAgent(tmp_path, ceiling=LITTLE) as agent:
        agent.device.server.publish(policy(ceiling=ceiling, version=2))
        agent.check_in()
        agent.check_in()
        assert (told(agent), shown(agent)) == ([], ([], []))


def _in_the_reply(server: CentralServer, answer: bytes) -> bytes:
    del server
    return wire.encode(json.loads(answer) | {"also_collect": ["titles"]})


def _within_the_seal(server: CentralServer, answer: bytes) -> bytes:
    reply = json.loads(answer)
    said = json.loads(payload_of(reply["sealed"])) | {"ceiling": {"company": {"personal": "exact"}}}
    address = _address("acknowledgement", server.device)
    return wire.encode(reply | {"sealed": seal(wire.encode(said), address, server.server_key)})


@pytest.mark.parametrize(
    ("change", "field"), [(_in_the_reply, "$.also_collect"), (_within_the_seal, "$.ceiling")]
)
def test_a_field_that_this_version_does_not_know_gets_nothing_and_is_told_once(
    tmp_path: Path, change: Callable[[CentralServer, bytes], bytes], field: str
) -> None:
    with RunningAgent(tmp_path, ceiling=LITTLE) as agent:
        server = agent.device.server
        server.tamper = lambda answer: change(server, answer)
        for _ in range(4):
            agent.check_in()
        assert agent.agent._door.ceiling("personal") == "nothing"
        (reported,) = told(agent)
        assert reported.endswith(field)
        assert shown(agent) == ([], [reported])


@pytest.mark.parametrize("untrusted", [b'"\xff"', b"1e999999", b'{"\xff":[{}]}'])
def test_a_field_that_cannot_be_read_keeps_no_answer_from_being_taken(
    tmp_path: Path, untrusted: bytes
) -> None:
    with RunningAgent(tmp_path) as agent:
        agent.device.server.tamper = lambda answer: answer[:-1] + b',"more":' + untrusted + b"}"
        for _ in range(3):
            agent.check_in()
        assert agent.agent._reporter.server == "reachable"
        assert len(told(agent)) == 1


def test_a_policy_whose_ceiling_names_something_unknown_is_refused_and_told(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, ceiling=LITTLE) as agent:
        server = agent.device.server
        published = server.publish(policy(version=2))
        written = json.loads(wire.encode(published))
        written["policy"]["ceiling"] = {"company": {"everything": "exact"}}
        server.bundle = seal(wire.encode(written), _address("policy-bundle", "*"), server.policy_key)
        for _ in range(3):
            agent.check_in()
        answers = [one for one in server.taken.values() if isinstance(one, PolicyAnswer)]
        assert [one.outcome for one in answers if one.serial is None] == ["refused"]
        assert agent.agent._shelf.serial == 1


def test_a_server_that_asks_for_a_thousand_things_fills_nothing(tmp_path: Path) -> None:
    with RunningAgent(tmp_path) as agent:
        agent.device.server.wishes = {f"wish_{number}": 1 for number in range(1000)}
        agent.check_in()
        agent.check_in()
        assert len(told(agent)) == AT_ONCE


def test_it_is_remembered_over_a_start(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path / "state.sqlite3")
        outbox, journal = Outbox(store), Journal(store)
        overreach = Overreach(store, journal, outbox, Door(LITTLE, "company", everybody_told=True))
        with store.transaction():
            overreach.take("wish", ["The server asked for the moon."], START)
        assert outbox.count_due(START) == 1
        assert [one.sentence for one in overreach.all()] == ["The server asked for the moon."]
        store.close()


def test_the_ledger_says_it_in_the_same_words() -> None:
    trouble = Trouble(code=ASKED_FOR_MORE, detail="The server asked for the moon.", at=START)
    assert sentence(trouble) == trouble.detail
    assert sentence(msgspec.structs.replace(trouble, code="other")).startswith("A part of Decorum")
