"""Days are counted where no more may be told: once each, after they are over, whatever comes between."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from agent.daily_counts import KEPT_DAYS
from agent.localapi.server import Caller
from agent.profiles import Side
from contract.ceiling import Ceiling, ObservationCeiling, ProfileCeiling
from contract.observations import DailyCount, sentence
from tests.fakes.device import policy
from tests.fakes.running_agent import AT_WORK, OTHER_UID, OWNER_UID, RunningAgent

COUNTED = Ceiling(company=ProfileCeiling(work="count", personal="count"))
PRIVATELY = Side("personal", "a test")
TODAY = date(2026, 11, 23)
"""The fake server's clock begins at noon of it."""
OWNER = Caller("owner", OWNER_UID)


def counts(agent: RunningAgent) -> list[tuple[date, str, int]]:
    """Return what the server has been told."""
    taken = agent.device.server.taken.values()
    return [(one.day, one.profile, one.messengers) for one in taken if isinstance(one, DailyCount)]


def go_by(agent: RunningAgent, by: timedelta) -> None:
    """Let time go by, then do what is done once a minute."""
    agent.device.clock.advance(by)
    agent.do(agent.agent._desk.rejudge)
    agent.agent._upkeep.do()
    agent.check_in()
    agent.check_in()


def test_a_day_is_told_once_it_is_over_each_messenger_counting_once(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, ceiling=COUNTED) as agent:
        agent.check_in()
        for messenger in ("telegram", "whatsapp", "telegram"):
            agent.start(messenger, OWNER_UID)
            agent.end_all()
        agent.start("signal", OWNER_UID, PRIVATELY)
        agent.end_all()
        go_by(agent, timedelta(hours=11, minutes=59))
        assert counts(agent) == []
        go_by(agent, timedelta(minutes=2))
        go_by(agent, timedelta(minutes=1))
        go_by(agent, timedelta(days=3))
        assert sorted(counts(agent)) == [(TODAY, "personal", 1), (TODAY, "work", 2)]
        (told,) = [
            one
            for one in agent.ask("ledger", {}, OWNER)["result"]["rows"]
            if "2 messengers" in one["sentence"]
        ]
        assert told["sentence"] == "2 messengers on the work side on 23 November 2026."
        bodies = agent.agent._store.execute(
            "SELECT literal FROM ledger WHERE type = 'daily_count'"
        ).fetchall()
        assert not any(
            word in bytes(body).decode() for (body,) in bodies for word in ("telegram", "signal", "consumer")
        )


def test_what_runs_over_midnight_counts_on_both_days(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, ceiling=COUNTED) as agent:
        agent.check_in()
        agent.start("telegram", OWNER_UID)
        go_by(agent, timedelta(hours=13))
        agent.end_all()
        go_by(agent, timedelta(days=1))
        assert counts(agent) == [(TODAY, "work", 1), (TODAY + timedelta(days=1), "work", 1)]


def test_two_people_on_one_device_are_told_as_one_number(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, ceiling=COUNTED) as agent:
        agent.check_in()
        for messenger, uid in (("telegram", OWNER_UID), ("telegram", OTHER_UID), ("signal", OTHER_UID)):
            agent.start(messenger, uid)
        agent.end_all()
        go_by(agent, timedelta(days=1))
        assert counts(agent) == [(TODAY, "work", 2)]


def _again(folder: Path, agent: RunningAgent) -> RunningAgent:
    """Return the agent that is started next, on the same device, with the same server."""
    following = RunningAgent(folder, ceiling=COUNTED)
    following.device = agent.device
    following.begin()
    return following


@pytest.mark.parametrize("before_midnight", [True, False])
def test_a_new_start_of_the_agent_neither_loses_a_day_nor_tells_of_it_twice(
    tmp_path: Path, *, before_midnight: bool
) -> None:
    with RunningAgent(tmp_path, ceiling=COUNTED) as agent:
        agent.check_in()
        agent.start("telegram", OWNER_UID)
        agent.end_all()
        if not before_midnight:
            agent.device.clock.advance(timedelta(days=1))
            agent.agent._upkeep.do()
    following = _again(tmp_path, agent)
    try:
        for _ in range(3):
            go_by(following, timedelta(days=1))
        assert counts(following) == [(TODAY, "work", 1)]
    finally:
        following.end()


def _older_server(agent: RunningAgent) -> None:
    agent.device.server.also_takes = ("installed",)


def _closed(agent: RunningAgent) -> None:
    agent.agent._door.lower(Ceiling())


@pytest.mark.parametrize(("before", "told_later"), [(_older_server, True), (_closed, False)])
def test_an_older_server_hears_of_it_later_and_a_side_that_was_closed_meanwhile_never(
    tmp_path: Path, before: Callable[[RunningAgent], None], *, told_later: bool
) -> None:
    with RunningAgent(tmp_path, ceiling=COUNTED) as agent:
        agent.check_in()
        agent.start("telegram", OWNER_UID)
        agent.end_all()
        before(agent)
        agent.check_in()
        go_by(agent, timedelta(days=1))
        assert counts(agent) == []
        agent.device.server.also_takes = ("daily_count", "installed")
        agent.agent._door.lower(None)
        go_by(agent, timedelta(minutes=5))
        go_by(agent, timedelta(minutes=5))
        assert counts(agent) == ([(TODAY, "work", 1)] if told_later else [])


def test_while_the_ceiling_cannot_be_read_days_wait(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, ceiling=COUNTED) as agent:
        agent.check_in()
        agent.start("telegram", OWNER_UID)
        agent.end_all()
        agent.do(agent.agent._desk.ceiling_lost)
        go_by(agent, timedelta(days=1))
        assert counts(agent) == []
        agent.do(agent.agent._desk.ceiling_found)
        go_by(agent, timedelta(minutes=1))
        assert counts(agent) == [(TODAY, "work", 1)]


def test_a_clock_that_was_set_back_tells_of_no_day_twice(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, ceiling=COUNTED) as agent:
        agent.check_in()
        agent.start("telegram", OWNER_UID)
        agent.end_all()
        go_by(agent, timedelta(days=1))
        store = agent.agent._store
        with store.transaction():
            store.execute("INSERT INTO in_use VALUES (?, 'work', ?, 'signal')", TODAY.isoformat(), OWNER_UID)
        go_by(agent, timedelta(minutes=1))
        assert counts(agent) == [(TODAY, "work", 1)]
        assert store.execute("SELECT count(*) FROM in_use").fetchone() == (0,)


def test_nothing_is_kept_for_ever_where_nobody_takes_it(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, ceiling=COUNTED) as agent:
        agent.device.server.also_takes = ()
        agent.check_in()
        agent.start("telegram", OWNER_UID)
        agent.end_all()
        go_by(agent, timedelta(days=KEPT_DAYS))
        assert agent.agent._store.execute("SELECT count(*) FROM in_use").fetchone() == (1,)
        go_by(agent, timedelta(days=1))
        assert agent.agent._store.execute("SELECT count(*) FROM in_use").fetchone() == (0,)


@pytest.mark.parametrize(
    ("ceiling", "notice"),
    [
        (Ceiling(company=ProfileCeiling(work="kind")), "given"),
        (Ceiling(company=ProfileCeiling(work=ObservationCeiling(installed="count"))), "given"),
        (Ceiling(company=ProfileCeiling(personal="count")), "given"),
        (COUNTED, "show"),
    ],
    ids=["more is told", "of something else", "of another side", "nobody was told"],
)
def test_no_day_is_counted_where_it_may_not_be_or_more_is_told(
    tmp_path: Path, ceiling: Ceiling, notice: str
) -> None:
    with RunningAgent(tmp_path, ceiling=ceiling, notice=notice) as agent:
        agent.check_in()
        agent.start("telegram", OWNER_UID, AT_WORK)
        assert agent.agent._store.execute("SELECT count(*) FROM in_use").fetchone() == (0,)
        agent.end_all()
        go_by(agent, timedelta(days=2))
        assert counts(agent) == []


def test_a_policy_can_lower_a_side_to_a_count(tmp_path: Path) -> None:
    everything = Ceiling(company=ProfileCeiling(work="exact"))
    with RunningAgent(tmp_path, ceiling=everything) as agent:
        agent.device.server.publish(policy(ceiling=COUNTED, version=2))
        agent.check_in()
        agent.start("telegram", OWNER_UID)
        agent.end_all()
        go_by(agent, timedelta(days=1))
        assert counts(agent) == [(TODAY, "work", 1)]
        assert "sighting" not in {
            str(one.__struct_config__.tag) for one in agent.device.server.taken.values()
        }


def test_one_is_told_in_the_singular() -> None:
    one = DailyCount(profile="unknown", day=datetime(2026, 11, 7, tzinfo=UTC).date(), messengers=1)
    assert sentence(one) == "One messenger on an unknown side on 7 November 2026."
