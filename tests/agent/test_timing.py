"""What may not tell the time does not tell it by when the device checks in either."""

from pathlib import Path

import pytest

from agent.localapi.server import Caller
from contract.ceiling import DETAILS, Ceiling, Detail, ProfileCeiling
from tests.fakes.running_agent import OWNER_UID, RunningAgent

OWNER = Caller("owner", OWNER_UID)


def _live_through_a_day(agent: RunningAgent) -> None:
    """Open a messenger, be reminded, answer, close it."""
    agent.start("telegram", uid=OWNER_UID)
    (reminder,) = agent.agent._reminding.unshown(OWNER_UID)
    for outcome in ("shown", "acknowledged"):
        agent.ask("reminder.answer", {"reminder": reminder.reminder, "outcome": outcome}, OWNER)
    agent.end_all()
    agent.start("pidgin", uid=OWNER_UID)
    agent.end_all()


@pytest.mark.parametrize("detail", DETAILS)
def test_only_what_may_tell_the_exact_time_hurries_a_check_in(tmp_path: Path, detail: Detail) -> None:
    ceiling = Ceiling(company=ProfileCeiling(work=detail))
    with RunningAgent(tmp_path, ceiling=ceiling) as agent:
        agent.check_in()
        agent.check_in()
        agent.agent._reporter._has_news = False
        _live_through_a_day(agent)
        assert agent.wants_to_check_in == (detail == "exact")


def test_before_the_notice_nothing_hurries_a_check_in(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, notice="show") as agent:
        agent.check_in()
        agent.agent._reporter._has_news = False
        _live_through_a_day(agent)
        assert not agent.wants_to_check_in
