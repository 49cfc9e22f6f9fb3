"""The native host: passes on what a browser's extension tells, from the browser's pipe to the agent's local interface.

A message is its length in four bytes, in the machine's own order, and then so many bytes of JSON (Chrome, "Native messaging"; MDN, "Native
messaging"). Nothing is ever answered:

>>> import io
>>> list(messages(io.BytesIO((2).to_bytes(4, sys.byteorder) + b"{}")))
[b'{}']

The host keeps the last picture and repeats it now and then, so that an agent that was started anew learns what is open. It lives as long as
the extension keeps it; that its connection to the agent ends tells the agent that the extension is gone.
"""

import queue
import sys
from collections.abc import Callable, Iterator, Sequence
from threading import Thread
from typing import BinaryIO, Protocol

from agent.errors import AgentError
from contract.errors import MalformedError
from contract.local import Nothing, WebPages
from contract.web import FIREFOX_ID, PICTURE_LIMIT_BYTES, Picture
from contract.wire import decode

REPEAT_SECONDS = 15.0
"""How often the last picture is repeated."""
RETRY_SECONDS = 2.0
"""How long to wait for an agent that does not answer."""
_LENGTH_BYTES = 4


class CallerError(AgentError):
    """Who started the native host is not the company's extension."""

    title = "This is for Decorum's own extension"


class Agent(Protocol):
    """A connection to the agent."""

    def ask(self, method: str, params: object, kind: type[Nothing]) -> Nothing:
        """Ask; raise AgentError if it cannot be answered."""

    def close(self) -> None:
        """Hang up."""


def check_caller(words: Sequence[str], extension: str | None) -> None:
    """Look at what the browser says of the extension that it speaks for.

    Args:
        words: a Chromium browser's begin with the extension's origin, Firefox's are the manifest's path and the extension's id.
        extension: the id that is allowed in Chromium browsers; None for none.

    Raises:
        CallerError: it is another one.
    """
    first = words[0] if words else ""
    if extension is not None and first == f"chrome-extension://{extension}/":
        return
    if len(words) == 2 and words[1] == FIREFOX_ID:
        return
    raise CallerError(
        f"{' '.join(words)[:200] or 'Nobody'!r} is not allowed to speak.",
        "Set web_extension to the id that `decorum-server extension id` prints.",
    )


def messages(stream: BinaryIO) -> Iterator[bytes]:
    """Give the messages of a browser, until it ends.

    Raises:
        MalformedError: a message is too long, or the stream ends in its middle.
    """
    while head := stream.read(_LENGTH_BYTES):
        length = int.from_bytes(head, sys.byteorder)
        if len(head) < _LENGTH_BYTES or length > PICTURE_LIMIT_BYTES:
            raise MalformedError(
                f"A message of {length} bytes cannot be taken.", "Install the extension again."
            )
        body = stream.read(length)
        if len(body) < length:
            raise MalformedError("A message ends in its middle.", "Start the browser again.")
        yield body


class NativeHost:
    """Owns the last picture and the connection to the agent.

    Args:
        stream: the browser's pipe.
        connect: opens a connection to the agent; raises AgentError.
        browser_pid: the process that started this one.
        repeat_seconds: how often the last picture is repeated.
        retry_seconds: how long to wait for an agent that does not answer.
    """

    def __init__(
        self,
        stream: BinaryIO,
        connect: Callable[[], Agent],
        browser_pid: int,
        repeat_seconds: float = REPEAT_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._stream, self._connect, self._browser_pid = stream, connect, browser_pid
        self._repeat_seconds, self._retry_seconds = repeat_seconds, retry_seconds
        self._agent: Agent | None = None
        self._heard: queue.Queue[Picture | MalformedError | None] = queue.Queue()
        """What came from the browser; None for its end."""

    def run(self) -> None:
        """Pass on until the browser ends.

        Raises:
            MalformedError: the browser sent something else than a picture.
        """
        Thread(target=self._listen, name="browser", daemon=True).start()
        picture: Picture | None = None
        pause: float | None = None
        try:
            while (heard := self._next(pause, picture)) is not None:
                picture = heard
                was_heard = self._tell(picture)
                if not picture.pages:
                    pause = None  # nothing to repeat: an agent that was started anew assumes as much
                else:
                    pause = self._repeat_seconds if was_heard else self._retry_seconds
        finally:
            self._hang_up()

    def _next(self, pause: float | None, last: Picture | None) -> Picture | None:
        """Return the newest picture, or the last one again if none came; None if the browser has ended."""
        try:
            heard = self._heard.get(timeout=pause)
            while isinstance(heard, Picture) and not self._heard.empty():
                heard = self._heard.get()
        except queue.Empty:
            return last
        if isinstance(heard, MalformedError):
            raise heard
        return heard

    def _tell(self, picture: Picture) -> bool:
        """Tell the agent, and say whether it heard."""
        try:
            if self._agent is None:
                self._agent = self._connect()
            self._agent.ask("web.pages", WebPages(browser_pid=self._browser_pid, picture=picture), Nothing)
        except AgentError:
            self._hang_up()
            return False
        return True

    def _hang_up(self) -> None:
        if self._agent is not None:
            self._agent.close()
            self._agent = None

    def _listen(self) -> None:
        try:
            for body in messages(self._stream):
                self._heard.put(decode(Picture, body, limit_bytes=PICTURE_LIMIT_BYTES))
        except MalformedError as error:
            self._heard.put(error)
        except OSError:
            self._heard.put(None)
        else:
            self._heard.put(None)
