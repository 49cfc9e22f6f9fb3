"""The tray's way to the agent through Qt, over a real pipe with a real agent's end. Wine 8 loads Qt 6.8, not 6.12, and shows no icon."""

import asyncio
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from PySide6.QtCore import QCoreApplication, QDeadlineTimer, QEventLoop, QObject

from agent.localapi.server import Caller, LocalServer
from agent.this_user import own_uid as agents_own_uid
from contract.local import METHODS, Nothing, Snapshot
from contract.places import PIPES
from tests.ui import examples
from ui.agent_link import this_system
from ui.agent_link.link import AgentLink
from ui.places import runtime_folder, state_folder
from ui.program import make_link
from ui.single_instance import SingleInstance
from ui.this_user import own_uid, service_uid

assert sys.platform == "win32"

CHECKOUT = Path(__file__).parents[2]
PATIENCE_MILLISECONDS = 60_000


@pytest.fixture(scope="session")
def application() -> QCoreApplication:
    return QCoreApplication.instance() or QCoreApplication([])


@pytest.fixture
def owner(application: QCoreApplication) -> Iterator[QObject]:
    made = QObject()
    yield made
    made.deleteLater()


class RunningAgent:
    """An agent's end of a pipe, in a thread of its own; asked for a snapshot, it gives one that is in line."""

    def __init__(self) -> None:
        self.name = f"{PIPES}decorum-test-{uuid.uuid4().hex}"
        self.asked: list[str] = []
        self._loop = asyncio.ProactorEventLoop()
        self._server: LocalServer | None = None
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(20)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()

    async def _start(self) -> None:
        def answer(name: str) -> Callable[[Caller, object], object]:
            def give(_caller: Caller, _params: object) -> object:
                self.asked.append(name)
                return examples.in_line() if METHODS[name].result is Snapshot else Nothing()

            return give

        handlers = {name: answer(name) for name in METHODS if name != "hello"}
        self._server = LocalServer(Path(self.name), "user", handlers, lambda _: None)
        await self._server.start()

    async def _stop(self) -> None:
        if self._server is not None:
            await self._server.stop()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = QDeadlineTimer(PATIENCE_MILLISECONDS)
    while not is_so():
        assert not deadline.hasExpired()
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)


def test_both_programs_give_the_user_the_same_number() -> None:
    assert own_uid() == agents_own_uid()
    assert service_uid() is None


def test_the_tray_finds_the_agent_knows_its_owner_and_hears_it(owner: QObject) -> None:
    heard: list[object] = []
    with RunningAgent() as agent:
        link = make_link(agent.name, {}, owner)
        link.snapshot_came.connect(heard.append)
        link.start()
        wait_until(lambda: bool(heard))
        assert link.state.kind == "connected"
        link.stop()
    assert heard == [examples.in_line()]
    assert agent.asked == ["subscribe"]


def test_a_pipe_of_somebody_else_is_not_spoken_to(owner: QObject) -> None:
    met: list[tuple[str, int | None]] = []

    def trusts(place: str, uid: int | None) -> bool:
        met.append((place, uid))
        return False

    with RunningAgent() as agent:
        link = AgentLink((agent.name,), trusts, owner)
        link.start()
        wait_until(lambda: link.state.kind == "untrusted")
        link.stop()
    assert met == [(agent.name, own_uid())]
    assert agent.asked == []


def test_no_agent_is_told_as_absent(owner: QObject) -> None:
    link = make_link(f"{PIPES}decorum-test-nobody", {}, owner)
    link.start()
    wait_until(lambda: link.state.kind == "absent")
    link.stop()


def test_a_handle_that_is_no_pipe_has_no_owner_that_is_told() -> None:
    assert this_system.peer_uid(0) is None


def test_a_second_tray_asks_the_first(application: QCoreApplication, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path, ("a",))
    asked: list[str] = []
    first.asked.connect(asked.append)
    assert first.claim()
    second = (
        "from pathlib import Path; from PySide6.QtCore import QCoreApplication; from ui.single_instance import SingleInstance;"
        f"a = QCoreApplication([]); s = SingleInstance(Path({str(tmp_path)!r}), ('a',)); print(s.claim(), s.ask('policy'))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", second], cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        wait_until(lambda: process.poll() is not None)
        assert process.stdout is not None
        assert process.stdout.read().split() == [b"False", b"True"]
    wait_until(lambda: bool(asked))
    assert asked == ["policy"]
    first.release()


def test_the_whole_tray_starts_names_itself_and_finds_the_agent(tmp_path: Path) -> None:
    tray = (
        "import ctypes, sys; from ui import windows_identity as identity; settle = identity.settle\n"
        "identity.settle = lambda: (settle(), print('named', flush=True))\n"
        "from ui.app import main; sys.exit(main(sys.argv[1:]))"
    )
    environ = {**os.environ, "LOCALAPPDATA": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    with (
        RunningAgent() as agent,
        subprocess.Popen(
            [sys.executable, "-c", tray, "--socket", agent.name],
            cwd=CHECKOUT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        try:
            wait_until(lambda: "subscribe" in agent.asked or process.poll() is not None)
        finally:
            process.kill()
        told, complained = process.communicate()
        assert told.split() == [b"named"], complained
        assert "subscribe" in agent.asked, (process.returncode, complained)


def test_the_trays_own_files_lie_in_the_users_folder(tmp_path: Path) -> None:
    assert runtime_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == state_folder()
    assert state_folder().name == "Decorum"
