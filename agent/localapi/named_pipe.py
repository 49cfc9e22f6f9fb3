"""A named pipe to listen at, in asyncio's own loop; and the end that asks.

asyncio makes pipes for anybody (no descriptor, remote clients welcome, in messages). Only the making is done here: waiting for clients and
carrying bytes are asyncio's proactor's, by two names of it that are not documented, which `make test-windows` would miss if they went.
"""

import asyncio
import contextlib
import sys
import weakref
from asyncio import windows_utils
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from agent.errors import StateError
from agent.localapi.peer import Peer, peer_of_sid
from agent.localapi.transport import Begin
from agent.windows import pipes, tokens
from contract import access
from contract.local import LINE_LIMIT_BYTES
from contract.places import Scope
from contract.users import number_of_sid

assert sys.platform == "win32"  # tells the type checker whose calls these are

FIRST_WORD_SECONDS = 5.0
"""Who connects and says nothing for so long is not let in: Windows tells who it is only once something was read."""
_FIRST_READ_BYTES = 4096


class NamedPipe:
    """Owns the ends that wait for a client.

    Args:
        name: the pipe's whole name.
        scope: whom the descriptor lets knock.
    """

    def __init__(self, name: Path, scope: Scope) -> None:
        self._name, self._scope = str(name), scope
        self._waiting: windows_utils.PipeHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._transports: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()

    async def start(self, begin: Begin) -> None:
        """Listen.

        Raises:
            StateError: somebody listens there already, or it is no name for a pipe.
        """
        taken = StateError(
            f"Another agent listens at {self._name}.", "Stop it, or choose another with --socket."
        )
        if pipes.is_there(self._name):
            raise taken
        try:
            self._waiting = self._make(first=True)
        except PermissionError as error:
            raise taken from error
        except OSError as error:
            raise StateError(
                f"{self._name} cannot be listened at ({error}).",
                r"Choose another with --socket, as in \\.\pipe\NAME.",
            ) from error
        self._go(self._accept(self._waiting, begin))

    def stop(self) -> None:
        """Take no further connections."""
        for task in self._tasks:
            task.cancel()

    async def remove(self) -> None:
        """Leave nothing behind: a pipe is gone with its last end."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._waiting is not None:
            self._waiting.close()
        for transport in self._transports:
            transport.abort()
        await asyncio.sleep(
            0
        )  # asyncio closes an end in the loop's next turn, and after this there may be none

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _make(self, *, first: bool) -> windows_utils.PipeHandle:
        return windows_utils.PipeHandle(
            pipes.make(self._name, access.pipe(tokens.own_sid(), self._scope), first=first)
        )

    async def _accept(self, waiting: windows_utils.PipeHandle, begin: Begin) -> None:
        loop = _loop()
        while True:
            # Who comes and goes at once breaks the end, which is then of no further use.
            with contextlib.suppress(BrokenPipeError):
                await loop._proactor.accept_pipe(waiting)  # noqa: SLF001  # see the top
            arrived = waiting
            self._waiting = waiting = self._make(first=False)
            self._go(self._meet(arrived, begin))

    async def _meet(self, arrived: windows_utils.PipeHandle, begin: Begin) -> None:
        loop = _loop()
        try:
            async with asyncio.timeout(FIRST_WORD_SECONDS):
                said = await loop._proactor.recv(arrived, _FIRST_READ_BYTES)  # noqa: SLF001  # see the top
            peer = _peer(arrived)
        except (OSError, TimeoutError):
            arrived.close()
            return
        except asyncio.CancelledError:
            arrived.close()
            raise
        reader = asyncio.StreamReader(limit=LINE_LIMIT_BYTES, loop=loop)
        reader.feed_data(said)
        protocol = asyncio.StreamReaderProtocol(reader, begin, loop=loop)
        transport = loop._make_duplex_pipe_transport(arrived, protocol, extra={"peer": peer})  # noqa: SLF001  # see the top
        self._transports.add(transport)


def _loop() -> Any:
    """Return the loop, untyped for the two names."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, asyncio.ProactorEventLoop):
        raise StateError("Pipes need the proactor's event loop.", "Start the agent without another policy.")
    return loop


def _peer(arrived: windows_utils.PipeHandle) -> Peer:
    try:
        sid, is_administrator = pipes.client_of(arrived.fileno())
    except OSError:
        return Peer(None)
    return peer_of_sid(sid, is_administrator=is_administrator)


class AskingPipe(pipes.AskingEnd):
    """Owns one connection to whoever listens."""

    @property
    def peer_uid(self) -> int | None:
        """The owner of the pipe."""
        try:
            return number_of_sid(self.owner)
        except (OSError, ValueError):
            return None


def connect(place: str, seconds: float) -> AskingPipe | None:
    """Return a connection, None if nobody listens."""
    try:
        return AskingPipe(pipes.knock(place, seconds), seconds)
    except OSError:
        return None
