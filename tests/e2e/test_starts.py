"""A real agent notices starts as the kernel allows it, says how, and sees a messenger come, change and go."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.test_noticing import kernel_tells
from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.begin(policy_text("gajim", "banned"))
        yield one


def test_how_starts_are_noticed_is_as_the_kernel_has_it_and_is_said(stage: Stage) -> None:
    why_not = kernel_tells()
    expected = "events" if why_not is None else "polling"
    told = wait_for(lambda: decided(stage), "the choice")
    assert (told["by"], told["why"] is None) == (expected, why_not is None)
    places = (*stage.places(), "--socket", str(stage.socket))
    findings = json.loads(stage.decorum("doctor", "--json", *places).stdout)["findings"]
    (finding,) = (one for one in findings if one["check"] == "starts")
    word = "The system tells at once" if why_not is None else str(told["why"])
    assert word in finding["sentence"]


def test_a_messenger_that_a_shell_becomes_is_seen_and_so_is_its_end(stage: Stage) -> None:
    wait_for(lambda: decided(stage), "the choice")
    shutil.copy("/bin/sleep", stage.folder / "gajim")
    stage.start("shell", "/bin/sh", "-c", f"/bin/sleep 0.3; exec env {stage.folder}/gajim 600")
    row = wait_for(lambda: stage.seen("gajim"), "gajim")
    assert (row["pid"], row["verdict"]) == (stage.pid_of("shell"), "violation")
    stage.end("shell")
    wait_for(lambda: stage.seen("gajim") is None, "its end")
    told = stage.status()["noticing"]
    assert told["lost"] == 0 or told["by"] == "events"


def decided(stage: Stage) -> dict[str, object] | None:
    """Return how starts are noticed, once that is decided."""
    told: dict[str, object] = stage.status()["noticing"]
    return None if told["why"] == "Whether the system tells of starts is being tried." else told
