"""A unix socket to listen at: made for its user alone, opened to others only when it is whole."""

import asyncio
import contextlib
import os
import socket
import stat
import sys
from pathlib import Path

from agent.errors import StateError
from agent.localapi.transport import Begin
from contract.local import LINE_LIMIT_BYTES
from contract.places import Scope

assert sys.platform != "win32"  # tells the type checker whose calls these are


class UnixSocket:
    """Owns the socket's file.

    Args:
        path: where it is.
        scope: on a system's socket everybody may knock, on a user's only that user.
    """

    def __init__(self, path: Path, scope: Scope) -> None:
        self._path, self._scope = path, scope
        self._server: asyncio.Server | None = None

    async def start(self, begin: Begin) -> None:
        """Listen.

        Raises:
            StateError: the folder cannot be written, or the place is taken.
        """
        mode = 0o666 if self._scope == "system" else 0o600
        try:
            self._path.parent.mkdir(
                parents=True, exist_ok=True, mode=0o755 if self._scope == "system" else 0o700
            )
            if _is_answered(self._path):
                raise StateError(
                    f"Another agent listens at {self._path}.", "Stop it, or choose another with --socket."
                )
            _clear(self._path)
            before = os.umask(0o177)
            try:
                self._server = await asyncio.start_unix_server(begin, path=self._path, limit=LINE_LIMIT_BYTES)
            finally:
                os.umask(before)
            self._path.chmod(mode)
        except OSError as error:
            raise StateError(
                f"{self._path} cannot be listened at ({error}).", "Choose another with --socket."
            ) from error

    def stop(self) -> None:
        """Take no further connections."""
        if self._server is not None:
            self._server.close()

    async def remove(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


def _is_answered(path: Path) -> bool:
    """Tell whether somebody listens; a socket that nobody listens at is left over from a crash."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _clear(path: Path) -> None:
    """Take away a socket that is left over, and nothing else: a path may be mistyped."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise StateError(f"{path} is there and no socket.", "Choose another with --socket.")
        path.unlink()
