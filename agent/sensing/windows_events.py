"""Event Tracing for Windows: the kernel tells of each process that starts and ends, to administrators and services.

Provider Microsoft-Windows-Kernel-Process, events 1 (ProcessStart) and 2 (ProcessStop); in both the pid stands first, in 32 bits
(its manifest, as `wevtutil gp Microsoft-Windows-Kernel-Process /ge /gm` prints it on Windows 10). There is no exec on Windows: a
process runs the program that it was started with.

>>> event_of(1, bytes.fromhex("d2040000 0000"))
(1234, 'started')
>>> event_of(5, bytes.fromhex("d2040000 0000")), event_of(1, b"")
(None, None)
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Protocol

from agent.sensing.process_events import Event, NoEventsError, Notes, Told

EVENTS: dict[int, Event] = {1: "started", 2: "ended"}
ACCESS_DENIED = 5
"""ERROR_ACCESS_DENIED (winerror.h)."""


class Trace(Protocol):
    """A session of the system's tracing; what it tells, it tells in a thread of its own."""

    def start(self, record: Callable[[int, bytes], None], lose: Callable[[], None]) -> None:
        """Begin; give each event by its number and data, and say when some were lost; raise OSError."""

    def stop(self) -> None:
        """End it, within bounded time."""


class WindowsEvents:
    """A `ProcessEvents`.

    Args:
        trace: the system's tracing.
    """

    gap = None

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._lock = threading.Lock()
        self._notes = Notes()
        self._followed: frozenset[int] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: Callable[[], None] = lambda: None

    def open(self, wake: Callable[[], None]) -> None:
        """Begin to listen."""
        self._wake, self._notes, self._followed = wake, Notes(), None
        self._loop = asyncio.get_running_loop()
        try:
            self._trace.start(self._record, self._lose)
        except OSError as error:
            self._loop = None
            raise _no_events(error) from error

    def take(self) -> Told:
        """Return what waits."""
        with self._lock:
            return self._notes.take()

    def follow(self, pids: frozenset[int] | None) -> None:
        """Tell of the ends of these alone."""
        self._followed = pids

    def close(self) -> None:
        """Listen no more."""
        if self._loop is not None:
            self._loop = None
            self._trace.stop()

    def _record(self, number: int, untrusted_bytes: bytes) -> None:
        told = event_of(number, untrusted_bytes)
        followed = self._followed
        if told is None or (told[1] == "ended" and followed is not None and told[0] not in followed):
            return
        with self._lock:
            was_empty = self._notes.is_empty
            if self._notes.is_full:
                self._notes.add_loss()
            else:
                self._notes.add(*told)
        self._wake_if(was_empty=was_empty)

    def _lose(self) -> None:
        with self._lock:
            was_empty = self._notes.is_empty
            self._notes.add_loss()
        self._wake_if(was_empty=was_empty)

    def _wake_if(self, *, was_empty: bool) -> None:
        loop = self._loop
        if was_empty and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)


def event_of(number: int, untrusted_bytes: bytes) -> tuple[int, Event] | None:
    """Return pid and what happened; None for any other event."""
    event = EVENTS.get(number)
    if event is None or len(untrusted_bytes) < 4:
        return None
    return int.from_bytes(untrusted_bytes[:4], "little"), event


def _no_events(error: OSError) -> NoEventsError:
    if getattr(error, "winerror", None) == ACCESS_DENIED:
        return NoEventsError(
            "Windows tells of processes only to administrators.",
            "Run the agent as a service, as LocalSystem.",
        )
    return NoEventsError(f"Windows does not tell of processes: {error.strerror}.")
