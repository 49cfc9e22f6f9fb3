"""Has `decorum open` open a messenger for work, and says in its words if it could not."""

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

from contract.local import WorkChoice

OWN_PREFIX = "decorum: "


class WorkLauncher(QObject):
    """Owns the commands that run.

    Args:
        program: the command and its first words.
        socket: where the agent listens, if that was named.
        parent: the owner.
    """

    failed = Signal(str, str)
    """The messenger's name, and why it was not opened."""

    def __init__(self, program: tuple[str, ...], socket: str | None, parent: QObject) -> None:
        super().__init__(parent)
        self._program = program
        self._more = () if socket is None else ("--socket", socket)

    def open(self, choice: WorkChoice) -> None:
        """Open a messenger's work profile."""
        process = QProcess(self)
        process.finished.connect(lambda code, _: self._on_finished(process, choice.name, code))
        process.errorOccurred.connect(lambda kind: self._on_error(process, choice.name, kind))
        process.start(self._program[0], [*self._program[1:], "open", "--work", choice.messenger, *self._more])

    def _on_error(self, process: QProcess, name: str, kind: QProcess.ProcessError) -> None:
        if kind == QProcess.ProcessError.FailedToStart:  # of all others it is told that it finished, too
            self._on_finished(process, name, 1)

    def _on_finished(self, process: QProcess, name: str, code: int) -> None:
        if code != 0:
            told = bytes(process.readAllStandardError().data()).decode(errors="replace").strip()
            self.failed.emit(name, told.removeprefix(OWN_PREFIX) or process.errorString())
        process.deleteLater()


def command_beside(executable: str = sys.executable) -> tuple[str, ...]:
    """Return the command `decorum`: beside this program, or as the path finds it."""
    beside = Path(executable).with_name("decorum.exe" if sys.platform == "win32" else "decorum")
    return (str(beside) if beside.exists() else "decorum",)
