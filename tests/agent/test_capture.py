"""Whether a channel is captured here: from what connectors said, at the time as well as it is known, in each of the two ways."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from agent.capture import Captures, Connectors
from agent.commands.status import lines
from agent.localapi.server import Caller
from agent.reporting.told_connectors import ToldConnectors
from agent.sensing.downloads import Download
from contract.capture import TOLD_BYTES_AT_MOST, CaptureState, ConnectorHeard, Word
from contract.local import Snapshot
from contract.policy import CaptureRule, ChannelRule
from contract.wire import convert
from tests.fakes.central_server import START
from tests.fakes.device import Device, policy
from tests.fakes.running_agent import OWNER_UID, RunningAgent

HOUR = timedelta(hours=1)
RULES = (CaptureRule(messenger="telegram", connector="LeapXpert", silent_hours_at_most=4),)
POLICY = policy(
    capture=RULES,
    capture_required=True,
    channels=(ChannelRule(id="telegram", messenger="telegram", profile="work", stance="approved"),),
)
ME = Caller("owner", OWNER_UID)


def heard(at: datetime | None = START, *messengers: str, **changes: object) -> ConnectorHeard:
    """Return what a server says of LeapXpert."""
    covers = messengers or ("telegram",)
    return ConnectorHeard(connector="LeapXpert", heard_at=at, messengers=covers, **changes)  # type: ignore[arg-type]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    one = Device(tmp_path)
    one.server.publish(POLICY)
    one.enrol()
    one.check_in()
    yield one
    one.store.close()


def captures(device: Device, *ways: Connectors) -> Captures:
    chosen = ways or (ToldConnectors(device.store),)
    return Captures(device.shelf, chosen, device.clock, device.check_ins.server_time)


def state(device: Device) -> CaptureState:
    return captures(device).of("telegram", "work").state


def tell(device: Device, *connectors: ConnectorHeard) -> None:
    device.server.connectors = connectors
    device.check_in()


def test_the_servers_word_counts_from_the_answer_that_brings_it_and_after_a_start(device: Device) -> None:
    assert state(device) == "never"
    tell(device, heard())
    assert state(device) == "captured"
    assert state(device) == "captured", "another reader of the same state, as after a start"
    tell(device, heard(START, "whatsapp"))
    assert state(device) == "not_covered"
    tell(device, heard(is_revoked=True))
    assert state(device) == "revoked"
    tell(device)
    assert state(device) == "never"


def test_an_answer_that_does_not_hold_says_nothing_of_connectors(device: Device) -> None:
    device.server.connectors = (heard(),)
    device.server.tamper = lambda answer: answer.replace(b'"sealed":"', b'"sealed":"A')
    with pytest.raises(Exception, match="answer"):
        device.check_in()
    assert state(device) == "never"


def test_no_server_fills_the_state_with_connectors(device: Device) -> None:
    many = (
        ConnectorHeard(connector=f"{number}", heard_at=START, messengers=("x" * 200,))
        for number in range(900)
    )
    tell(device, heard(), *many)
    kept = device.store.fact("connectors_heard") or ""
    assert 0 < len(kept) < 2 * TOLD_BYTES_AT_MOST
    assert state(device) == "captured", "the first are kept"


def test_it_lapses_by_itself_and_says_since_when(device: Device) -> None:
    tell(device, heard(START - HOUR))
    device.clock.advance(3 * HOUR)
    assert state(device) == "captured"
    device.clock.advance(timedelta(minutes=1))
    tell(device, heard(START - HOUR))
    assert state(device) == "silent"
    tell(device, heard(device.clock.at))
    assert state(device) == "captured"


def test_a_device_that_was_offline_for_longer_than_the_limit_does_not_claim_to_know(device: Device) -> None:
    tell(device, heard())
    device.clock.advance(4 * HOUR + timedelta(minutes=1))
    capture = captures(device).of("telegram", "work")
    assert capture.state == "out_of_touch"
    assert "not been in touch with the server since 2026-11-23" in capture.why_not


def test_no_server_makes_a_channel_captured_ahead_of_time(device: Device) -> None:
    tell(device, heard(START + timedelta(days=300)))
    assert state(device) == "captured"
    device.clock.advance(5 * HOUR)
    assert not captures(device).of("telegram", "work").is_captured


def test_a_wall_clock_that_was_set_forward_lapses_nothing(device: Device) -> None:
    tell(device, heard())
    device.clock.at += timedelta(days=30)
    assert state(device) == "captured", "the time is the server's, carried on by the monotonic clock"
    device.clock.advance(5 * HOUR)
    assert state(device) == "out_of_touch", "and that goes on"


def test_on_a_clock_that_nobody_can_believe_nothing_lapses(device: Device) -> None:
    tell(device, heard())
    device.clock.boot = "boot-2"
    device.clock.at -= timedelta(days=30)
    device.clock.advance(20 * HOUR)
    assert state(device) == "captured"


def test_nor_does_anything_become_captured_by_such_a_clock(device: Device) -> None:
    tell(device, heard(START - 9 * HOUR))
    device.clock.boot = "boot-2"
    device.clock.at -= 7 * HOUR
    assert state(device) == "silent", "by this clock it would have been heard two hours ago"


def test_times_are_told_in_the_devices_own_zone(device: Device) -> None:
    tell(device, heard(START - 9 * HOUR))
    device.clock.at = device.clock.at.astimezone(timezone(timedelta(hours=2)))
    assert "on 2026-11-23 at 05:00" in captures(device).of("telegram", "work").why_not


def test_either_way_is_enough(device: Device) -> None:
    class Folder:
        def words(self) -> list[Word]:
            return [Word(connector="LeapXpert", heard_at=START)]

    assert captures(device, ToldConnectors(device.store), Folder()).of("telegram", "work").is_captured
    assert not captures(device, ToldConnectors(device.store)).of("telegram", "work").is_captured


def test_without_rules_or_a_policy_nothing_is_captured(tmp_path: Path, device: Device) -> None:
    assert captures(device).of("telegram", "personal").state == "not_work"
    device.server.publish(policy())
    device.check_in()
    assert state(device) == "no_connector"
    fresh = Device(tmp_path / "fresh")
    assert state(fresh) == "no_connector"
    fresh.store.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningAgent]:
    with RunningAgent(tmp_path, of_policy=POLICY) as agent:
        agent.start("telegram", OWNER_UID)
        yield agent


def row(agent: RunningAgent) -> dict[str, Any]:
    (one,) = agent.ask("status", {}, ME)["result"]["messengers"]
    found: dict[str, Any] = one
    return found


def told(agent: RunningAgent) -> tuple[str, bool, str]:
    now = row(agent)
    return now["verdict"], now["captured"], now["reasons"][0]["sentence"]


def test_verdict_and_row_follow_the_connector_and_say_why(running: RunningAgent) -> None:
    device = running.device
    never = "Telegram is approved, but LeapXpert, which is to retain its messages, has never been heard from."
    assert told(running) == ("attention", False, never)
    device.server.connectors = (heard(device.clock.at),)
    running.check_in()
    assert told(running) == ("compliant", True, "Telegram is approved here.")
    snapshot = convert(Snapshot, running.ask("status", {}, ME)["result"])
    assert "  Telegram (work): in line, captured, reported: name and time" in lines(snapshot)
    since = device.clock.at
    for _ in range(5):
        device.clock.advance(timedelta(minutes=59))
        running.check_in()
    running.do(running.agent._desk.rejudge)
    silent = f"LeapXpert, which retains its messages, was last heard from on {since:%Y-%m-%d at %H:%M}"
    assert told(running) == ("attention", False, f"Telegram is approved, but {silent}.")
    device.server.connectors = (heard(device.clock.at),)
    running.check_in()
    assert told(running)[:2] == ("compliant", True)


def test_what_came_in_while_the_channel_was_captured_is_retained(running: RunningAgent) -> None:
    device, unretained = running.device, running.agent._unretained

    def come(name: str, number: int) -> None:
        one = Download(messenger="telegram", path=name, size=10, changed=number, type="document")
        files.append(one)
        unretained.take(files, device.clock.now(), device.clock.now().date())

    files: list[Download] = []
    device.server.connectors = (heard(device.clock.at),)
    running.check_in()
    come("/home/x/work/telegram/Downloads/kept.pdf", 1)
    assert unretained.waiting() == {}
    device.clock.advance(5 * HOUR)
    come("/home/x/work/telegram/Downloads/lost.pdf", 2)
    assert [one.name for one in unretained.waiting()["telegram"]] == ["lost.pdf"]


def test_each_change_of_the_verdict_is_reported_once(running: RunningAgent) -> None:
    device = running.device
    running.check_in()
    device.server.connectors = (heard(device.clock.at),)
    for _ in range(3):
        running.check_in()
    running.check_in()
    verdicts = [one.verdict for one in device.server.taken.values() if hasattr(one, "verdict")]
    assert verdicts == ["attention", "compliant"]


def test_a_folder_here_makes_it_captured_without_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    with RunningAgent(
        tmp_path / "agent", of_policy=POLICY, export_folders={"LeapXpert": str(folder)}
    ) as agent:
        agent.start("telegram", OWNER_UID)

        def look() -> None:
            agent._loop.run_until_complete(agent.agent._export_folders.step())

        look()
        assert told(agent)[:2] == ("attention", False)
        (folder / "chat.eml").write_text("words that nobody here reads")
        stamp(folder / "chat.eml", agent.device.clock.at)
        look()
        assert told(agent)[:2] == ("compliant", True)
        agent.device.clock.advance(5 * HOUR)
        agent.do(agent.agent._desk.rejudge)
        assert told(agent)[:2] == ("attention", False)
        assert "chat.eml" not in repr(agent.ask("status", {}, ME))


def stamp(file: Path, at: datetime) -> None:
    os.utime(file, (at.timestamp(), at.timestamp()))
