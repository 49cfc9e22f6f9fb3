"""The program as a process and its small parts: options, screen, one instance, signals, memory, starting messengers."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot

from contract.local import WorkChoice
from contract.places import PIPES
from tests.fakes.local_agent import LocalAgent
from ui import options, preflight
from ui.commands import Commands, command_beside
from ui.memory import Memory, Remembered
from ui.places import runtime_folder
from ui.present.picture import Picture
from ui.present.status import view
from ui.present.tray import tray as present_tray
from ui.program import agent_places
from ui.single_instance import SingleInstance, files
from ui.starter import Starter, command_of
from ui.stop_signals import StopSignals
from ui.tokens import load_tokens
from ui.tray import Tray

Start = Callable[..., "subprocess.Popen[str]"]
PLACES = ("/run/an-agent.sock",)

RESTARTS_ONCE = """
import os, pathlib, sys
mark = pathlib.Path(os.environ["RESTART_MARK"])
if not mark.exists() and "ui.app" in sys.orig_argv:
    mark.touch()
    from ui.known import Known
    from ui.program import RESTART
    from PySide6.QtCore import QCoreApplication
    before = Known._on_snapshot
    def after(known, snapshot):
        before(known, snapshot)
        QCoreApplication.exit(RESTART)
    Known._on_snapshot = after
"""
"""Ends the first run's loop as the button `Start again` does."""


@pytest.fixture
def start(checkout: Path, tmp_path: Path) -> Iterator[Start]:
    """Start the real program, in a home of its own, without a screen."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        told = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "LANG": "C",
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(tmp_path),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "ui.app", *arguments],
            cwd=checkout,
            env={name: value for name, value in (told | environment).items() if value},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_quietly_and_ends_cleanly_on_a_signal(
    start: Start, agent: LocalAgent, qtbot: QtBot, tmp_path: Path, number: signal.Signals
) -> None:
    process = start("--socket", str(agent.path), "--show", "status")
    qtbot.waitUntil(lambda: agent.subscribers == 1)
    process.send_signal(number)
    output, complaints = process.communicate(timeout=10)
    assert (process.returncode, output, complaints) == (0, "", "")
    assert not list(tmp_path.glob("decorum-tray*.sock"))


def test_a_second_start_asks_the_first_and_ends(start: Start, agent: LocalAgent, qtbot: QtBot) -> None:
    first = start("--socket", str(agent.path))
    qtbot.waitUntil(lambda: agent.subscribers == 1)
    second = start("--socket", str(agent.path), "--show", "policy")
    assert second.communicate(timeout=10) == ("", "")
    assert second.returncode == 0
    qtbot.waitUntil(lambda: "policy" in agent.methods())
    assert first.poll() is None


def test_it_starts_itself_again_as_it_was_started(
    start: Start, agent: LocalAgent, qtbot: QtBot, tmp_path: Path
) -> None:
    """The click is left out; everything after it is real: the loop's end, the lock, the new process image."""
    (tmp_path / "sitecustomize.py").write_text(RESTARTS_ONCE)
    process = start(
        "--socket", str(agent.path), PYTHONPATH=str(tmp_path), RESTART_MARK=str(tmp_path / "mark")
    )
    qtbot.waitUntil(lambda: agent.methods().count("subscribe") == 2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=10) == ("", "")


def test_without_a_screen_it_says_so_before_qt_aborts(start: Start) -> None:
    process = start(QT_QPA_PLATFORM="")
    _, complaints = process.communicate(timeout=10)
    assert (process.returncode, complaints.strip()) == (69, preflight.NO_SCREEN)


def test_a_screen_that_cannot_be_used_is_named_with_a_remedy(start: Start) -> None:
    process = start(QT_QPA_PLATFORM="xcb", DISPLAY=":987")
    _, complaints = process.communicate(timeout=20)
    assert process.returncode == 69
    assert ":987" in complaints
    assert preflight.INSTALL_COMMAND in complaints
    assert "Traceback" not in complaints


def test_version_needs_no_screen(start: Start) -> None:
    process = start("--version", QT_QPA_PLATFORM="")
    assert process.communicate(timeout=10)[0] == "decorum-tray 0.1.0\n"
    assert process.returncode == 0


def test_missing_libraries_are_named_with_the_command_that_installs_them() -> None:
    error = ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")
    complaint = preflight.missing_qt(error)
    assert complaint is not None
    assert "libEGL.so.1" in complaint
    assert "sudo apt-get install -y libegl1 " in complaint


def test_a_missing_qt_is_told_apart_from_a_fault_of_ours() -> None:
    absent = preflight.missing_qt(ModuleNotFoundError("No module", name="PySide6.QtWidgets"))
    assert absent == preflight.QT_MISSING
    assert preflight.missing_qt(ModuleNotFoundError("No module", name="ui.gone")) is None


@pytest.mark.parametrize(
    ("environ", "platform", "is_missing"),
    [
        ({}, "linux", True),
        ({"QT_QPA_PLATFORM": "xcb"}, "linux", True),
        ({"DISPLAY": ":0"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", False),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", False),
        ({}, "darwin", False),
        ({}, "win32", False),
    ],
)
def test_when_there_is_no_screen(environ: dict[str, str], platform: str, is_missing: bool) -> None:  # noqa: FBT001  # pytest passes it by name
    assert (preflight.missing_screen(environ, platform) is not None) == is_missing


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"LC_CTYPE": "C.UTF-8"}),
        ({"LANG": "C"}, {"LANG": "C", "LC_CTYPE": "C.UTF-8"}),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, {"LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8"}),
        ({"LANG": "de_DE.UTF-8"}, {"LANG": "de_DE.UTF-8"}),
    ],
)
def test_a_locale_that_qt_would_grumble_about_is_settled(
    before: dict[str, str], after: dict[str, str]
) -> None:
    preflight.settle_locale(before)
    assert before == after


def test_options() -> None:
    assert options.parse([]) == options.Options(socket=None, theme="system", show=None)
    chosen = options.parse(["--socket", "/tmp/s", "--theme", "dark", "--show", "sees"])
    assert chosen == options.Options(socket="/tmp/s", theme="dark", show="sees")


@pytest.mark.parametrize("wrong", [["--theme", "pink"], ["--show", "nothing"], ["extra"]])
def test_wrong_usage_exits_with_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        options.parse(wrong)
    assert exited.value.code == 2
    assert "usage: decorum-tray" in capsys.readouterr().err


def test_only_one_is_the_one_until_it_lets_go(tmp_path: Path, owner: QObject) -> None:
    first, second = SingleInstance(tmp_path, PLACES, owner), SingleInstance(tmp_path, PLACES, owner)
    assert first.claim()
    assert not second.claim()
    first.release()
    assert second.claim()
    second.release()


def test_each_agent_may_have_a_tray_of_its_own(tmp_path: Path, owner: QObject) -> None:
    one, other = (
        SingleInstance(tmp_path, PLACES, owner),
        SingleInstance(tmp_path, ("/run/other.sock",), owner),
    )
    assert one.claim()
    assert other.claim()
    one.release()
    other.release()


def test_a_socket_that_is_named_in_two_ways_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    place = str(tmp_path / "agent.sock")
    assert agent_places("agent.sock", {}) == agent_places(None, {"DECORUM_SOCKET": place}) == (place,)


def test_on_windows_the_one_tray_listens_at_a_pipe_of_this_users_name(tmp_path: Path) -> None:
    ada, bob = (files(tmp_path, PLACES, "windows", uid)[1] for uid in (1001, 1002))
    assert ada.startswith(f"{PIPES}decorum-tray-")
    assert ada != bob
    assert "\\" not in ada.removeprefix(PIPES)  # a pipe's name holds none


def test_a_lock_and_a_socket_left_by_a_crash_are_no_obstacle(tmp_path: Path, owner: QObject) -> None:
    files(tmp_path, PLACES)[0].write_text(f"{2**22 + 1}\ndecorum-tray\n{socket.gethostname()}\n")
    Path(files(tmp_path, PLACES)[1]).write_text("")
    instance = SingleInstance(tmp_path, PLACES, owner)
    assert instance.claim()
    assert Path(files(tmp_path, PLACES)[1]).stat().st_mode & 0o077 == 0
    instance.release()


def test_a_lock_whose_owner_does_not_answer_is_taken_over(
    start: Start, agent: LocalAgent, qtbot: QtBot, tmp_path: Path
) -> None:
    files(tmp_path, (str(agent.path),))[0].write_text("1\ndecorum-tray\nanother-host\n")
    start("--socket", str(agent.path))
    qtbot.waitUntil(lambda: agent.subscribers == 1)


def test_what_a_later_start_says_is_bounded(tmp_path: Path, owner: QObject, qtbot: QtBot) -> None:
    instance = SingleInstance(tmp_path, PLACES, owner)
    instance.claim()
    guest = QLocalSocket(owner)
    guest.connectToServer(files(tmp_path, PLACES)[1])
    with qtbot.assertNotEmitted(instance.asked), qtbot.waitSignal(guest.disconnected):
        guest.write(b"x" * 1000)
    polite = QLocalSocket(owner)
    polite.connectToServer(files(tmp_path, PLACES)[1])
    with qtbot.waitSignal(instance.asked) as asked:
        polite.write(b"sees\n")
    assert asked.args == ["sees"]
    instance.release()


def test_signals_reach_the_loop_and_are_given_back(owner: QObject, qtbot: QtBot) -> None:
    before = signal.getsignal(signal.SIGTERM)
    stopped: list[None] = []
    signals = StopSignals(lambda: stopped.append(None), owner)
    os.kill(os.getpid(), signal.SIGTERM)
    qtbot.waitUntil(lambda: bool(stopped))
    signals.release()
    assert signal.getsignal(signal.SIGTERM) == before


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "new" / "tray.json")
    assert memory.read() == Remembered(told_no_tray=False)
    memory.write(Remembered(told_no_tray=True))
    assert memory.read() == Remembered(told_no_tray=True)


@pytest.mark.parametrize("damaged", [b"", b"not json", b'{"told_no_tray":"yes"}', b" " * 5000])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, damaged: bytes) -> None:
    file = tmp_path / "tray.json"
    file.write_bytes(damaged)
    assert Memory(file).read() == Remembered()


def test_a_memory_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Memory(tmp_path / "file" / "tray.json").write(Remembered(told_no_tray=True))


def test_runtime_files_lie_in_the_sessions_folder_or_the_users_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runtime_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = runtime_folder({"XDG_RUNTIME_DIR": str(tmp_path / "absent")})
    assert folder == tmp_path / "state" / "decorum"
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("Name=Slack\nExec=/usr/bin/slack %U", ("Slack", ["/usr/bin/slack"])),
        ('Name=Teams\nExec="/opt/My Teams/teams" --x=50%% %u', ("Teams", ["/opt/My Teams/teams", "--x=50%"])),
        ("Name=Slack\nName[de]=Schlaff\n# Name=Other\nExec=slack", ("Slack", ["slack"])),
        ("Name=Slack\nExec=slack\nNoDisplay=true", None),
        ("Name=Slack\nExec=slack\nHidden=true", None),
        ("Name=Slack\nExec=slack\nTerminal=true", None),
        ("Name=Slack", None),
        ("Exec=slack", None),
        ('Name=Slack\nExec="slack', None),
        ("Name=Slack\nExec=slack\n[Desktop Action new]\nName=New\nExec=slack --new", ("Slack", ["slack"])),
    ],
)
def test_a_desktop_entry_names_its_command(lines: str, expected: tuple[str, list[str]] | None) -> None:
    assert command_of(f"[Desktop Entry]\nType=Application\n{lines}\n") == expected


def test_the_users_own_entry_comes_before_the_systems(tmp_path: Path, qtbot: QtBot) -> None:
    for place in ("own", "shared"):
        (tmp_path / place / "applications").mkdir(parents=True)
        (tmp_path / place / "applications/chat.desktop").write_text(
            f"[Desktop Entry]\nType=Application\nName=Chat\nExec=touch {tmp_path / place / 'started'}\n"
        )
    environ = {"XDG_DATA_HOME": str(tmp_path / "own"), "XDG_DATA_DIRS": str(tmp_path / "shared")}
    starter = Starter(environ, tmp_path)
    assert starter.can_start("chat")
    assert not starter.can_start("Other")
    assert not starter.start("Other")
    assert starter.start("Chat")
    qtbot.waitUntil((tmp_path / "own/started").exists)
    assert not (tmp_path / "shared/started").exists()


def test_without_a_panel_it_is_said_once_and_the_panel_is_still_looked_for(
    owner: QObject, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.tray.GIVEN_UP_MILLISECONDS", 30)
    tray = Tray(load_tokens().tray, owner)
    with qtbot.waitSignal(tray.no_panel):
        tray.start()
    assert tray._search.isActive()
    tray.stop()


def icons(tray: Tray) -> list[QSystemTrayIcon]:
    """Return the icons that the tray has made."""
    return tray.findChildren(QSystemTrayIcon)


def test_a_panel_that_comes_late_gets_the_icon(
    owner: QObject, picture: Picture, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.tray.LOOK_AGAIN_MILLISECONDS", 10)
    monkeypatch.setattr("ui.tray.GIVEN_UP_MILLISECONDS", 30)
    is_there: list[None] = []
    monkeypatch.setattr("ui.tray.QSystemTrayIcon.isSystemTrayAvailable", lambda: bool(is_there))
    tray = Tray(load_tokens().tray, owner)
    tray.show_view(present_tray(view(picture)))
    with qtbot.waitSignal(tray.no_panel):
        tray.start()
    assert icons(tray) == []
    is_there.append(None)
    qtbot.waitUntil(lambda: icons(tray) != [])
    (icon,) = icons(tray)
    assert icon.isVisible()
    assert icon.toolTip() == "Decorum: You are in line with the policy"
    assert not tray._search.isActive()
    tray.stop()


def test_the_window_opens_once_for_want_of_a_panel_and_not_at_the_next_start(
    start: Start, agent: LocalAgent, qtbot: QtBot, tmp_path: Path
) -> None:
    remembered = tmp_path / ".local/state/decorum/tray.json"
    process = start("--socket", str(agent.path))
    qtbot.waitUntil(remembered.exists, timeout=15_000)
    assert Memory(remembered).read().told_no_tray
    assert process.poll() is None


def test_the_menu_offers_what_may_be_opened_for_work(owner: QObject, picture: Picture, qtbot: QtBot) -> None:
    tray = Tray(load_tokens().tray, owner)
    shown = view(picture)
    tray.show_view(present_tray(shown))
    assert not tray._for_work.menuAction().isVisible(), "a menu with nothing in it is not there"
    tray.show_view(present_tray(shown, (WorkChoice("leapxpert", "LeapXpert"), WorkChoice("x", "A&B"))))
    assert tray._for_work.menuAction().isVisible()
    assert [action.text() for action in tray._for_work.actions()] == ["LeapXpert", "A&&B"]
    with qtbot.waitSignal(tray.work_wanted) as told:
        tray._for_work.actions()[0].trigger()
    assert told.args == ["leapxpert"]
    tray.show_view(present_tray(shown))
    assert not tray._for_work.menuAction().isVisible()


def test_the_command_opens_it_and_tells_of_a_failure_in_its_words(
    owner: QObject, qtbot: QtBot, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    command = tmp_path / "decorum"
    command.write_text(
        f'#!/bin/sh\necho "$@" >> {log}\n'
        'test "$3" = telegram || { echo "decorum: It was not opened: X is not here. Install it." >&2; exit 2; }\n'
    )
    command.chmod(0o755)
    commands = Commands((str(command),), "/run/x.sock", owner)
    with qtbot.waitSignal(commands.failed) as told:
        commands.open_for_work(WorkChoice("telegram", "Telegram"))
        commands.open_for_work(WorkChoice("x", "X"))
    assert told.args == ["X was not opened", "It was not opened: X is not here. Install it."]
    qtbot.waitUntil(lambda: log.read_text().count("\n") == 2)
    assert "open --work telegram --socket /run/x.sock\n" in log.read_text()
    gone = Commands((str(tmp_path / "gone"),), None, owner)
    with qtbot.waitSignal(gone.failed) as told:
        gone.open_for_work(WorkChoice("x", "X"))
    assert told.args[1]


def test_the_command_beside_this_program_is_taken_before_any_other(tmp_path: Path) -> None:
    assert command_beside(str(tmp_path / "decorum-tray")) == ("decorum",)
    (tmp_path / "decorum").touch()
    assert command_beside(str(tmp_path / "decorum-tray")) == (str(tmp_path / "decorum"),)
