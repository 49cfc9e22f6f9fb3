"""What a system's way of listening and of asking has to do; which one this system has is chosen in `this_system`."""

import asyncio
from collections.abc import Callable
from typing import Protocol

Begin = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
"""Takes a new connection. Where a pipe tells the peer, it is the writer's extra information `peer`."""


class Listener(Protocol):
    """A place where clients knock."""

    async def start(self, begin: Begin) -> None:
        """Listen; raise StateError if the place is taken or cannot be had."""

    def stop(self) -> None:
        """Take no further connections."""

    async def remove(self) -> None:
        """Leave nothing behind."""


class Connection(Protocol):
    """One connection to whoever listens, each step bounded in time."""

    @property
    def peer_uid(self) -> int | None:
        """The number of the user who listens, as the system says; None if it does not."""

    def sendall(self, content: bytes) -> None:
        """Send all of it; raise OSError, or TimeoutError if it takes too long."""

    def readline(self, limit: int) -> bytes:
        """Return a line with its end; raise OSError, or TimeoutError if it takes too long."""

    def close(self) -> None:
        """Hang up."""
