"""What Linux tells more cheaply than psutil: the newest pid, and identity and name of a process in a single read.

A start time is told in ticks since the boot, which setting the clock does not change; psutil adds the time of the boot, which it does.
"""

import os
import sys
from pathlib import Path

import msgspec
import psutil

from agent.sensing.process_source import GoneError, ProcessKey
from agent.sensing.psutil_source import PsutilSource

assert sys.platform != "win32"  # tells the type checker whose calls these are

_DEAD = frozenset("ZXx")
_AT_MOST_BYTES = 4096
_STATE, _START = 0, 19
"""Places of the fields behind the name, in proc_pid_stat(5) fields 3 and 22."""


class Stat(msgspec.Struct, frozen=True):
    """What stands in a process's `stat`."""

    name: str
    state: str
    start_ticks: int


class LinuxSource(PsutilSource):
    """A `ProcessSource` for Linux.

    Args:
        proc: where the kernel's process information is mounted.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = str(proc)
        self._boot_time = psutil.boot_time()
        self._ticks_a_second = os.sysconf("SC_CLK_TCK")

    def newest(self) -> int | None:
        """Return the newest pid of a process or thread (proc_loadavg(5))."""
        try:
            return int(_read(f"{self._proc}/loadavg").rsplit(None, 1)[-1])
        except (OSError, ValueError, IndexError):
            return None

    def is_there(self, pid: int) -> bool:
        """Tell whether a pid exists."""
        return os.access(f"{self._proc}/{pid}", os.F_OK)

    def key(self, pid: int) -> ProcessKey:
        """Return a process's identity."""
        stat = self._stat(pid)
        if stat.state in _DEAD:
            raise GoneError
        return ProcessKey(pid, round(self._boot_time + stat.start_ticks / self._ticks_a_second, 2))

    def name(self, pid: int) -> str | None:
        """Return the name, cut at 15 bytes by the kernel."""
        return self._stat(pid).name

    def _stat(self, pid: int) -> Stat:
        try:
            return parse_stat(_read(f"{self._proc}/{pid}/stat"))
        except (OSError, ValueError, IndexError) as error:
            raise GoneError from error


def _read(path: str) -> bytes:
    """Return a small file whole; Python's own file objects ask the kernel twice as much, and this is asked all day."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, _AT_MOST_BYTES)
    finally:
        os.close(file)


def parse_stat(text: bytes) -> Stat:
    r"""Return what a `stat` says; the name stands in brackets and may hold brackets itself.

    >>> parse_stat(b"7 (a) b) S " + b"0 " * 18 + b"4711 0")
    Stat(name='a) b', state='S', start_ticks=4711)

    Raises:
        ValueError, IndexError: it is cut short.
    """
    name_end = text.rindex(b")")
    fields = text[name_end + 1 :].split()
    name = text[text.index(b"(") + 1 : name_end].decode(errors="replace")
    return Stat(name.replace("\ufffd", "?"), fields[_STATE].decode("ascii"), int(fields[_START]))
