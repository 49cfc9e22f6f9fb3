"""What macOS tells of processes: of applications at once, of a program in a terminal only that it ends.

Two things tell, and neither tells all. The kernel's queue (kqueue) tells that a process which is known already ends or executes another
program, and that launchd starts something, which every application is started by; it names what does it, not what was started.
NSWorkspace tells of applications that start and end, in a session with a screen. So looking goes on, for the rest.

>>> told_by(NOTE_EXEC | NOTE_EXIT)
('started', 'ended')
>>> told_by(NOTE_FORK)
()
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from agent.sensing.process_events import Event, Gap, NoEventsError, Notes, Told

NOTE_EXIT, NOTE_FORK, NOTE_EXEC = 0x80000000, 0x40000000, 0x20000000
"""sys/event.h."""
LAUNCHD = 1
FORKS_EVERY_SECONDS = 1.0
"""How often it is heard that launchd starts something; what it starts meanwhile is looked for after that."""
LET_IN_EVERY_SECONDS = 0.25
"""How often AppKit is let in, which hands on nothing by itself."""
READ_AT_MOST = 64
ONLY_APPLICATIONS = "Of other programs macOS tells those alone whom Apple has entitled to it."
NO_APPLICATION = "In this session macOS knows of no application, so it tells of none."

Change = tuple[int | None, Event]
"""A pid and what happened to its process; None for an application that has no pid."""


class RunningApplication(Protocol):
    """An NSRunningApplication; whatever else is asked of it is asked of its process."""

    def processIdentifier(self) -> int:  # noqa: N802
        """Return its pid, or -1."""


class ProcessQueue(Protocol):
    """The kernel's queue of what processes do."""

    def open(self) -> int:
        """Begin; return the descriptor that can be read from once something waits; raise OSError."""

    def watch(self, pid: int, notes: int, *, once: bool = False) -> None:
        """Tell of these things that a process does; raise OSError."""

    def forget(self, pid: int) -> None:
        """Tell of it no more."""

    def read(self, at_most: int) -> list[tuple[int, int]]:
        """Return pids, each with what it did."""

    def close(self) -> None:
        """Tell of nothing more."""


class Workspace(Protocol):
    """The applications of a session with a screen; all of it in the thread of the event loop."""

    def start(self, record: Callable[[int, Event], None], lose: Callable[[], None]) -> int:
        """Begin; return how many applications run; raise NoEventsError."""

    def let_in(self) -> None:
        """Let macOS hand on what waits."""

    def stop(self) -> None:
        """Hear nothing more."""


class MacosEvents:
    """A `ProcessEvents`.

    Args:
        queue: the kernel's.
        workspace: the session's.
    """

    def __init__(self, queue: ProcessQueue, workspace: Workspace) -> None:
        self._queue, self._workspace = queue, workspace
        self._wake: Callable[[], None] = lambda: None
        self._notes = Notes()
        self._followed: frozenset[int] | None = None
        self._watched: set[int] = set()
        self._descriptor: int | None = None
        self._is_listening = False
        self._no_applications: NoEventsError | None = NoEventsError(NO_APPLICATION)
        self._forks: asyncio.TimerHandle | None = None
        self._letting_in: asyncio.TimerHandle | None = None

    @property
    def gap(self) -> Gap:
        """What it does not tell of."""
        if self._no_applications is None:
            return Gap(("applications", "ends"), ONLY_APPLICATIONS)
        return Gap(("ends",), self._no_applications.why, self._no_applications.remedy)

    def open(self, wake: Callable[[], None]) -> None:
        """Begin to listen."""
        self._wake, self._notes, self._followed, self._watched = wake, Notes(), None, set()
        try:
            self._descriptor = self._queue.open()
        except OSError as error:
            raise NoEventsError(f"The kernel does not tell of processes: {error.strerror}.") from error
        self._listen(self._descriptor)
        self._hear_forks()
        self._hear_applications()

    def take(self) -> Told:
        """Return what waits."""
        if self._descriptor is not None and not self._is_listening:
            self._read()
            self._listen(self._descriptor)
        return self._notes.take()

    def follow(self, pids: frozenset[int] | None) -> None:
        """Tell of the ends of these alone; the kernel's queue tells of none that it was not given."""
        if self._descriptor is None:
            return
        self._followed = pids
        if pids is not None:
            for pid in self._watched - pids:
                self._queue.forget(pid)
            self._watched &= pids
            for pid in pids - self._watched:
                self.watch(pid)

    def watch(self, pid: int) -> None:
        """Tell of this one, too, until it is said which are followed.

        That one has ended is told once: as long as it is followed it is not watched anew, though nobody may have collected it yet.
        """
        if self._descriptor is None:
            return
        self._watched.add(pid)
        try:
            self._queue.watch(pid, NOTE_EXEC | NOTE_EXIT)
        except ProcessLookupError:
            self._record(pid, "ended")
        except OSError:
            return  # whom the kernel will not tell of is looked for in turns

    def close(self) -> None:
        """Listen no more."""
        for timer in (self._forks, self._letting_in):
            if timer is not None:
                timer.cancel()
        self._forks = self._letting_in = None
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._descriptor, self._is_listening = None, False
            self._queue.close()
            self._workspace.stop()

    def _listen(self, descriptor: int) -> None:
        asyncio.get_running_loop().add_reader(descriptor, self._readable, descriptor)
        self._is_listening = True

    def _readable(self, descriptor: int) -> None:
        """Read; while what was read before was not taken, let more wait in the kernel, where it costs nothing here."""
        if self._notes.is_empty:
            if self._read() or not self._notes.is_empty:
                self._wake()
        else:
            asyncio.get_running_loop().remove_reader(descriptor)
            self._is_listening = False

    def _read(self) -> bool:
        """Note what the kernel's queue tells; return whether launchd has started something."""
        has_forked = False
        for pid, notes in self._queue.read(READ_AT_MOST):
            for event in told_by(notes):
                self._note(pid, event)
            if pid == LAUNCHD and notes & NOTE_FORK:
                has_forked = True
                later = asyncio.get_running_loop().call_later
                self._forks = later(FORKS_EVERY_SECONDS, self._hear_more_forks)
        return has_forked

    def _hear_forks(self) -> None:
        try:
            self._queue.watch(LAUNCHD, NOTE_FORK, once=True)
        except OSError:
            return  # it only makes looking come sooner

    def _hear_more_forks(self) -> None:
        self._hear_forks()
        self._wake()

    def _hear_applications(self) -> None:
        self._no_applications = NoEventsError(NO_APPLICATION)
        try:
            if self._workspace.start(self._record_application, self._lose):
                self._no_applications = None
        except NoEventsError as error:
            self._no_applications = error
            return
        self._let_in()

    def _let_in(self) -> None:
        self._letting_in = asyncio.get_running_loop().call_later(LET_IN_EVERY_SECONDS, self._let_in)
        self._workspace.let_in()

    def _record_application(self, pid: int, event: Event) -> None:
        self._no_applications = None
        self._record(pid, event)

    def _record(self, pid: int, event: Event) -> None:
        was_empty = self._notes.is_empty
        self._note(pid, event)
        if was_empty and not self._notes.is_empty:
            self._wake()

    def _note(self, pid: int, event: Event) -> None:
        if event == "ended" and self._followed is not None and pid not in self._followed:
            return
        if self._notes.is_full:
            self._notes.add_loss()
        else:
            self._notes.add(pid, event)

    def _lose(self) -> None:
        was_empty = self._notes.is_empty
        self._notes.add_loss()
        if was_empty:
            self._wake()


def told_by(notes: int) -> tuple[Event, ...]:
    """Return what the kernel says that a process did, in order: it notes several things at once."""
    executed: tuple[Event, ...] = ("started",) if notes & NOTE_EXEC else ()
    return (*executed, "ended") if notes & NOTE_EXIT else executed


def changes_between(
    before: Iterable[RunningApplication | None], after: Iterable[RunningApplication | None]
) -> list[Change]:
    """Return which applications ended and which started.

    Args:
        before: those that were there and may be no more; None for one that is not named.
        after: those that are there now.
    """
    ended, started = {_pid_of(one) for one in before}, {_pid_of(one) for one in after}
    gone: list[Change] = [(pid, "ended") for pid in ended if pid is None or pid not in started]
    return [*gone, *((pid, "started") for pid in started if pid is None or pid not in ended)]


def _pid_of(application: RunningApplication | None) -> int | None:
    pid = -1 if application is None else application.processIdentifier()
    return pid if pid > 0 else None
