"""One agent for one state folder: the second says so and leaves."""

import os
import sys
from pathlib import Path

from agent.errors import StateError
from agent.private_file import make_private_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class FolderLock:
    """Holds a state folder until the program ends; the system lets go of it whatever happens.

    Raises:
        StateError: another agent holds it, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        file = folder / "agent.lock"
        try:
            make_private_folder(folder)
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(f"{file} cannot be opened ({error}).", "Check the folder's owner.") from error
        if not _hold(self._descriptor):
            os.close(self._descriptor)
            raise StateError(f"Another agent uses {folder}.", "Stop it first, or name another with --state.")

    def release(self) -> None:
        """Let go."""
        os.close(self._descriptor)


def _hold(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
