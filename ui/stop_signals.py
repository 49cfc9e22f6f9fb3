"""Ends the program cleanly on Ctrl-C and on the session's SIGTERM, which Qt's loop would keep from Python."""

import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier

STOPPING = (signal.SIGINT, signal.SIGTERM)


class StopSignals(QObject):
    """Owns the way from a signal into Qt's loop: Python writes the signal's number to a socket that Qt watches.

    Args:
        stop: called in the loop, once for each signal.
        parent: the owner.
    """

    def __init__(self, stop: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._stop = stop
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_written)
        self._before_wakeup = signal.set_wakeup_fd(self._writer.fileno())
        self._before = {number: signal.signal(number, _nothing) for number in STOPPING}

    def release(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._before_wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def _on_written(self) -> None:
        numbers = self._reader.recv(64)
        if any(number in STOPPING for number in numbers):
            self._stop()


def _nothing(_number: int, _frame: object) -> None:
    """Let Python write to the wake-up socket instead of ending the process."""
