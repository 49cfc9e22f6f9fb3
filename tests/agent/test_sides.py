"""Instances of a messenger: each is read once, helpers belong to who started them, and what changes sides ends there and begins anew."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.catalogue import load
from agent.compliance import PageKey
from agent.localapi.server import Caller
from agent.profiles.signals import Signals
from agent.sensing.process_source import GoneError
from agent.sensing.signals.interface import Asked
from agent.sensing.signals.linux_signals import LinuxSignals
from agent.sides import REMEMBERED_AT_MOST, Sides
from agent.web_pages import GRACE_SECONDS
from contract.ceiling import Ceiling, ProfileCeiling
from contract.matching import Matcher
from contract.observations import SightingObserved
from contract.policy import Ownership, Profile
from contract.sides import Profiles, SideRule
from contract.web import Page, Picture
from tests.fakes.device import policy
from tests.fakes.process_source import FakeProcessSource
from tests.fakes.running_agent import RunningAgent

TELEGRAM, SLACK = "/usr/bin/telegram-desktop", "/usr/lib/slack/slack"
UID = 1000
HOME: dict[str, Any] = {"variables": {"HOME": "/home/x"}}
WORK = ("-workdir", "/home/x/Work")
RULES = Profiles(rules=(SideRule(side="work", messenger="telegram", folder="/home/x/Work"),))


class Counted:
    """A source of signals that counts how often it is asked."""

    def __init__(self, source: FakeProcessSource, root: Path) -> None:
        self._linux, self.asked = LinuxSignals(source, root), 0

    def read(self, asked: Asked) -> Signals:
        self.asked += 1
        return self._linux.read(asked)


class Room:
    """Processes, and what is said of their sides."""

    def __init__(self, root: Path, ownership: Ownership = "personal", rules: Profiles | None = RULES) -> None:
        self.source, self.rules = FakeProcessSource(), rules
        self.signals = Counted(self.source, root)
        catalogue = load()
        matcher = Matcher(catalogue)
        self.sides = Sides(
            self.source,
            self.signals,
            lambda reading: matcher.match(reading.facts),
            lambda: catalogue,
            ownership,
            None,
            lambda: self.rules,
        )

    def start(self, exe: str, *words: str, **how: Any) -> int:
        return self.source.start(exe, cmdline=(exe, *words), **HOME, **how)

    def side(self, pid: int, messenger: str = "telegram") -> Profile:
        reading = self.source.read(self.source.key(pid))
        return self.sides.of_process(reading, self.source.uid(pid), messenger).profile


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_two_copies_with_different_folders_are_on_different_sides(room: Room) -> None:
    work, other = room.start(TELEGRAM, *WORK), room.start(TELEGRAM)
    assert (room.side(work), room.side(other)) == ("work", "unknown")


def test_what_a_messenger_starts_belongs_to_it_and_is_not_read_again(room: Room) -> None:
    rules = Profiles(rules=(SideRule(side="work", folder="/home/x/Work"),))
    room.rules = rules
    first = room.start(SLACK, "--user-data-dir=/home/x/Work")
    helpers = [
        room.start(SLACK, "--type=zygote", parent=first),
        room.start(SLACK, "--type=renderer", "--user-data-dir=/home/x/other", parent=first),
    ]
    below = room.start(SLACK, "--type=utility", parent=helpers[0])
    for pid in (first, *helpers, below, first):
        assert room.side(pid, "slack") == "work"
    assert room.signals.asked == 1


def test_a_helper_that_is_met_first_is_of_its_parent_all_the_same(room: Room) -> None:
    first = room.start(TELEGRAM, *WORK)
    assert room.side(room.start(TELEGRAM, "-helper", parent=first)) == "work"
    assert room.side(first) == "work"
    assert room.signals.asked == 1


def test_a_copy_with_a_folder_of_its_own_is_its_own_whoever_started_it(room: Room) -> None:
    first = room.start(TELEGRAM, *WORK)
    assert room.side(room.start(TELEGRAM, "-workdir", "/home/x/Play", parent=first)) == "unknown"


def test_another_messengers_or_another_persons_child_is_its_own(room: Room) -> None:
    first = room.start(TELEGRAM, *WORK)
    assert room.side(room.start(SLACK, parent=first), "slack") == "unknown"
    assert room.side(room.start(TELEGRAM, parent=first, uid=UID + 1)) == "unknown"


def test_a_pid_that_was_a_parents_and_is_a_younger_copys_now_is_no_parent(room: Room) -> None:
    younger = room.start(TELEGRAM, *WORK, started=2000.0)
    assert room.side(room.start(TELEGRAM, parent=younger, started=1999.0)) == "unknown"


def test_a_crash_handler_that_is_nobodys_child_is_told_by_its_folder(room: Room) -> None:
    room.rules = Profiles(rules=(SideRule(side="work", folder="/home/x/Work"),))
    handler = room.start("/usr/lib/slack/chrome_crashpad_handler", "--database=/home/x/Work/Crashpad")
    assert room.side(handler, "slack") == "work"


def test_a_process_that_became_another_copy_is_read_again(room: Room) -> None:
    pid = room.start(TELEGRAM)
    assert room.side(pid) == "unknown"
    room.source.become(pid, TELEGRAM, *WORK)
    assert room.side(pid) == "work"


@pytest.mark.parametrize(("ownership", "side"), [("company", "work"), ("personal", "unknown")])
def test_without_rules_nothing_is_read_and_ownership_decides(
    tmp_path: Path, ownership: Ownership, side: Profile
) -> None:
    room = Room(tmp_path, ownership, None)
    pid = room.start(TELEGRAM, *WORK)
    room.source.asked.clear()
    reading = room.source.read(room.source.key(pid))
    before = dict(room.source.asked)
    assert room.sides.of_process(reading, UID, "telegram").profile == side
    assert dict(room.source.asked) == before
    assert room.signals.asked == 0


def test_other_rules_make_it_read_again(room: Room) -> None:
    pid = room.start(TELEGRAM, *WORK)
    assert room.side(pid) == "work"
    room.rules = Profiles(company_domains=("example.com",))
    assert room.side(pid) == "unknown"
    assert room.signals.asked == 2


def test_what_has_ended_is_forgotten(room: Room) -> None:
    pid = room.start(TELEGRAM, *WORK)
    room.side(pid)
    room.sides.forget([room.source.key(pid)])
    room.side(pid)
    assert room.signals.asked == 2


def test_no_more_is_remembered_than_is_bounded(room: Room) -> None:
    for _ in range(REMEMBERED_AT_MOST + 50):
        room.side(room.start(TELEGRAM))
    assert len(room.sides._known) == REMEMBERED_AT_MOST


def test_of_what_has_ended_nothing_is_said(room: Room) -> None:
    pid = room.start(TELEGRAM)
    reading = room.source.read(room.source.key(pid))
    room.source.end(pid)
    with pytest.raises(GoneError):
        room.sides.of_process(reading, UID, "telegram")


def test_a_page_is_read_once_and_each_messenger_of_its_own(room: Room) -> None:
    room.rules = Profiles(rules=(SideRule(side="work", messenger="slack", folder="/home/x/Work"),))
    browser = room.start("/usr/lib/chromium/chromium", "--user-data-dir=/home/x/Work")
    reading = room.source.read(room.source.key(browser))
    sides = {}
    for messenger in ("slack", "telegram") * 3:
        page = PageKey(reading.key, "Chromium", "00112233445566aa", messenger)
        sides[messenger] = room.sides.of_page(page, reading, UID).profile
    assert sides == {"slack": "work", "telegram": "unknown"}
    assert room.signals.asked == 2


BYOD = Ceiling(personal=ProfileCeiling(work="exact"))


class Byod:
    """A running agent on a personal device, of which only work may leave."""

    def __init__(self, agent: RunningAgent) -> None:
        self.agent = agent

    def publish(self, rules: Profiles | None, ceiling: Ceiling | None = None, **changes: Any) -> None:
        self.agent.device.server.publish(
            msgspec.structs.replace(policy(**changes), profiles=rules, ceiling=ceiling)
        )
        self.agent.check_in()

    def look(self) -> None:
        self.agent.do(self.agent.agent._lookout.look)

    def rows(self) -> list[dict[str, Any]]:
        told = self.agent.ask("status", {}, Caller("owner", UID))["result"]["messengers"]
        return sorted(told, key=lambda row: str(row["profile"]))

    def sent(self) -> list[tuple[str, str | None, str]]:
        """Return what has left: transition, messenger and side of each sighting."""
        self.agent.check_in()
        taken = self.agent.device.server.taken.values()
        seen = [one for one in taken if isinstance(one, SightingObserved)]
        return [(one.transition, one.messenger, one.profile) for one in seen]


@pytest.fixture
def byod(tmp_path: Path) -> Iterator[Byod]:
    with RunningAgent(tmp_path, ceiling=BYOD, ownership="personal") as agent:
        yield Byod(agent)


def test_on_a_personal_device_two_copies_are_two_channels_and_only_the_work_one_leaves(byod: Byod) -> None:
    byod.publish(RULES)
    for words in (WORK, ()):
        byod.agent.processes.start(TELEGRAM, cmdline=(TELEGRAM, *words), uid=UID, **HOME)
    byod.look()
    unknown, work = byod.rows()
    assert (unknown["profile"], unknown["reported"]) == ("unknown", "nothing")
    assert (work["profile"], work["reported"], work["profile_assurance"]) == ("work", "exact", "high")
    assert [one["signal"] for one in work["profile_signals"]] == ["instance"]
    assert "/home/x/Work" in work["profile_reason"]
    assert byod.sent() == [("started", "telegram", "work")]


def test_identify_says_whose_side_it_is_and_why(byod: Byod) -> None:
    byod.publish(RULES)
    pid = byod.agent.processes.start(TELEGRAM, cmdline=(TELEGRAM, *WORK), uid=UID, **HOME)
    told = byod.agent.ask("identify", {"pid": pid}, Caller("owner", UID))["result"]["side"]
    assert (told["profile"], told["assurance"]) == ("work", "high")
    assert told["signals"][0]["reliability"] == "strong"
    shell = byod.agent.processes.start("/bin/sh", uid=UID)
    assert byod.agent.ask("identify", {"pid": shell}, Caller("owner", UID))["result"]["side"] is None


def test_what_a_new_policy_puts_on_another_side_ends_there_and_obeys_the_other_ceiling(byod: Byod) -> None:
    byod.publish(RULES)
    byod.agent.processes.start(TELEGRAM, cmdline=(TELEGRAM, *WORK), uid=UID, **HOME)
    byod.look()
    (before,) = byod.rows()
    byod.publish(None, version=2)
    (after,) = byod.rows()
    assert (before["profile"], after["profile"]) == ("work", "unknown")
    assert before["sighting"] != after["sighting"]
    assert byod.sent() == [("started", "telegram", "work"), ("ended", "telegram", "work")]
    byod.publish(RULES, version=3)
    assert [row["profile"] for row in byod.rows()] == ["work"]
    byod.look()
    assert len(byod.rows()) == 1
    assert byod.sent()[2:] == [("started", "telegram", "work")]


def test_a_new_ceiling_holds_before_what_follows_from_the_new_rules(byod: Byod) -> None:
    byod.publish(RULES)
    byod.agent.processes.start(TELEGRAM, cmdline=(TELEGRAM, *WORK), uid=UID, **HOME)
    byod.look()
    assert len(byod.sent()) == 1
    byod.publish(None, ceiling=Ceiling(), version=2)
    assert [row["profile"] for row in byod.rows()] == ["unknown"]
    assert len(byod.sent()) == 1, "not even that it has ended"


def test_a_page_changes_sides_with_the_policy_too(byod: Byod) -> None:
    chromium = "/usr/lib/chromium/chromium"
    browser = byod.agent.processes.start(
        chromium, uid=UID, cmdline=(chromium, "--user-data-dir=/home/x/Work"), **HOME
    )
    told = Picture("00112233445566aa", (Page("telegram", focused=False),))
    byod.publish(RULES)
    byod.agent.do(lambda: byod.agent.agent._web_pages.tell(1, UID, browser, told))
    assert [row["profile"] for row in byod.rows()] == ["work"]
    byod.publish(None, version=2)
    assert [row["profile"] for row in byod.rows()] == ["unknown"]
    assert [one[0] for one in byod.sent()] == ["started", "ended"]


def _remembered(byod: Byod) -> int:
    return len(byod.agent.agent._sides._known)


def test_the_agent_forgets_a_copy_with_its_process_and_a_page_with_its_browser_or_alone(byod: Byod) -> None:
    processes, pages = byod.agent.processes, byod.agent.agent._web_pages
    byod.publish(RULES)
    pid = processes.start(TELEGRAM, cmdline=(TELEGRAM, *WORK), uid=UID, **HOME)
    byod.look()
    assert _remembered(byod) == 1
    processes.end(pid)
    byod.look()
    assert _remembered(byod) == 0

    number = "00112233445566aa"
    told = Picture(number, (Page("telegram", focused=False), Page("slack", focused=False)))
    browser = processes.start("/usr/lib/chromium/chromium", uid=UID, **HOME)
    byod.look()
    byod.agent.do(lambda: pages.tell(1, UID, browser, told))
    byod.agent.do(lambda: pages.tell(1, UID, browser, Picture(number, told.pages[:1])))
    assert _remembered(byod) == 2
    byod.agent.device.clock.advance(timedelta(seconds=GRACE_SECONDS))
    byod.agent.do(pages.settle)
    assert _remembered(byod) == 1
    processes.end(browser)
    byod.look()
    assert _remembered(byod) == 0


def test_what_ran_before_the_agent_is_classified_before_anything_is_said_of_it(tmp_path: Path) -> None:
    with RunningAgent(tmp_path / "a", ceiling=BYOD, ownership="personal") as agent:
        byod = Byod(agent)
        byod.publish(None)
        agent.start("telegram", UID)
        (row,) = byod.rows()
        assert row["profile"] == "work", "as a test has put it there"
        sighting = agent.agent._desk.sightings()[0]
        source, sides = agent.processes, agent.agent._sides
        pid = source.start(TELEGRAM, uid=UID)
        still = msgspec.structs.replace(sighting, processes=(source.key(pid),))
        sides._began = False
        assert [one.side.profile for one in sides.again([still])] == ["unknown"]
        assert sides.again([still]) == []
