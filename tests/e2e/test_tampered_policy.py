"""A policy that somebody on the wire has changed is refused, said so, and the last good one stays."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for
from tests.e2e.tampering_proxy import TamperingProxy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.server("migrate")
        one.publish(policy_text("pidgin", "banned"))
        one.start_server()
        yield one


@pytest.fixture
def wire(stage: Stage) -> Iterator[TamperingProxy]:
    proxy = TamperingProxy(stage.url)
    yield proxy
    proxy.close()


def _change_the_bundle(answer: bytes) -> bytes:
    """Change one character in the middle of the sealed policy."""
    reply = json.loads(answer)
    if reply.get("bundle"):
        head, payload, signature = reply["bundle"].split(".")
        middle = len(payload) // 2
        changed = "A" if payload[middle] != "A" else "B"
        reply["bundle"] = ".".join((head, payload[:middle] + changed + payload[middle + 1 :], signature))
    return json.dumps(reply).encode()


def test_it_is_refused_and_the_last_good_one_stays(stage: Stage, wire: TamperingProxy) -> None:
    stage.enrol(wire.url)
    stage.start_agent()
    wait_for(lambda: stage.status()["policy_serial"] == 1, "the first policy")
    wire.tamper = _change_the_bundle
    stage.publish(policy_text("pidgin", "approved", 2))
    stage.ask("check_in")
    problem = wait_for(lambda: _problem(stage), "the agent's word that it refused")
    assert "refused" in problem
    assert stage.status()["policy_version"] == 1
    assert "pidgin may not be used" in stage.decorum("policy", "show").stdout.lower()
    wire.tamper = lambda answer: answer
    stage.ask("check_in")
    wait_for(lambda: stage.status()["policy_version"] == 2, "the good policy")
    assert _problem(stage) is None


def _problem(stage: Stage) -> str | None:
    found = [one for one in stage.status()["problems"] if one["code"] == "policy_refused"]
    return str(found[0]["sentence"]) if found else None
