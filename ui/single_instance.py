"""One tray for each user and agent: a second start asks the first to show its window, and ends."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from contract.places import PIPES, THIS_SYSTEM, System
from ui.this_user import own_uid

NAME = "decorum-tray"
PATIENCE_MILLISECONDS = 2_000
WORD_LIMIT_BYTES = 64


def files(
    folder: Path, places: Sequence[str], system: System = THIS_SYSTEM, uid: int | None = None
) -> tuple[Path, str]:
    """Return the lock and the address of the one tray for these places; on Windows an address is no file, but a pipe of this user's name."""
    of_agent = f"{NAME}-{hashlib.sha256(chr(0).join(places).encode()).hexdigest()[:12]}"
    lock = folder / f"{of_agent}.lock"
    if system == "windows":
        return lock, f"{PIPES}{of_agent}-{own_uid() if uid is None else uid:x}"
    return lock, str(folder / f"{of_agent}.sock")


class SingleInstance(QObject):
    """Owns the lock and, if it is ours, the socket that later starts knock at.

    Args:
        folder: the user's own folder for runtime files.
        places: where the tray looks for its agent.
        parent: the owner.
    """

    asked = Signal(str)
    """A later start asks for a window: `status`, `policy`, `sees` or `reminder`."""

    def __init__(self, folder: Path, places: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        lock, self._address = files(folder, places)
        self._lock = QLockFile(str(lock))
        self._lock.setStaleLockTime(0)  # only the end of the owner's process makes it stale, never its age
        self._server: QLocalServer | None = None

    def claim(self) -> bool:
        """Become the one; tell whether that went well."""
        if not self._lock.tryLock(0):
            return False
        self._listen_for_others()
        return True

    def take_over(self) -> None:
        """Become the one although the lock says otherwise: its owner does not answer, so it hangs or was on another host."""
        Path(self._lock.fileName()).unlink(missing_ok=True)
        self._lock.tryLock(0)
        self._listen_for_others()

    def _listen_for_others(self) -> None:
        QLocalServer.removeServer(self._address)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._welcome)
        self._server.listen(self._address)

    def ask(self, page: str) -> bool:
        """Ask the one that runs to show a window; tell whether it took the word."""
        knock = QLocalSocket()
        knock.connectToServer(self._address)
        if not knock.waitForConnected(PATIENCE_MILLISECONDS):
            return False
        knock.write(page.encode() + b"\n")
        return knock.waitForDisconnected(PATIENCE_MILLISECONDS)

    def release(self) -> None:
        """Stop being the one."""
        if self._server is not None:
            self._server.close()
        self._lock.unlock()

    def _welcome(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            guest = self._server.nextPendingConnection()
            guest.setReadBufferSize(WORD_LIMIT_BYTES)
            guest.readyRead.connect(lambda guest=guest: self._listen(guest))
            guest.disconnected.connect(guest.deleteLater)
            if guest.bytesAvailable():
                self._listen(guest)

    def _listen(self, guest: QLocalSocket) -> None:
        untrusted_word = bytes(guest.peek(WORD_LIMIT_BYTES).data())
        if b"\n" in untrusted_word:
            guest.disconnectFromServer()
            self.asked.emit(untrusted_word.partition(b"\n")[0].decode(errors="replace"))
        elif len(untrusted_word) >= WORD_LIMIT_BYTES:
            guest.abort()
