"""Keys are changed while server and agent run: neither is restarted, and nothing is refused."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.begin(policy_text())
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        yield one


def test_a_device_changes_its_key_when_it_is_asked_to(stage: Stage) -> None:
    stage.server("create-admin", "admin")
    read = stage.console()
    found = re.search(r'href="/fleet/device/([0-9a-f]+)/change/"', read("/fleet/device/"))
    assert found is not None
    page = f"/fleet/device/{found[1]}/change/"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', read(page))
    assert token is not None
    key = stage.folder / "agent" / "device-key.jwk"
    before = key.read_text()
    read(f"/fleet/device/{found[1]}/ask-key/", {"csrfmiddlewaretoken": token[1]})
    stage.ask("check_in")
    wait_for(lambda: key.read_text() != before, "the new key")
    stage.ask("check_in")
    wait_for(lambda: "a new one is asked for" not in read(page), "the new key's first use")
    stage.end("agent")
    stage.start_agent()
    wait_for(lambda: stage.status()["server"] == "reachable", "a check-in of the next run")
    assert stage.status()["problems"] == []


def test_a_fleet_goes_over_to_new_keys_by_itself(stage: Stage) -> None:
    before = stage.server("keys", "list").split()
    assert "as number 2" in stage.server("keys", "rotate", "policy")
    stage.server("keys", "rotate", "server")
    stage.server("keys", "rotate", "catalogue")
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
