"""Where processes are read from: psutil, asked for one process and one fact at a time."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import msgspec
import psutil

from contract.facts import Platform, ProcessFacts

PLATFORM: Platform = {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")  # type: ignore[assignment]


class GoneError(Exception):
    """The process ended while it was being read: normal, and of no interest."""


class ProcessKey(msgspec.Struct, frozen=True, order=True):
    """What tells one process from every other of this boot: a pid is used again, with another start time."""

    pid: int
    started: float
    """Seconds since the epoch, as the system told it when the source was made: setting the clock changes no key."""


class Image(msgspec.Struct, frozen=True):
    """What a process runs: exec changes the one, the other or both."""

    exe: str | None
    """Path of the executable."""
    cmdline: tuple[str, ...] | None


class Reading(msgspec.Struct, frozen=True):
    """What was learnt of one process."""

    key: ProcessKey
    image: Image
    facts: ProcessFacts


class ProcessSource(Protocol):
    """The few questions that sensing asks of the system."""

    def newest(self) -> int | None:
        """Return a number that is another once any process has started; None where the system has none."""

    def pids(self) -> Iterable[int]:
        """Return the pids that exist now."""

    def is_there(self, pid: int) -> bool:
        """Tell whether a pid exists; it may be a zombie's or another process's by now."""

    def key(self, pid: int) -> ProcessKey:
        """Return a process's identity; raise GoneError if it ended, or is a zombie that nobody has collected."""

    def image(self, pid: int) -> Image:
        """Return what a process runs, None where it may not be read; raise GoneError if it ended."""

    def read(self, key: ProcessKey) -> Reading:
        """Return the facts of a process; raise GoneError if it ended or its pid is another's now."""

    def uid(self, pid: int) -> int:
        """Return the user of a process; raise GoneError if it ended."""


class PsutilSource:
    """The processes of this machine.

    Args:
        load_file: where Linux tells, as the last word, the newest pid (proc_loadavg(5)).
    """

    def __init__(self, load_file: Path = Path("/proc/loadavg")) -> None:
        self._load_file = load_file
        self._boot_time = psutil.boot_time()

    def newest(self) -> int | None:
        """Return the newest pid of a process or thread."""
        try:
            return int(self._load_file.read_bytes().rsplit(None, 1)[-1])
        except (OSError, ValueError, IndexError):
            return None

    def is_there(self, pid: int) -> bool:
        """Tell whether a pid exists."""
        return psutil.pid_exists(pid)

    def pids(self) -> Iterable[int]:
        """Return the pids that exist now."""
        return psutil.pids()

    def key(self, pid: int) -> ProcessKey:
        """Return a process's identity."""
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                if process.status() == psutil.STATUS_ZOMBIE:
                    raise GoneError
                return ProcessKey(pid, self._started(process))
        except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
            raise GoneError from error
        except psutil.AccessDenied:
            return ProcessKey(pid, 0.0)

    def image(self, pid: int) -> Image:
        """Return what a process runs."""
        try:
            process = psutil.Process(pid)
            return Image(_exe(process), _cmdline(process))
        except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
            raise GoneError from error

    def read(self, key: ProcessKey) -> Reading:
        """Return executable and command line, and the name, which only counts where those tell nothing."""
        image = self.image(key.pid)
        try:
            process = psutil.Process(key.pid)
            if self._started(process) != key.started:
                raise GoneError
            name: str | None = _readable(process.name())
        except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
            raise GoneError from error
        except psutil.AccessDenied:
            name = None
        facts = ProcessFacts(platform=PLATFORM, name=name, exe=image.exe, cmdline=image.cmdline)
        return Reading(key, image, facts)

    def _started(self, process: psutil.Process) -> float:
        """Return when a process started, on the clock as it was set when this source was made.

        Linux counts from the boot, and psutil adds the time of the boot, which moves whenever the clock is set.
        """
        if PLATFORM != "linux":
            return process.create_time()
        return round(process.create_time() - psutil.boot_time() + self._boot_time, 2)

    def uid(self, pid: int) -> int:
        """Return the user of a process; 0 on a system without numbers for users."""
        try:
            return int(psutil.Process(pid).uids().real)
        except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
            raise GoneError from error
        except (psutil.AccessDenied, AttributeError):
            return 0


def _exe(process: psutil.Process) -> str | None:
    try:
        return _readable(process.exe()) or None
    except psutil.AccessDenied:
        return None


def _cmdline(process: psutil.Process) -> tuple[str, ...] | None:
    try:
        return tuple(_readable(argument) for argument in process.cmdline())
    except psutil.AccessDenied:
        return None


def _readable(text: str) -> str:
    """Return a text that can be written down: psutil keeps bytes that are no UTF-8 as lone surrogates (PEP 383)."""
    return text.encode(errors="replace").decode()
