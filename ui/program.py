"""The composition root: every object of the tray is built here, once, and passed by argument."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from contract.places import sockets_to_try, trusted_owner
from ui import preflight
from ui.agent_link.link import AgentLink
from ui.commands import Commands, command_beside
from ui.icons import application_icon
from ui.known import Known
from ui.look import Look
from ui.memory import Memory, Remembered
from ui.options import Options
from ui.places import runtime_folder, state_folder
from ui.present import status as present_status
from ui.present.tray import tray as present_tray
from ui.single_instance import SingleInstance
from ui.starter import Starter
from ui.stop_signals import StopSignals
from ui.texts import words
from ui.this_user import own_uid, service_uid
from ui.tokens import load_tokens
from ui.tray import Tray
from ui.windows import Windows

if sys.platform == "win32":
    from ui import windows_identity

RESTART = 75
"""Qt's loop ended because the program is to be started again, newer."""
_HARMLESS = ("systemTrayWindowChanged", "This plugin does not support ")
"""What Qt says of screens that have no panels or no order of windows; nothing follows from it."""
_log = logging.getLogger(__name__)


class Program(QObject):
    """Owns everything that lives as long as the tray does.

    Args:
        application: Qt's.
        chosen: the command line.
        environ: the environment.
        instance: the lock of this user's one tray, which is ours.
    """

    def __init__(
        self,
        application: QApplication,
        chosen: Options,
        environ: Mapping[str, str],
        instance: SingleInstance,
    ) -> None:
        super().__init__(application)
        tokens = load_tokens()
        self._chosen, self._application = chosen, application
        application.setWindowIcon(application_icon(tokens.tray))
        self._memory = Memory(state_folder() / "tray.json")
        self._look = Look(application, tokens, chosen.theme)
        self._link = make_link(chosen.socket, environ, self)
        starter = Starter(environ, Path.home())
        commands = Commands(command_beside(), chosen.socket, self)
        self._known = Known(self._link, starter, _now, self)
        self._windows = Windows(self._look, self._known, self._link, starter, commands, _now, self)
        self._tray = Tray(tokens.tray, self)
        self._connect(instance)

    def start(self) -> None:
        """Show the icon, look for the agent, open what the command line asks for."""
        self._present()
        self._tray.start()
        self._link.start()
        if self._chosen.show is not None:
            self._windows.show_page(self._chosen.show)

    def stop(self) -> None:
        """Leave nothing behind in the panel and at the agent's door."""
        self._tray.stop()
        self._link.stop()

    def _connect(self, instance: SingleInstance) -> None:
        tray, windows = self._tray, self._windows
        instance.asked.connect(windows.show_page)
        tray.open_wanted.connect(windows.show_status)
        tray.sees_wanted.connect(windows.show_sees)
        tray.policy_wanted.connect(windows.show_policy)
        tray.help_wanted.connect(windows.show_help)
        tray.check_in_wanted.connect(self._known.check_in)
        tray.work_wanted.connect(windows.open_for_work)
        tray.no_panel.connect(self._on_no_panel)
        windows.restart_wanted.connect(lambda: self._application.exit(RESTART))
        self._known.changed.connect(self._present)
        self._known.reminded.connect(windows.show_reminders)
        self._known.notice_due.connect(windows.show_notice)

    def _present(self) -> None:
        view = present_status.view(self._known.picture())
        self._tray.show_view(present_tray(view, self._known.for_work))
        self._windows.show_view(view)

    def _on_no_panel(self) -> None:
        """Tell, once in this user's life, where the program is if no panel shows it."""
        if self._memory.read().told_no_tray:
            return
        self._memory.write(Remembered(told_no_tray=True))
        self._known.opened_without_tray()
        self._windows.show_status()


def run(chosen: Options, environ: Mapping[str, str]) -> int:
    """Run until the user's session or a signal ends it; return the exit code."""
    qInstallMessageHandler(_message_handler(environ))
    if sys.platform == "win32":
        windows_identity.settle()
    application = QApplication(sys.argv[:1])
    application.setApplicationName(words.APPLICATION)
    application.setDesktopFileName("decorum-tray")
    application.setQuitOnLastWindowClosed(False)
    instance = SingleInstance(runtime_folder(environ), agent_places(chosen.socket, environ), application)
    if not instance.claim():
        if instance.ask(chosen.show or "status"):
            return 0
        instance.take_over()
    program = Program(application, chosen, environ, instance)
    signals = StopSignals(application.quit, application)
    program.start()
    code = application.exec()
    program.stop()
    signals.release()
    instance.release()
    if code == RESTART:
        _start_again()
    return code


def _start_again() -> None:
    """Become the program anew, with our own command line; Windows can only start another and end this one."""
    command = [sys.executable, *sys.orig_argv[1:]]
    if sys.platform == "win32":
        subprocess.Popen(command)
    else:
        os.execv(command[0], command)  # noqa: S606  # no shell is meant


def agent_places(socket: str | None, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return where the agent is looked for, the first that answers."""
    return (str(Path(socket).absolute()),) if socket else tuple(sockets_to_try(environ, own_uid()))


def make_link(socket: str | None, environ: Mapping[str, str], parent: QObject) -> AgentLink:
    """Return the way to the agent of this device."""
    uid, service = own_uid(), service_uid()
    places = agent_places(socket, environ)

    def trusts(place: str, peer: int | None) -> bool:
        return peer is not None and trusted_owner(place, peer, uid, service)

    return AgentLink(places, trusts, parent)


def _now() -> datetime:
    return datetime.now(UTC)


def _message_handler(
    environ: Mapping[str, str],
) -> Callable[[QtMsgType, QMessageLogContext, str], None]:
    """Return what passes Qt's messages on; the one before an abort is put into words and an exit code instead."""

    def handle(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        if kind == QtMsgType.QtFatalMsg and "platform plugin" in text:
            print(preflight.refused_screen(environ), file=sys.stderr, flush=True)
            os._exit(preflight.UNAVAILABLE)
        if not any(part in text for part in _HARMLESS):
            _log.log(logging.DEBUG if kind == QtMsgType.QtDebugMsg else logging.WARNING, "Qt: %s", text)

    return handle
