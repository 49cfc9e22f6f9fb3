"""What the tray's tests share: an agent on a real socket, the look, and a clock that stands still."""

import gc
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.fakes.local_agent import LocalAgent
from tests.ui import examples
from ui.agent_link.link import AgentLink
from ui.link_state import LinkState
from ui.look import Look
from ui.present.picture import Picture
from ui.tokens import load_tokens


@pytest.fixture(autouse=True)
def _let_go_of_here() -> Iterator[None]:
    """Let go of windows in this thread alone: a fake agent's threads would collect them, too, and Qt does not survive that."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[LocalAgent]:
    """An agent that listens, all in line."""
    fake = LocalAgent(tmp_path / "agent.sock", examples.in_line())
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def link(agent: LocalAgent, qtbot: QtBot) -> Iterator[AgentLink]:
    """The way to that agent, not yet started."""
    made = AgentLink((str(agent.path),), lambda _place, uid: uid is not None)
    yield made
    made.stop()


@pytest.fixture
def look(qapp: QApplication) -> Look:
    """The light theme."""
    return Look(qapp, load_tokens(), "light")


@pytest.fixture
def owner(qapp: QApplication) -> Iterator[QObject]:
    """A parent for what a test makes."""
    made = QObject()
    yield made
    made.deleteLater()


@pytest.fixture
def picture() -> Picture:
    """A device on which all is in line, at noon in UTC."""
    return Picture(
        link=LinkState("connected", agent="0.1.0"),
        snapshot=examples.in_line(),
        now=examples.NOW,
        zone=UTC,
    )
