"""What systemd is told. Its socket is a real one that the test listens at; time is advanced, never slept."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.service.systemd import ALIVE, READY, Systemd
from tests.fakes.hand_loop import HandLoop
from tests.fakes.running_agent import RunningAgent


class Manager:
    """A service manager's end of the socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self) -> list[bytes]:
        """Return what was told since it was last asked."""
        words = []
        while True:
            try:
                words.append(self._socket.recv(100))
            except BlockingIOError:
                return words

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    one = Manager(str(tmp_path / "notify"))
    yield one
    one.close()


def told_over(seconds: float, systemd: Systemd, manager: Manager) -> list[bytes]:
    """Return what is told while an agent is well for so long."""
    loop = HandLoop()
    task = loop.create_task(systemd.run())
    loop.advance(seconds)
    words = manager.heard()
    loop.finish(task)
    return words


def test_it_is_ready_once_and_alive_twice_a_period(tmp_path: Path, manager: Manager) -> None:
    words = told_over(29, Systemd(str(tmp_path / "notify"), period_seconds=20), manager)
    assert words == [READY, ALIVE, ALIVE, ALIVE]


def test_without_a_watchdog_it_is_ready_and_then_silent(tmp_path: Path, manager: Manager) -> None:
    assert told_over(3600, Systemd(str(tmp_path / "notify")), manager) == [READY]


def test_an_abstract_address_is_reached() -> None:
    name = f"decorum-test-{os.getpid()}"
    listener = Manager(f"\0{name}")
    assert told_over(1, Systemd(f"@{name}"), listener) == [READY]
    listener.close()


def test_the_environment_is_taken_and_left_to_nobody(tmp_path: Path, manager: Manager) -> None:
    environ = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": "20000000",
        "WATCHDOG_PID": "7",
        "A": "1",
    }
    systemd = Systemd.taken_from(environ, 7)
    assert environ == {"A": "1"}
    assert told_over(10, systemd, manager) == [READY, ALIVE, ALIVE]


@pytest.mark.parametrize(
    "watchdog",
    [{"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "8"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}],
)
def test_a_watchdog_for_somebody_else_or_of_no_sense_is_not_fed(
    tmp_path: Path, manager: Manager, watchdog: dict[str, str]
) -> None:
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), **watchdog}
    assert told_over(3600, Systemd.taken_from(environ, 7), manager) == [READY]


def test_without_systemd_nobody_is_told() -> None:
    loop = HandLoop()
    task = loop.create_task(Systemd.taken_from({}, 7).run())
    loop.advance(3600)
    assert not task.done()
    loop.finish(task)


@pytest.mark.expected_warnings("systemd was not told READY=1")
def test_a_manager_that_cannot_be_reached_is_said_and_work_goes_on(tmp_path: Path) -> None:
    loop = HandLoop()
    task = loop.create_task(Systemd(str(tmp_path / "absent")).run())
    loop.advance(3600)
    assert not task.done()
    loop.finish(task)


def test_the_agent_is_ready_only_once_its_socket_answers(tmp_path: Path) -> None:
    heard: list[tuple[bytes, bool]] = []

    async def run(running: RunningAgent) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(tmp_path / "notify"))

        def hear() -> None:
            heard.append((listener.recv(100), (tmp_path / "agent/agent.sock").exists()))
            stop.set()

        loop.add_reader(listener, hear)
        async with asyncio.timeout(20):
            assert await running.agent.run(stop)
        loop.remove_reader(listener)
        listener.close()

    with RunningAgent(tmp_path / "agent", systemd=Systemd(str(tmp_path / "notify"))) as running:
        running._loop.run_until_complete(run(running))
    assert heard == [(READY, True)]
