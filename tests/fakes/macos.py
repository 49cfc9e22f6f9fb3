"""macOS' two tellers in memory: the kernel's queue and the applications of a session; they keep the constraints of the real ones."""

import socket
from collections import deque
from collections.abc import Callable

from agent.sensing.macos_events import NOTE_EXIT, MacosEvents
from agent.sensing.process_events import Event, NoEventsError


class FakeQueue:
    """A `ProcessQueue`: it tells of those alone that it was asked about, notes what one does once, and forgets one that has ended."""

    def __init__(self) -> None:
        self.refusal: OSError | None = None
        """What opening it raises."""
        self.refuses: dict[int, OSError] = {}
        """What being asked about a process raises."""
        self.is_deaf = False
        """Whether it tells nothing, without an error."""
        self.asked: list[int] = []
        """Whom it was asked about, in order."""
        self.watched: dict[int, tuple[int, bool]] = {}
        self._told: dict[int, int] = {}
        self._ends: tuple[socket.socket, socket.socket] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is."""
        return self._ends is not None

    @property
    def waiting(self) -> int:
        """Of how many processes something waits in the kernel."""
        return len(self._told)

    def open(self) -> int:
        """Begin."""
        assert not self.is_open, "it is closed before it is opened again"
        if self.refusal is not None:
            raise self.refusal
        self._ends = socket.socketpair()
        return self._ends[0].fileno()

    def watch(self, pid: int, notes: int, *, once: bool = False) -> None:
        """Tell of these things that a process does."""
        assert self.is_open
        self.asked.append(pid)
        if pid in self.refuses:
            raise self.refuses[pid]
        self.watched[pid] = notes, once

    def forget(self, pid: int) -> None:
        """Tell of it no more."""
        assert self.is_open
        self.watched.pop(pid, None)
        self._told.pop(pid, None)

    def read(self, at_most: int) -> list[tuple[int, int]]:
        """Return pids, each with what it did."""
        assert self._ends is not None
        some = list(self._told.items())[:at_most]
        for pid, _ in some:
            del self._told[pid]
        if some and not self._told:
            self._ends[0].recv(1)
        return some

    def close(self) -> None:
        """Tell of nothing more."""
        assert self._ends is not None
        for end in self._ends:
            end.close()
        self._ends = None
        self.watched.clear()
        self._told.clear()

    def do(self, pid: int, notes: int) -> None:
        """Let a process do something."""
        wanted, once = self.watched.get(pid, (0, False))
        if self._ends is None or self.is_deaf or not wanted & notes:
            return
        if not self._told:
            self._ends[1].send(b".")
        self._told[pid] = self._told.get(pid, 0) | (wanted & notes)
        if once or notes & NOTE_EXIT:
            del self.watched[pid]


class FakeWorkspace:
    """A `Workspace`: what happens waits until it is let in."""

    def __init__(self) -> None:
        self.refusal: NoEventsError | None = None
        """What beginning raises."""
        self.running = 3
        """How many applications run when it begins."""
        self.let_in_times = 0
        self._heard: tuple[Callable[[int, Event], None], Callable[[], None]] | None = None
        self._waiting: deque[tuple[int | None, Event]] = deque()

    @property
    def is_open(self) -> bool:
        """Whether it is observed."""
        return self._heard is not None

    def start(self, record: Callable[[int, Event], None], lose: Callable[[], None]) -> int:
        """Begin."""
        assert not self.is_open, "it is ended before it is begun again"
        if self.refusal is not None:
            raise self.refusal
        self._heard = record, lose
        return self.running

    def let_in(self) -> None:
        """Let what waits be heard."""
        assert self._heard is not None
        self.let_in_times += 1
        record, lose = self._heard
        while self._waiting:
            pid, event = self._waiting.popleft()
            if pid is None:
                lose()
            else:
                record(pid, event)

    def stop(self) -> None:
        """Hear nothing more."""
        self._heard = None
        self._waiting.clear()

    def tell(self, pid: int | None, event: Event) -> None:
        """Let something happen to an application; None for one that has no pid."""
        if self.is_open:
            self._waiting.append((pid, event))


class QueuesChild:
    """A child that is watched before it executes a program and ends.

    Args:
        events: what is asked to watch it.
        queue: where it does so.
    """

    PID = 99

    def __init__(self, events: MacosEvents, queue: FakeQueue, notes: int) -> None:
        self._events, self._queue, self._notes = events, queue, notes
        self.left = 0

    def start(self) -> int:
        """Start it, have it watched, and let it go."""
        self.left += 1
        self._events.watch(self.PID)
        self._queue.do(self.PID, self._notes)
        return self.PID

    def collect(self) -> None:
        """Leave nothing of it behind."""
        self.left = 0
