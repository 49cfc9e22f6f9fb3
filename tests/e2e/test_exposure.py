"""The product's core number, end to end: a messenger runs past a real agent's midnight, and the console says for how long nothing retained it."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for
from tests.e2e.test_first_light import observations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
ROOM_SECONDS = 30
"""How long the agent has at least to come up and see the messenger before its midnight."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.server("migrate")
        one.server("create-admin", "admin", "--password-stdin", feed="a-long-password-for-tests\n")
        one.publish(policy_text("gajim", "approved"))
        one.start_server()
        one.enrol()
        yield one


def next_minute() -> datetime:
    """Return the first whole minute that leaves room enough."""
    soon = datetime.now(UTC) + timedelta(seconds=ROOM_SECONDS)
    return soon.replace(second=0, microsecond=0) + timedelta(minutes=1)


def with_midnight_at(moment: datetime) -> str:
    """Return a time zone, as POSIX writes one, in which a day begins at a moment; the day before is over for the server already."""
    return f"NEAR+{moment:%H:%M}"


def days_told(stage: Stage) -> list[dict[str, object]]:
    """Return what was told of the stand-in; other messengers may be open on this machine."""
    told = [one for one in observations(stage.folder) if one["type"] == "exposure"]
    return [one for one in told if one["messenger"] == "gajim"]


def on_the_page(html: str) -> str:
    panel = html.partition("<h3>Exposure")[2].partition("<h3>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", panel))


def test_time_at_work_is_told_after_midnight_and_is_the_consoles_number(stage: Stage) -> None:
    midnight = next_minute()
    stage.environment["TZ"] = with_midnight_at(midnight)
    stage.start_agent()
    wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy")
    program = stage.folder / "gajim"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    began = datetime.now(UTC)
    stage.start("gajim", str(program), "600")
    wait_for(lambda: stage.seen("gajim"), "the messenger in `decorum status`")
    seen = datetime.now(UTC)
    assert seen < midnight
    read = stage.console()
    assert "Nothing was reported" in on_the_page(read("/")), "the day is not over"
    wait_for(lambda: datetime.now(UTC) > midnight, "the agent's midnight", 120)
    stage.end("gajim")
    (told,) = wait_for(lambda: days_told(stage), "the day's report", 60)
    assert (told["sessions"], told["uncaptured_sessions"]) == (1, 1)
    assert told["seconds"] == told["uncaptured_seconds"]
    counted = int(str(told["seconds"]))
    assert (midnight - seen).total_seconds() - 1 <= counted <= (midnight - began).total_seconds() + 1
    assert "100 % of" in on_the_page(read("/"))
    assert "on 1 device" in on_the_page(read("/"))
    link = re.search(r'href="(/fleet/device/\?exposed=any)"', read("/"))
    assert link is not None
    device = re.search(r'href="(/fleet/device/\w+/change/)', read(link[1]))
    assert device is not None
    assert "Gajim" in on_the_page(read(device[1]))
    printed = stage.decorum("ledger").stdout
    assert "Gajim was open for" in printed
    assert "nothing was known to retain its messages" in printed
