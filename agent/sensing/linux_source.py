"""What Linux tells more cheaply than psutil: the newest pid, and identity, name and image of a process in three reads.

A start time is told in ticks since the boot, which setting the clock does not change; psutil adds the time of the boot, which it does.
"""

import os
import re
import sys
from collections.abc import Collection
from pathlib import Path

import msgspec
import psutil

from agent.sensing.process_source import GoneError, Image, ProcessKey, Reading
from agent.sensing.psutil_source import PLATFORM, PsutilSource, readable
from contract.facts import ProcessFacts

assert sys.platform != "win32"  # tells the type checker whose calls these are

_DEAD = frozenset("ZXx")
_FLATPAK_SCOPE = re.compile(r"/app-flatpak-([A-Za-z0-9_.\\]+)-\d+\.scope(?:/|\s|\Z)")
_DELETED = " (deleted)"
_AT_MOST_BYTES = 4096
COMMAND_LINE_LIMIT_BYTES = 64 * 1024
"""What an application is called by stands in its first words; a command line may have two megabytes."""
ENVIRONMENT_LIMIT_BYTES = 256 * 1024
"""A process may be started with two megabytes of variables; what lies behind this is not looked at."""
_STATE, _PARENT, _THREADS, _START = 0, 1, 17, 19
"""Places of the fields behind the name, in proc_pid_stat(5) fields 3, 4, 20 and 22."""


class Stat(msgspec.Struct, frozen=True):
    """What stands in a process's `stat`."""

    name: str
    state: str
    parent: int
    threads: int
    start_ticks: int

    @property
    def is_over(self) -> bool:
        """Whether it has ended; a process whose first thread has is a zombie by name only, while others go on."""
        return self.state in _DEAD and self.threads <= 1


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
        if stat.is_over:
            raise GoneError
        return self._key(pid, stat)

    def image(self, pid: int) -> Image:
        """Return what a process runs."""
        return Image(self._exe(pid), self._command_line(pid))

    def read(self, key: ProcessKey) -> Reading:
        """Return executable, command line and name."""
        image, stat = self.image(key.pid), self._stat(key.pid)
        if stat.is_over or self._key(key.pid, stat) != key:
            raise GoneError
        facts = ProcessFacts(
            platform=PLATFORM,
            name=stat.name,
            exe=image.exe,
            cmdline=image.cmdline,
            flatpak_id=self._flatpak_id(key.pid, image.exe),
        )
        return Reading(key, image, facts)

    def name(self, pid: int) -> str | None:
        """Return the name, cut at 15 bytes by the kernel."""
        return self._stat(pid).name

    def parent(self, pid: int) -> int | None:
        """Return the pid of the process that a process belongs to."""
        return self._stat(pid).parent or None

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        """Return the variables so named; the others are dropped at once."""
        try:
            told = _read(f"{self._proc}/{pid}/environ", ENVIRONMENT_LIMIT_BYTES)
        except PermissionError:
            return {}
        except OSError as error:
            raise GoneError from error
        return parse_variables(told, names)

    def folder(self, pid: int) -> str | None:
        """Return the folder that a process works in."""
        try:
            return readable(os.readlink(f"{self._proc}/{pid}/cwd")) or None  # noqa: PTH115 - as of `exe`
        except PermissionError:
            return None
        except OSError as error:
            raise GoneError from error

    def _key(self, pid: int, stat: Stat) -> ProcessKey:
        return ProcessKey(pid, round(self._boot_time + stat.start_ticks / self._ticks_a_second, 2))

    def _exe(self, pid: int) -> str | None:
        try:
            path = os.readlink(f"{self._proc}/{pid}/exe")  # noqa: PTH115 - a Path costs as much as the question
        except PermissionError:
            return None
        except OSError as error:
            if self._stat(pid).state in _DEAD:
                raise GoneError from error
            return None  # a thread of the kernel runs no file
        path = path.partition("\0")[0]
        if path.endswith(_DELETED) and not os.path.lexists(path):
            path = path.removesuffix(_DELETED)
        return readable(path) or None

    def _command_line(self, pid: int) -> tuple[str, ...] | None:
        try:
            return parse_command_line(_read(f"{self._proc}/{pid}/cmdline", COMMAND_LINE_LIMIT_BYTES))
        except PermissionError:
            return None
        except OSError as error:
            raise GoneError from error

    def _flatpak_id(self, pid: int, exe: str | None) -> str | None:
        """Return the Flatpak application that a process runs in; asked only of what looks as if it did."""
        if not exe or not (exe.startswith("/app/") or exe.endswith("/bwrap")):
            return None
        try:
            return flatpak_id_of(_read(f"{self._proc}/{pid}/cgroup"))
        except OSError:
            return None

    def _stat(self, pid: int) -> Stat:
        try:
            return parse_stat(_read(f"{self._proc}/{pid}/stat"))
        except (OSError, ValueError, IndexError) as error:
            raise GoneError from error


def _read(path: str, at_most_bytes: int = _AT_MOST_BYTES) -> bytes:
    """Return a small file whole; Python's own file objects ask the kernel twice as much, and this is asked all day."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, at_most_bytes)
    finally:
        os.close(file)


def parse_command_line(text: bytes) -> tuple[str, ...]:
    r"""Return the arguments; a program that writes over its own separates them by spaces (Chromium does).

    >>> parse_command_line(b"sh\0-c\0a b\0"), parse_command_line(b"")
    (('sh', '-c', 'a b'), ())
    >>> parse_command_line(b"chrome --type=renderer"), parse_command_line(b"chrome --type=gpu\0")
    (('chrome', '--type=renderer'), ('chrome', '--type=gpu'))
    """
    if not text:
        return ()
    words = text[:-1].split(b"\0") if text.endswith(b"\0") else text.removesuffix(b" ").split(b" ")
    if len(words) == 1:
        words = words[0].split(b" ")
    return tuple(readable(os.fsdecode(word)) for word in words)


def parse_variables(text: bytes, names: Collection[str]) -> dict[str, str]:
    r"""Return the variables so named, the first of each, as a program would find them (environ(7)).

    >>> parse_variables(b"HOME=/home/x\0TOKEN=secret\0HOME=/tmp\0PATH=/cut", {"HOME", "PATH"})
    {'HOME': '/home/x'}
    """
    found: dict[str, str] = {}
    for word in text.split(b"\0")[:-1]:
        name, is_one, value = word.partition(b"=")
        if is_one and (known := name.decode(errors="replace")) in names:
            found.setdefault(known, readable(os.fsdecode(value)))
    return found


def flatpak_id_of(cgroup: bytes) -> str | None:
    r"""Return the application whose scope a control group is; Flatpak makes one for each start, `app-flatpak-ID-NUMBER.scope`.

    systemd writes a dash within a name as `\x2d` (systemd.unit(5), "String Escaping for Inclusion in Unit Names").

    >>> flatpak_id_of(b"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-flatpak-org.gajim.Gajim-4711.scope\n")
    'org.gajim.Gajim'
    >>> flatpak_id_of(b"0::/user.slice/user-1000.slice/session-2.scope\n") is None
    True
    """
    found = _FLATPAK_SCOPE.search(cgroup.decode(errors="replace"))
    return found[1].replace(r"\x2d", "-") if found else None


def parse_stat(text: bytes) -> Stat:
    r"""Return what a `stat` says; the name stands in brackets and may hold brackets itself.

    >>> parse_stat(b"7 (a) b) S " + b"0 " * 16 + b"5 0 4711 0")
    Stat(name='a) b', state='S', parent=0, threads=5, start_ticks=4711)

    Raises:
        ValueError, IndexError: it is cut short.
    """
    name_end = text.rindex(b")")
    fields = text[name_end + 1 :].split()
    name = text[text.index(b"(") + 1 : name_end].decode(errors="replace")
    return Stat(
        name.replace("\ufffd", "?"),
        fields[_STATE].decode("ascii"),
        int(fields[_PARENT]),
        int(fields[_THREADS]),
        int(fields[_START]),
    )
