"""Keys are changed while server and agent run: neither is restarted, nothing is refused, and the old policy key is worth nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.server("migrate")
        one.publish(policy_text())
        one.start_server()
        one.enrol()
        one.start_agent()
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        yield one


def test_a_fleet_goes_over_to_new_keys_by_itself(stage: Stage) -> None:
    before = stage.server("keys", "list").split()
    assert "as number 2" in stage.server("keys", "rotate", "policy")
    stage.server("keys", "rotate", "server")
    stage.ask("check_in")
    wait_for(lambda: stage.status()["policy_serial"] == 2, "the policy under the new key")
    assert stage.status()["server"] == "reachable"
    assert stage.status()["problems"] == []
    after = stage.server("keys", "list").split()
    assert not {word for word in before if len(word) == 43} & set(after)
    stage.end("agent")
    stage.start_agent()
    wait_for(lambda: stage.status()["server"] == "reachable", "a check-in of the next run")
    assert stage.status()["policy_serial"] == 2
