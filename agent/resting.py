"""Changes in folders, as the system tells of them, and when they have come to rest.

What is installed or saved touches many files within moments; one look follows when it has been quiet for a while.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from agent.clock import Clock
from agent.sensing.folder_watch import FolderWatch, watch_here

QUIET_SECONDS = 2.0
"""How long nothing must have changed before it is looked."""
LONGEST_SECONDS = 30.0
"""After how long it is looked although things go on changing."""
EVERY_SECONDS = 60.0
"""How long is waited at most, since nobody may tell."""


class Settling:
    """When changes have come to rest; pure.

    >>> settling = Settling()
    >>> settling.due is None
    True
    >>> settling.change(10.0), settling.change(11.5), settling.due
    (None, None, 13.5)
    >>> for second in range(12, 60): settling.change(float(second))
    >>> settling.due
    40.0
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    def change(self, now: float) -> None:
        """Take note of a change."""
        self._last = now
        if self._first is None:
            self._first = now

    def rest(self) -> None:
        """Take note that it was looked."""
        self._first = None

    @property
    def due(self) -> float | None:
        """When to look; None while nothing has changed."""
        return None if self._first is None else min(self._last + QUIET_SECONDS, self._first + LONGEST_SECONDS)


class Resting:
    """Owns what the system is asked to tell of, and the waiting until that has come to rest.

    Args:
        watch: tells of changes.
        clock: the device's.
    """

    def __init__(self, watch: FolderWatch, clock: Clock) -> None:
        self._watch, self._clock = watch, clock
        self._settling = Settling()
        self._woken = asyncio.Event()

    @property
    def is_changing(self) -> bool:
        """Whether something has changed that was not looked at."""
        return self._settling.due is not None

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        due = self._settling.due
        return due is not None and due <= self._clock.monotonic()

    def change(self, in_seconds: float = 0.0) -> None:
        """Take note of a change, now or to come."""
        self._settling.change(self._clock.monotonic() + in_seconds)

    def rest(self) -> None:
        """Take note that it was looked."""
        self._settling.rest()

    def wake(self) -> None:
        """End the waiting."""
        self._woken.set()

    def watch(self, folders: Sequence[Path]) -> None:
        """Have the system tell of changes in these folders, in no others; must run inside the loop.

        Raises:
            NoWatchError: it does not.
        """
        watch_here(self._watch, folders, self._told)

    def end(self) -> None:
        """Have the system tell of nothing any more."""
        self._watch.end()

    async def wait(self) -> None:
        """Wait until it is time to look, a minute is over, or somebody wakes it."""
        due = self._settling.due
        seconds = EVERY_SECONDS if due is None else min(EVERY_SECONDS, due - self._clock.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._woken.wait()
        self._woken.clear()

    def _told(self) -> None:
        if not self.is_changing:
            self.wake()
        self.change()
