"""One agent for one state folder: the second says so and leaves."""

import os
from pathlib import Path

from agent.errors import StateError


class FolderLock:
    """Holds a state folder until the program ends; the system lets go of it whatever happens.

    Raises:
        StateError: another agent holds it, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        file = folder / "agent.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
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
        import fcntl  # noqa: PLC0415 - POSIX only
    except ModuleNotFoundError:
        return _hold_on_windows(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _hold_on_windows(descriptor: int) -> bool:
    import msvcrt  # noqa: PLC0415 - Windows only

    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows only
    except OSError:
        return False
    return True
