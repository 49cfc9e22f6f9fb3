"""A messenger that no list knows: it reaches the officer with its evidence, and the officer's word reaches the device."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
KEY = "unlisted:org.acme.chatter"
PAGE = "/policies/unlisted/"
ENTRY = """[Desktop Entry]
Type=Application
Name=Chatter
Exec={program}
Categories=Network;InstantMessaging;
MimeType=x-scheme-handler/xmpp;
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        applications = tmp_path / "share" / "applications"
        applications.mkdir(parents=True)
        program = tmp_path / "acme-chatter"
        shutil.copy(os.path.realpath(str(shutil.which("sleep"))), program)
        (applications / "org.acme.Chatter.desktop").write_text(ENTRY.format(program=program))
        one.environment["XDG_DATA_DIRS"] = f"{tmp_path / 'share'}:/usr/share"
        one.begin(policy_text("pidgin", "banned"))
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        one.start("chatter", str(program), "100")
        wait_for(lambda: one.seen(KEY), "the unlisted messenger")
        yield one


def _waiting(stage: Stage, read: Callable[..., str]) -> str | None:
    stage.ask("check_in")
    shown = unescape(read(PAGE))
    return shown if KEY in shown else None


def _decide(read: Callable[..., str], do: str) -> str:
    shown = read(PAGE)
    fields = dict(
        re.findall(r'name="(csrfmiddlewaretoken|messenger|name|maker)"[^>]* value="([^"]*)"', shown)
    )
    return unescape(read(PAGE, {**fields, "kind": "both", "same_as": "", "do": do}))


def test_a_messenger_that_the_officer_adds_is_listed_on_the_device_while_it_runs(stage: Stage) -> None:
    stage.server("create-admin", "admin")
    read = stage.console()
    shown = wait_for(lambda: _waiting(stage, read), "the messenger in the queue")
    assert "org.acme.Chatter gives its category as InstantMessaging" in shown
    assert "org.acme.Chatter opens xmpp links" in shown
    assert "Catalogue version 1 is published" in _decide(read, "add")
    stage.ask("check_in")
    row = wait_for(lambda: stage.seen("chatter"), "the messenger under its new id")
    assert (row["name"], row["listed"]) == ("Chatter", True)
    assert stage.seen(KEY) is None


def test_what_the_officer_says_is_none_is_none_on_the_device_and_can_be_taken_back(stage: Stage) -> None:
    stage.server("create-admin", "admin")
    read = stage.console()
    wait_for(lambda: _waiting(stage, read), "the program in the queue")
    assert "Nothing waits for your decision" in _decide(read, "never")
    stage.ask("check_in")
    wait_for(lambda: stage.seen(KEY) is None, "that it is no messenger any more")
    assert "waits for your decision" in _decide(read, "take_back")
    stage.ask("check_in")
    wait_for(lambda: stage.seen(KEY), "the messenger again")
