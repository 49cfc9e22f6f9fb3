"""The status window, live: the tray's own parts beside a real agent, a real messenger and a policy that is published meanwhile."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from tests.e2e.stage import Stage, policy_text, staged, wait_for
from ui.known import Known
from ui.look import Look
from ui.present import status
from ui.program import make_link
from ui.starter import Starter
from ui.status_window import StatusWindow
from ui.tokens import load_tokens

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
SEEN_MILLISECONDS = 2000


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        one.begin(policy_text("pidgin", "approved"))
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        one.start_screen()
        yield one


def test_it_shows_a_real_messenger_within_two_seconds_and_follows_the_policy(
    stage: Stage, qtbot: QtBot, qapp: QApplication
) -> None:
    owner = QObject()
    link = make_link(str(stage.socket), {}, owner)
    starter = Starter({}, stage.folder)
    known = Known(link, starter, lambda: datetime.now(UTC), owner)
    window = StatusWindow(Look(qapp, load_tokens(), "light"))
    qtbot.addWidget(window)
    known.changed.connect(lambda: window.show_view(status.view(known.picture())))
    window.show_view(status.view(known.picture()))
    window.show()
    link.start()

    def words() -> str:
        labels = window.findChildren(QLabel)
        return "\n".join(label.text() for label in labels if label.isVisible())

    qtbot.waitUntil(lambda: "You are in line with the policy" in words(), timeout=5000)
    assert "Pidgin" not in words()
    started = time.monotonic()
    stage.start("pidgin", "pidgin", "--multiple")
    qtbot.waitUntil(lambda: "Pidgin" in words(), timeout=5000)
    assert (time.monotonic() - started) * 1000 <= SEEN_MILLISECONDS
    stage.publish(policy_text("pidgin", "banned", 2))
    stage.ask("check_in")
    qtbot.waitUntil(lambda: "Pidgin is not in line with the policy" in words(), timeout=10_000)
    stage.end("server")
    known.check_in()
    qtbot.waitUntil(lambda: "The server has not been reached" in words(), timeout=10_000)
    stage.end("agent")
    qtbot.waitUntil(lambda: "The Decorum agent is not running" in words(), timeout=10_000)
    link.stop()
