"""An event loop whose time only moves when it is told to: an hour of waiting takes no time, and always the same steps."""

import asyncio
import selectors
import threading
from typing import Any


class _NeverWaits(selectors.SelectSelector):
    """Asks what is ready without waiting: time goes by elsewhere."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready."""
        del timeout
        return super().select(0)


class HandLoop(asyncio.SelectorEventLoop):
    """Advance it with `advance`. Calls that agent.reporting.background makes in a thread are waited for in real time."""

    def __init__(self) -> None:
        self._hand_seconds = 0.0
        super().__init__(_NeverWaits())

    def time(self) -> float:
        """Return the seconds that were advanced."""
        return self._hand_seconds

    def advance(self, seconds: float) -> None:
        """Let time go by and run what becomes due on the way, in order."""
        end = self._hand_seconds + seconds
        self._settle()
        while (due := self._next_due()) is not None and due <= end:
            self._hand_seconds = max(self._hand_seconds, due)
            self._settle()
        self._hand_seconds = end
        self._settle()

    def finish(self, task: "asyncio.Task[Any]") -> None:
        """Cancel a task, let it end, and close the loop."""
        if self.is_closed():
            return
        task.cancel()
        self.run_until_complete(asyncio.wait([task], timeout=None))
        self.close()

    def _next_due(self) -> float | None:
        timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        return min(timers, default=None)

    def _settle(self) -> None:
        """Run everything that is ready, and wait for threads, until nothing more happens at this time."""
        while True:
            self.run_until_complete(asyncio.sleep(0))
            is_owed = any(
                thread.name in {"check-in", "enrolment", "export folders"} for thread in threading.enumerate()
            )
            ready = bool(self._ready)  # type: ignore[attr-defined]
            due = self._next_due()
            if not (is_owed or ready or (due is not None and due <= self._hand_seconds)):
                return
