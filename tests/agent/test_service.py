"""What Windows and launchd are asked for, decided by pure functions; the real service manager is asked by `make test-windows`."""

import plistlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent import cli
from agent.commands import exits
from agent.errors import ServiceError
from agent.service import launchd, windows_plan
from agent.service.launchd_jobs import LAUNCHCTL, Jobs
from agent.service.program import Interpreter, program_of
from installer.entry.bundle import IDENTIFIER, INFORMATION

PROGRAM = ["/Applications/Decorum.app/Contents/MacOS/decorum"]
KEYS: dict[str, type] = {
    "Label": str,
    "ProgramArguments": list,
    "RunAtLoad": bool,
    "KeepAlive": dict,
    "ThrottleInterval": int,
    "ExitTimeOut": int,
    "ProcessType": str,
    "LimitLoadToSessionType": str,
    "StandardErrorPath": str,
    "Umask": int,
}
"""Of the keys that launchd.plist(5) of macOS 14 documents, those that are used, with their types there."""
JOBS = {
    "daemon": launchd.daemon(PROGRAM),
    "agent": launchd.users_agent(PROGRAM, "/Users/ada"),
    "tray": launchd.tray(["/Applications/Decorum.app/Contents/MacOS/decorum-tray"]),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_a_property_list_of_documented_keys(name: str) -> None:
    read: dict[str, Any] = plistlib.loads(launchd.written(JOBS[name]))
    assert read == dict(JOBS[name])
    for key, value in read.items():
        assert type(value) is KEYS[key], key
    assert Path(read["ProgramArguments"][0]).is_absolute()
    assert read["ProcessType"] in {"Background", "Standard", "Adaptive", "Interactive"}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_starts_by_itself_and_again_after_a_failure_only(name: str) -> None:
    job = JOBS[name]
    assert job["RunAtLoad"] is True
    assert job["KeepAlive"] == {"SuccessfulExit": False}
    assert job["ThrottleInterval"] == 10


def test_a_daemon_serves_the_device_an_agent_its_user_and_the_tray_needs_a_screen() -> None:
    assert JOBS["daemon"]["ProgramArguments"] == [*PROGRAM, "run", "--scope", "system"]
    assert JOBS["agent"]["ProgramArguments"] == [*PROGRAM, "run", "--scope", "user"]
    assert {name: job.get("LimitLoadToSessionType") for name, job in JOBS.items()} == {
        "daemon": None,
        "agent": None,
        "tray": "Aqua",
    }
    assert JOBS["daemon"]["Umask"] == 63  # 077


def test_the_tray_lives_in_the_menu_bar_under_the_name_of_its_job() -> None:
    # Apple, "LSUIElement": whether the app is an agent app that runs in the background and does not appear in the Dock.
    assert INFORMATION["LSUIElement"] is True
    assert IDENTIFIER == launchd.TRAY_LABEL


class Launchctl:
    """Stands in for launchctl, and notes what it is asked."""

    def __init__(self, *, fails: bool = False) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._fails = fails

    def __call__(self, command: Sequence[str]) -> None:
        self.asked.append(tuple(command))
        if self._fails:
            raise subprocess.CalledProcessError(5, command)


def test_launchd_is_given_a_job_and_told_to_let_it_go(tmp_path: Path) -> None:
    asked = Launchctl()
    jobs = Jobs("system", 0, tmp_path / "home", tmp_path, asked)
    file = tmp_path / "Library/LaunchDaemons/org.decorum.agent.plist"
    jobs.install(PROGRAM)
    assert plistlib.loads(file.read_bytes()) == JOBS["daemon"]
    assert file.stat().st_mode & 0o777 == 0o644
    with pytest.raises(ServiceError, match="set up already"):
        jobs.install(PROGRAM)
    jobs.remove()
    assert not file.exists()
    assert asked.asked == [
        (LAUNCHCTL, "bootstrap", "system", str(file)),
        (LAUNCHCTL, "bootout", "system/org.decorum.agent"),
    ]
    with pytest.raises(ServiceError, match="There is none"):
        jobs.remove()


def test_a_users_own_job_is_in_that_users_session(tmp_path: Path) -> None:
    asked = Launchctl()
    Jobs("user", 501, tmp_path / "home", tmp_path, asked).install(PROGRAM)
    file = tmp_path / "home/Library/LaunchAgents/org.decorum.agent.plist"
    assert asked.asked == [(LAUNCHCTL, "bootstrap", "gui/501", str(file))]


def test_a_job_that_launchd_does_not_take_is_not_left_behind(tmp_path: Path) -> None:
    jobs = Jobs("system", 0, tmp_path, tmp_path, Launchctl(fails=True))
    with pytest.raises(ServiceError, match="did not take it") as refused:
        jobs.install(PROGRAM)
    assert "sudo" in refused.value.remedy
    assert list(tmp_path.rglob("*.plist")) == []


def test_windows_is_asked_for_a_quoted_command_restarts_and_few_privileges() -> None:
    wanted = windows_plan.plan([r"C:\Program Files\Decorum\decorum.exe"])
    # Without quotes Windows would first try C:\Program.exe (Microsoft, "CreateServiceW", lpBinaryPathName).
    assert wanted.command == r'"C:\Program Files\Decorum\decorum.exe" service run'
    assert [one.after_milliseconds for one in wanted.restarts] == [5_000, 30_000, 60_000]
    assert wanted.privileges == ("SeChangeNotifyPrivilege",)
    assert windows_plan.plan([r"C:\P y\python.exe", "-m", "agent.cli"]).command == (
        r'"C:\P y\python.exe" -m agent.cli service run'
    )
    assert windows_plan.STOPPING_SECONDS < windows_plan.STOPPED_AT_THE_LATEST_SECONDS


def test_the_program_that_a_system_starts_is_this_one() -> None:
    frozen = Interpreter("/opt/decorum", is_frozen=True, in_environment=False)
    plain = Interpreter("/usr/bin/python3", is_frozen=False, in_environment=False)
    environment = Interpreter("/venv/bin/python", is_frozen=False, in_environment=True)
    assert program_of(frozen, may_be_environment=False) == ["/opt/decorum"]
    assert program_of(plain, may_be_environment=False) == ["/usr/bin/python3", "-m", "agent.cli"]
    assert program_of(environment, may_be_environment=True) == ["/venv/bin/python", "-m", "agent.cli"]
    with pytest.raises(ServiceError, match="starts another one"):
        program_of(environment, may_be_environment=False)


def test_on_linux_it_says_who_starts_the_agent(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["service", "install"]) == exits.FAULT
    assert "systemd starts the agent" in capsys.readouterr().err
