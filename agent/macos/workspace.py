"""NSWorkspace: what macOS tells, in a session with a screen, of applications that start and end.

AppKit hears of them by the run loop of the program's first thread alone (Apple, "runningApplications": it "will only change when the
main run loop is run in a common mode"). That thread is the agent's own, with an event loop of another kind, so that nobody runs
AppKit's: `let_in` runs it for as long as something waits. A thread of its own would hear nothing.
"""

import sys
from collections.abc import Callable
from typing import Any

from agent.sensing.process_events import Event, NoEventsError

assert sys.platform == "darwin"  # tells the type checker whose calls these are

PASSES_AT_MOST = 64
"""A pass hands on one source's events, possibly two's (Apple, CFRunLoopRunInMode)."""
NO_SCREEN = (
    "macOS tells of applications only in a person's session, and this agent runs outside of one; "
    "how often it looks is set by poll_milliseconds."
)


class SessionWorkspace:
    """A `Workspace`; PyObjC is loaded only where there is a session with a screen.

    Args:
        has_screen: tells whether there is one.
    """

    def __init__(self, has_screen: Callable[[], bool]) -> None:
        self._has_screen = has_screen
        self._observer: Any = None

    def start(self, record: Callable[[int, Event], None], lose: Callable[[], None]) -> int:
        """Begin; return how many applications run; raise NoEventsError."""
        if not self._has_screen():
            raise NoEventsError(NO_SCREEN)
        try:
            from agent.macos import observer  # noqa: PLC0415  # it loads AppKit
        except ImportError as error:
            raise NoEventsError(f"PyObjC cannot be loaded: {error}.", "Install the agent again.") from error
        self._observer = observer.begin(record, lose)
        self.let_in()
        return observer.count()

    def let_in(self) -> None:
        """Let macOS hand on what waits, which is recorded meanwhile."""
        if self._observer is not None:
            from agent.macos import observer  # noqa: PLC0415  # as above

            observer.run(PASSES_AT_MOST)

    def stop(self) -> None:
        """Hear nothing more."""
        if self._observer is not None:
            from agent.macos import observer  # noqa: PLC0415  # as above

            observer.end(self._observer)
            self._observer = None
