"""Pages of messengers: judged and recorded as processes are, over when page, extension or browser is gone, nobody else's."""

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.compliance import Compliance, Found, PageKey
from agent.errors import NoProcessError
from agent.localapi.server import Caller
from agent.profiles import Side
from agent.resume import resume
from agent.sensing.process_source import ProcessKey
from agent.web_pages import GRACE_SECONDS, RESUME_SECONDS, WebPagesOpen
from contract.evidence import Match
from contract.web import Page, Picture
from tests.agent.test_compliance import AT, found, verdict
from tests.fakes.process_source import FakeProcessSource
from tests.fakes.running_agent import OTHER_UID, RunningAgent

PROFILE = "00112233445566aa"
CHROMIUM = "/usr/lib/chromium/chromium"


def picture(*messengers: str, focused: str = "", profile: str = PROFILE) -> Picture:
    return Picture(profile, tuple(Page(one, one == focused) for one in messengers))


class Browser:
    """A running agent, and a browser of a person who uses its device."""

    def __init__(self, agent: RunningAgent) -> None:
        self.agent, self.source = agent, agent.processes
        self.clock = agent.device.clock
        self.pid = self.source.start(CHROMIUM, uid=OTHER_UID, started=self.clock.now().timestamp())
        self.pages: WebPagesOpen = agent.agent._web_pages

    def tell(self, told: Picture, connection: int = 1, pid: int | None = None, uid: int = OTHER_UID) -> None:
        self.agent.do(lambda: self.pages.tell(connection, uid, self.pid if pid is None else pid, told))

    def hang_up(self, connection: int = 1) -> None:
        self.agent.do(lambda: self.pages.hang_up(connection))

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.agent.do(self.pages.settle)

    def rows(self, uid: int = OTHER_UID) -> dict[str, dict[str, Any]]:
        told = self.agent.ask("status", {}, Caller("person", uid))["result"]["messengers"]
        return {row["messenger"]: row for row in told}


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with RunningAgent(tmp_path) as agent:
        yield Browser(agent)


def test_a_page_is_judged_shown_and_reported_as_a_process_is(browser: Browser) -> None:
    browser.tell(picture("telegram"))
    row = browser.rows()["telegram"]
    assert (row["verdict"], row["profile"], row["pid"]) == ("violation", "work", browser.pid)
    assert row["pages"] == ["The page of Telegram is open in Chromium."]
    assert browser.agent.wants_to_check_in
    browser.agent.check_in()
    ledger = browser.agent.ask("ledger", {}, Caller("person", OTHER_UID))["result"]["rows"]
    sent = [row["literal"] for row in ledger if row["type"] == "sighting"]
    assert len(sent) == 1
    assert "telegram" in sent[0]
    for never in (PROFILE, "hromium", "focused", str(browser.pid), "https://"):
        assert never not in sent[0]


def test_the_keyboard_is_shown_and_changes_nothing_else(browser: Browser) -> None:
    browser.tell(picture("telegram", "slack", focused="slack"))
    assert {name: row["focused"] for name, row in browser.rows().items()} == {
        "telegram": False,
        "slack": True,
    }
    before = browser.agent.agent._desk.sightings()
    browser.tell(picture("telegram", "slack", focused="telegram"))
    assert {name: row["focused"] for name, row in browser.rows().items()} == {
        "telegram": True,
        "slack": False,
    }
    assert browser.agent.agent._desk.sightings() == before


def test_a_page_is_over_once_it_was_away_for_a_moment(browser: Browser) -> None:
    browser.tell(picture("telegram", "slack"))
    browser.tell(picture("slack"))
    browser.wait(GRACE_SECONDS - 0.1)
    assert set(browser.rows()) == {"telegram", "slack"}
    browser.wait(0.2)
    assert set(browser.rows()) == {"slack"}


def test_a_page_that_is_loaded_anew_is_the_same_sighting(browser: Browser) -> None:
    browser.tell(picture("telegram"))
    before = browser.rows()["telegram"]["sighting"]
    browser.tell(picture())
    browser.wait(GRACE_SECONDS - 0.1)
    browser.tell(picture("telegram"))
    browser.wait(GRACE_SECONDS * 2)
    assert browser.rows()["telegram"]["sighting"] == before


def test_when_the_extension_is_gone_so_are_its_pages(browser: Browser) -> None:
    browser.tell(picture("telegram", focused="telegram"))
    browser.hang_up()
    assert not browser.rows()["telegram"]["focused"]
    browser.wait(GRACE_SECONDS)
    assert browser.rows() == {}


def test_a_new_host_of_the_same_browser_takes_over(browser: Browser) -> None:
    browser.tell(picture("telegram"), connection=1)
    before = browser.rows()["telegram"]["sighting"]
    browser.hang_up(connection=1)
    browser.tell(picture("telegram"), connection=2)
    browser.wait(GRACE_SECONDS)
    assert browser.rows()["telegram"]["sighting"] == before


def test_two_profiles_of_a_browser_are_one_sighting_until_both_are_closed(browser: Browser) -> None:
    browser.tell(picture("telegram"), connection=1)
    browser.tell(picture("telegram", profile="ff" * 8), connection=2)
    assert len(browser.rows()["telegram"]["pages"]) == 2
    browser.hang_up(connection=1)
    browser.wait(GRACE_SECONDS)
    assert len(browser.rows()["telegram"]["pages"]) == 1
    browser.hang_up(connection=2)
    browser.wait(GRACE_SECONDS)
    assert browser.rows() == {}


def test_a_browser_that_was_killed_takes_its_pages_along_at_once(browser: Browser) -> None:
    look = browser.agent.agent._lookout.look
    browser.agent.do(look)
    browser.tell(picture("telegram", "slack"))
    browser.source.end(browser.pid)
    browser.agent.do(look)
    assert browser.rows() == {}


def test_the_lookout_hears_of_each_new_page_and_of_no_other_change(browser: Browser) -> None:
    woken = browser.agent.agent._lookout._woken
    browser.tell(picture("telegram"))
    assert woken.is_set()
    woken.clear()
    browser.tell(picture("telegram", focused="telegram"))
    browser.tell(picture())
    assert not woken.is_set()


def test_a_browser_that_becomes_another_program_keeps_its_pages(browser: Browser) -> None:
    """A launcher's script becomes the browser by exec, and is noticed some time later."""
    look = browser.agent.agent._lookout.look
    browser.source.become(browser.pid, "/bin/sh", "/usr/bin/chromium")
    browser.agent.do(look)
    browser.source.become(browser.pid, CHROMIUM)
    browser.tell(picture("telegram"))
    browser.clock.advance(timedelta(seconds=1.1))
    browser.agent.do(look)
    assert browser.source.asked["read"] >= 3, "the change was noticed"
    assert set(browser.rows()) == {"telegram"}


def test_nobody_tells_of_another_persons_browser_or_of_none(browser: Browser) -> None:
    others = browser.source.start(CHROMIUM, uid=OTHER_UID + 1)
    for pid in (others, 4_000_000):
        with pytest.raises(NoProcessError, match=str(pid)):
            browser.tell(picture("telegram"), pid=pid)
    assert browser.rows() == {}


def test_over_the_interface_it_is_the_callers_own_browser_that_counts(browser: Browser) -> None:
    params = {
        "browser_pid": browser.pid,
        "picture": {"profile": PROFILE, "pages": [{"messenger": "telegram", "focused": False}]},
    }
    assert browser.agent.ask("web.pages", params, Caller("owner", 0, 7))["error"]["code"] == -32603
    assert "result" in browser.agent.ask("web.pages", params, Caller("person", OTHER_UID, 8))
    assert set(browser.rows()) == {"telegram"}
    params["picture"] |= {"title": "A secret"}  # type: ignore[operator]
    assert browser.agent.ask("web.pages", params, Caller("person", OTHER_UID, 8))["error"]["code"] == -32602


def test_a_host_that_is_killed_says_so_by_its_connection(browser: Browser) -> None:
    own = os.getuid()
    told = {
        "browser_pid": browser.source.start(CHROMIUM, uid=own),
        "picture": {"profile": PROFILE, "pages": [{"messenger": "telegram", "focused": False}]},
    }
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "web.pages", "params": told})

    async def converse(path: Path) -> Any:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line.encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        await asyncio.gather(*browser.agent.agent._local._serving)
        return answer

    assert "result" in browser.agent.serve(converse)
    assert set(browser.rows(own)) == {"telegram"}
    browser.wait(GRACE_SECONDS)
    assert browser.rows(own) == {}


def test_a_messenger_without_a_page_is_passed_over(browser: Browser) -> None:
    browser.tell(picture("pidgin", "no-such-messenger", "telegram"))
    assert set(browser.rows()) == {"telegram"}


def test_a_page_and_an_application_of_one_messenger_are_one_sighting(browser: Browser) -> None:
    browser.agent.start("telegram", uid=OTHER_UID)
    before = browser.rows()["telegram"]["sighting"]
    browser.tell(picture("telegram"))
    assert browser.rows()["telegram"]["sighting"] == before
    browser.hang_up()
    browser.wait(GRACE_SECONDS)
    assert browser.rows()["telegram"]["sighting"] == before
    assert browser.rows()["telegram"]["pages"] == []


def test_after_a_new_start_pages_go_on_until_the_extension_had_its_time() -> None:
    source = FakeProcessSource()
    pid = source.start(CHROMIUM)
    page = PageKey(source.key(pid), "Chromium", PROFILE, "telegram")
    compliance = Compliance()
    compliance.take([one(page)], [], lambda _: verdict(), AT)
    resumed, ended = resume(compliance.sightings(), source, AT)
    assert [sighting.pages for sighting in resumed] == [(page,)]
    assert ended == []
    source.end(pid)
    resumed, ended = resume(compliance.sightings(), source, AT)
    assert (resumed, [transition.kind for transition in ended]) == ([], ["ended"])


def test_pages_of_before_end_unless_they_are_told_of_again(browser: Browser) -> None:
    browser.tell(picture("telegram", "slack"))
    again = WebPagesOpen(
        browser.source,
        lambda: browser.agent.agent._catalogues.catalogue,
        browser.agent.agent._desk,
        browser.clock,
        browser.agent.agent._sides,
        lambda: None,
        lambda: None,
    )
    browser.agent.do(lambda: again.tell(1, OTHER_UID, browser.pid, picture("slack")))
    browser.clock.advance(timedelta(seconds=RESUME_SECONDS - 0.1))
    browser.agent.do(again.settle)
    assert set(browser.rows()) == {"telegram", "slack"}
    browser.clock.advance(timedelta(seconds=0.2))
    browser.agent.do(again.settle)
    assert set(browser.rows()) == {"slack"}


def test_a_process_that_leaves_does_not_take_another_browsers_page_along() -> None:
    compliance = Compliance()
    page = PageKey(ProcessKey(50, 1.0), "Firefox", PROFILE, "telegram")
    process = found(10)
    compliance.take([process, one(page)], [], lambda _: verdict(), AT)
    (sighting,) = compliance.sightings()
    assert sighting.pids == (10, 50)
    assert compliance.tracked_pids() == {10, 50}
    assert compliance.take([], [process.key], lambda _: verdict(), AT) == []
    assert compliance.sightings()[0].pages == (page,)


def one(page: PageKey) -> Found:
    match = Match(messenger="telegram", name="Telegram", listed=True, confidence=0.9, evidence=())
    return Found(page, 1000, match, Side("work", "a test"))
