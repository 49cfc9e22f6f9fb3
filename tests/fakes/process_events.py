"""Events of processes in memory, and children to try them with; they keep the constraints of the real ones."""

from collections.abc import Callable

from agent.sensing.process_events import Event, Gap, NoEventsError, Notes, Told


class FakeEvents:
    """A `ProcessEvents`: what happens before it is opened or after it was closed is told to nobody."""

    def __init__(self) -> None:
        self.refusal: NoEventsError | None = None
        """What opening it raises."""
        self.is_deaf = False
        """Whether it tells nothing, without an error."""
        self.gap: Gap | None = None
        """What it does not tell of."""
        self.is_open = False
        self.opened = 0
        self._wake: Callable[[], None] = lambda: None
        self._notes = Notes()
        self.followed: frozenset[int] | None = None

    def open(self, wake: Callable[[], None]) -> None:
        """Begin to listen."""
        assert not self.is_open, "it is closed before it is opened again"
        self.opened += 1
        if self.refusal is not None:
            raise self.refusal
        self.is_open, self._wake, self._notes = True, wake, Notes()
        self.followed = None

    def take(self) -> Told:
        """Return what waits."""
        assert self.is_open
        return self._notes.take()

    def follow(self, pids: frozenset[int] | None) -> None:
        """Tell of the ends of these alone."""
        assert self.is_open
        self.followed = pids

    def close(self) -> None:
        """Listen no more."""
        self.is_open = False

    def tell(self, pid: int, event: Event) -> None:
        """Let something happen."""
        is_wanted = event == "started" or self.followed is None or pid in self.followed
        if self.is_open and not self.is_deaf and is_wanted:
            was_empty = self._notes.is_empty
            self._notes.add(pid, event)
            if was_empty:
                self._wake()

    def lose(self) -> None:
        """Let more happen at once than there is room for."""
        was_empty = self._notes.is_empty
        self._notes.add_loss()
        if was_empty:
            self._wake()


class FakeChild:
    """A child that starts and ends at once.

    Args:
        events: where it is told of.
    """

    PID = 99

    def __init__(self, events: FakeEvents) -> None:
        self._events = events
        self.started = 0
        self.left = 0
        """How many were not collected."""

    def start(self) -> int:
        """Start it, and let it end."""
        assert not self.left, "one at a time"
        self.started += 1
        self.left += 1
        self._events.tell(self.PID, "started")
        self._events.tell(self.PID, "ended")
        return self.PID

    def collect(self) -> None:
        """Leave nothing of it behind."""
        self.left = 0


class NoChild:
    """A system on which none can be started."""

    def start(self) -> int:
        """Refuse."""
        raise PermissionError(1, "not permitted")

    def collect(self) -> None:
        """Do nothing: there is none."""
