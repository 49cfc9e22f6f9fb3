"""The kernel's queue of events, asked for those of processes (kqueue(2), EVFILT_PROC)."""

import select
import sys

assert sys.platform == "darwin"  # tells the type checker whose calls these are


class KernelQueue:
    """A `ProcessQueue`."""

    def __init__(self) -> None:
        self._queue: select.kqueue | None = None

    def open(self) -> int:
        """Begin; return the descriptor that can be read from once something waits; raise OSError."""
        self._queue = select.kqueue()
        return self._queue.fileno()

    def watch(self, pid: int, notes: int, *, once: bool = False) -> None:
        """Tell of these things that a process does; raise OSError."""
        flags = select.KQ_EV_ADD | select.KQ_EV_CLEAR | (select.KQ_EV_ONESHOT if once else 0)
        self._change(pid, flags, notes)

    def forget(self, pid: int) -> None:
        """Tell of it no more; the kernel has forgotten by itself one that has ended."""
        try:
            self._change(pid, select.KQ_EV_DELETE, 0)
        except (FileNotFoundError, ProcessLookupError):
            return

    def read(self, at_most: int) -> list[tuple[int, int]]:
        """Return pids, each with what it did; the rest waits in the kernel, which notes it once for each process."""
        if self._queue is None:
            return []
        return [(event.ident, event.fflags) for event in self._queue.control(None, at_most, 0)]

    def close(self) -> None:
        """Tell of nothing more."""
        if self._queue is not None:
            self._queue.close()
            self._queue = None

    def _change(self, pid: int, flags: int, notes: int) -> None:
        if self._queue is not None:
            self._queue.control([select.kevent(pid, select.KQ_FILTER_PROC, flags, notes)], 0, 0)
