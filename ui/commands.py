"""Has the command `decorum` do what a service without a session cannot, and says in its words if that went wrong."""

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

from contract.local import WorkChoice
from ui.texts import say, status

OWN_PREFIX = "decorum: "


class Commands(QObject):
    """Owns the commands that run.

    Args:
        program: the command and its first words.
        socket: where the agent listens, if that was named.
        parent: the owner.
    """

    failed = Signal(str, str)
    """What was not done, and why."""

    def __init__(self, program: tuple[str, ...], socket: str | None, parent: QObject) -> None:
        super().__init__(parent)
        self._program = program
        self._more = () if socket is None else ("--socket", socket)

    def open_for_work(self, choice: WorkChoice) -> None:
        """Open a messenger's work profile."""
        self._run(say(status.NOT_OPENED, name=choice.name), "open", "--work", choice.messenger)

    def hand_over(self, messenger: str) -> None:
        """Hand over what a messenger has saved for work."""
        self._run(say(status.NOT_HANDED_OVER), "hand-over", messenger)

    def _run(self, otherwise: str, *words: str) -> None:
        running = _Running(otherwise, self)
        running.failed.connect(self.failed)
        running.start(self._program[0], [*self._program[1:], *words, *self._more])


class _Running(QProcess):
    """One command; deletes itself once it has ended.

    Args:
        otherwise: what was not done, if it fails.
        parent: the owner.
    """

    failed = Signal(str, str)

    def __init__(self, otherwise: str, parent: QObject) -> None:
        super().__init__(parent)
        self._otherwise = otherwise
        self.finished.connect(self._on_finished)
        self.errorOccurred.connect(self._on_error)

    def _on_error(self, kind: QProcess.ProcessError) -> None:
        if kind == QProcess.ProcessError.FailedToStart:  # of all others it is told that it finished, too
            self._on_finished(1)

    def _on_finished(self, code: int) -> None:
        if code != 0:
            told = bytes(self.readAllStandardError().data()).decode(errors="replace").strip()
            self.failed.emit(self._otherwise, told.removeprefix(OWN_PREFIX) or self.errorString())
        self.deleteLater()


def command_beside(executable: str = sys.executable) -> tuple[str, ...]:
    """Return the command `decorum`: beside this program, or as the path finds it."""
    beside = Path(executable).with_name("decorum.exe" if sys.platform == "win32" else "decorum")
    return (str(beside) if beside.exists() else "decorum",)
