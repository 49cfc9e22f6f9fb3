"""The agent as a Windows service: Windows' service manager (here Wine's) sets it up, starts it, stops it and forgets it."""

import contextlib
import shutil
import subprocess
import sys
import time
import winreg
from collections.abc import Iterator

import pytest
import pywintypes
import win32service

from agent import cli
from agent.commands import exits
from agent.errors import ServiceError
from agent.folders import folders_of
from agent.localapi.this_system import connect
from agent.service import windows_logon, windows_plan, windows_setup
from contract import wire
from contract.local import LINE_LIMIT_BYTES, Hello, HelloReply, Reply
from contract.places import places_on
from contract.version import LOCAL_VERSION, VERSION

assert sys.platform == "win32"

PATIENCE_SECONDS = 90.0


def decorum(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line; its output comes through pipes."""
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def state_of_service() -> int | None:
    """Return the service's state as the manager has it; None without one."""
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
    try:
        service = win32service.OpenService(manager, windows_plan.NAME, win32service.SERVICE_QUERY_STATUS)
    except pywintypes.error:
        return None
    try:
        return win32service.QueryServiceStatus(service)[1]
    finally:
        win32service.CloseServiceHandle(service)
        win32service.CloseServiceHandle(manager)


@pytest.fixture
def clean() -> Iterator[None]:
    forget()
    yield
    forget()


def forget() -> None:
    """Leave neither a service nor its state."""
    with contextlib.suppress(ServiceError):
        windows_setup.remove()
    shutil.rmtree(folders_of("system").state.parent, ignore_errors=True)


def said_to(service: str) -> HelloReply:
    """Greet whoever listens; the manager says that the service runs before the agent has opened its pipe."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (connection := connect(service, 5.0)) is None:
        assert time.monotonic() < until
        time.sleep(0.5)
    connection.sendall(
        wire.encode({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": Hello(LOCAL_VERSION)}) + b"\n"
    )
    reply = wire.decode(Reply, connection.readline(LINE_LIMIT_BYTES), limit_bytes=LINE_LIMIT_BYTES)
    connection.close()
    return wire.decode(HelloReply, bytes(reply.result or b""), limit_bytes=LINE_LIMIT_BYTES)


def wait_until_forgotten() -> None:
    """Windows forgets a service once its process has ended and nobody holds a handle of it."""
    until = time.monotonic() + PATIENCE_SECONDS
    while state_of_service() is not None:
        assert time.monotonic() < until
        time.sleep(0.5)


@pytest.mark.usefixtures("clean")
def test_it_is_set_up_runs_answers_is_stopped_and_taken_away() -> None:
    place, database = places_on("windows").socket, folders_of("system").state / "state.sqlite3"
    done = decorum("service", "install", "--scope", "system")
    assert done.returncode == exits.COMPLIANT, done.stderr
    assert "starts with Windows" in done.stdout
    assert state_of_service() == win32service.SERVICE_RUNNING
    assert said_to(place) == HelloReply(VERSION, LOCAL_VERSION)
    # Wine runs every service as its one user, who is not the system: the command line rightly does not believe it.
    assert "who is not the agent" in decorum("status").stderr
    assert database.exists()
    again = decorum("service", "install", "--scope", "system")
    assert again.returncode == exits.FAULT
    assert "set up already" in again.stderr
    done = decorum("service", "remove", "--scope", "system")
    assert done.returncode == exits.COMPLIANT, done.stderr
    wait_until_forgotten()
    assert connect(place, 1.0) is None
    assert database.exists()


def test_without_a_service_there_is_none_to_take_away(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["service", "remove", "--scope", "system"]) == exits.FAULT
    assert "There is none." in capsys.readouterr().err


def test_only_windows_starts_the_service() -> None:
    done = decorum("service", "run", "--scope", "system")
    assert done.returncode == exits.FAULT
    assert "decorum run" in done.stderr


def test_a_users_own_agent_starts_at_logon_and_no_more_once_it_is_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(windows_logon, "start", started.append)
    program = [r"C:\Program Files\Decorum\decorum.exe"]
    windows_logon.install(program)
    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, windows_logon.RUN_KEY) as key:
        written = winreg.QueryValueEx(key, windows_logon.VALUE)
    assert written == (r'"C:\Program Files\Decorum\decorum.exe" service run --scope user', winreg.REG_SZ)
    assert started == [program]
    with pytest.raises(ServiceError, match="set up already"):
        windows_logon.install(program)
    windows_logon.remove()
    with pytest.raises(ServiceError, match="There is none"):
        windows_logon.remove()
