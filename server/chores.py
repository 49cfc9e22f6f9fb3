"""What a running server does by itself, without an outside timer: partitions made ahead, and once a day what is too old erased.

Every worker of every replica has this thread, and each looks for itself whether something is to be done; the database sees to it that
only one does it (see `server.locks`).
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.db import connections

from server.fleet import partitions, retention
from server.moments import utc_now
from server.records import connectors
from server.records.rules import rules_in_force

LOOK_EVERY_SECONDS = 15 * 60.0
_LOG = logging.getLogger(__name__)


class Chores(threading.Thread):
    """Owns the rhythm; ends with its process.

    Args:
        folder: the state folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(name="chores", daemon=True)
        self._folder, self._ended = folder, threading.Event()

    def run(self) -> None:
        """Look now, and again and again."""
        while True:
            do(self._folder, utc_now())
            connections.close_all()  # a connection for a minute's work a day is not kept
            if self._ended.wait(LOOK_EVERY_SECONDS):
                return

    def end(self) -> None:
        """Look no more."""
        self._ended.set()


def do(folder: Path, now: datetime) -> None:
    """Do what is due; what fails is logged, keeps nothing else from being done, and is tried at the next look."""
    chores: tuple[tuple[str, Callable[[], object]], ...] = (
        ("make the months' partitions", lambda: partitions.ensure(now)),
        ("erase what is too old", lambda: retention.apply_daily(now, folder)),
        ("note which connectors are silent", lambda: connectors.note_silence(rules_in_force(), now)),
    )
    for what, chore in chores:
        try:
            chore()
        except Exception:  # noqa: BLE001 - this thread's top: the log has the error, and it is tried again
            _LOG.exception("The server could not %s", what)
