"""Processes of a machine that exists in memory; it keeps the constraints of the real one.

A pid is used again only with a later start time; what has ended is gone; a zombie keeps its pid until it is collected; what was
not learnt yet cannot be read without asking, so every question is counted.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import count

import msgspec

from agent.sensing.process_source import GoneError, Image, ProcessKey, Reading
from contract import wire
from contract.facts import ProcessFacts


class FakeProcess(msgspec.Struct):
    """One process; `exe` is None where it may not be read."""

    started: float
    exe: str | None
    cmdline: tuple[str, ...]
    uid: int
    zombie: bool = False
    parent: int = 1
    variables: dict[str, str] = {}
    folder: str | None = None


class FakeProcessSource:
    """The processes, and how often each question was asked.

    Args:
        tells_newest: whether this system tells the newest pid, as Linux does.
    """

    def __init__(self, *, tells_newest: bool = True) -> None:
        self._tells_newest = tells_newest
        self._processes: dict[int, FakeProcess] = {}
        self._pids = count(100)
        self._last = 0
        self.wall = 1000.0
        """Seconds since the epoch, as start times are told; it is set by hand."""
        self.asked: Counter[str] = Counter()

    def start(
        self,
        exe: str | None,
        *,
        pid: int | None = None,
        uid: int = 1000,
        started: float | None = None,
        cmdline: tuple[str, ...] | None = None,
        parent: int = 1,
        variables: dict[str, str] | None = None,
        folder: str | None = None,
    ) -> int:
        """Start a process and return its pid."""
        pid = next(self._pids) if pid is None else pid
        assert pid not in self._processes, "a pid is free only after its process was collected"
        self.wall += 0.01
        arguments = cmdline if cmdline is not None else (exe or "",)
        wire.encode([exe, arguments])  # a real source gives only what can be written down
        process = FakeProcess(
            self.wall if started is None else started,
            exe,
            arguments,
            uid,
            parent=parent,
            variables=variables or {},
            folder=folder,
        )
        self._processes[pid] = process
        self._last = pid
        return pid

    def become(self, pid: int, exe: str, *arguments: str) -> None:
        """Let a process execute another program: pid and start time stay (execve(2))."""
        process = self._processes[pid]
        process.exe, process.cmdline = exe, (exe, *arguments)

    def die(self, pid: int) -> None:
        """Let a process end without anybody collecting it."""
        self._processes[pid].zombie = True

    def end(self, pid: int) -> None:
        """Let a process end and be collected."""
        del self._processes[pid]

    def newest(self) -> int | None:
        """Return the newest pid."""
        self.asked["newest"] += 1
        return self._last if self._tells_newest else None

    def pids(self) -> Iterable[int]:
        """Return the pids that exist now, zombies among them."""
        self.asked["pids"] += 1
        return list(self._processes)

    def is_there(self, pid: int) -> bool:
        """Tell whether a pid exists."""
        self.asked["is_there"] += 1
        return pid in self._processes

    def key(self, pid: int) -> ProcessKey:
        """Return a process's identity."""
        self.asked["key"] += 1
        return ProcessKey(pid, self._alive(pid).started)

    def image(self, pid: int) -> Image:
        """Return what a process runs."""
        self.asked["image"] += 1
        process = self._alive(pid)
        return Image(process.exe, process.cmdline)

    def read(self, key: ProcessKey) -> Reading:
        """Return the facts of a process."""
        self.asked["read"] += 1
        process = self._alive(key.pid)
        if process.started != key.started:
            raise GoneError
        name = None if process.exe is None else process.exe.rsplit("/", 1)[-1][:15]
        facts = ProcessFacts(platform="linux", name=name, exe=process.exe, cmdline=process.cmdline)
        return Reading(key, Image(process.exe, process.cmdline), facts)

    def uid(self, pid: int) -> int:
        """Return the user of a process."""
        self.asked["uid"] += 1
        return self._alive(pid).uid

    def parent(self, pid: int) -> int | None:
        """Return the pid of the process that a process belongs to."""
        self.asked["parent"] += 1
        return self._alive(pid).parent

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        """Return the variables so named."""
        self.asked["variables"] += 1
        told = self._alive(pid).variables
        return {name: told[name] for name in names if name in told}

    def folder(self, pid: int) -> str | None:
        """Return the folder that a process works in."""
        self.asked["folder"] += 1
        return self._alive(pid).folder

    def _alive(self, pid: int) -> FakeProcess:
        process = self._processes.get(pid)
        if process is None or process.zombie:
            raise GoneError
        return process
