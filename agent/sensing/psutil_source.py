"""The processes of this machine as psutil tells them, one process and one fact at a time; the same on every system."""

import sys
from collections.abc import Collection, Iterable

import psutil

from agent.sensing.process_source import GoneError, Image, ProcessKey, Reading
from contract.facts import Platform, ProcessFacts

PLATFORM: Platform = {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")  # type: ignore[assignment]


class PsutilSource:
    """A `ProcessSource`; what may not be read is None, what has ended is a GoneError."""

    def newest(self) -> int | None:
        """Say that this system does not tell."""
        return None

    def pids(self) -> Iterable[int]:
        """Return the pids that exist now."""
        return psutil.pids()

    def is_there(self, pid: int) -> bool:
        """Tell whether a pid exists."""
        return psutil.pid_exists(pid)

    def key(self, pid: int) -> ProcessKey:
        """Return a process's identity."""
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                if process.status() == psutil.STATUS_ZOMBIE:
                    raise GoneError
                return ProcessKey(pid, process.create_time())
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
        image, name = self.image(key.pid), self.name(key.pid)
        if self.key(key.pid) != key:
            raise GoneError
        facts = ProcessFacts(platform=PLATFORM, name=name, exe=image.exe, cmdline=image.cmdline)
        return Reading(key, image, facts)

    def name(self, pid: int) -> str | None:
        """Return the name that the system lists a process under."""
        try:
            return readable(psutil.Process(pid).name())
        except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
            raise GoneError from error
        except psutil.AccessDenied:
            return None

    def uid(self, pid: int) -> int:
        """Return the user of a process; 0 where it may not be read."""
        if sys.platform == "win32":
            return 0  # users have no numbers there; `WindowsSource` makes some
        else:  # noqa: RET505  # the type checker passes over a branch, not over what follows one
            try:
                return int(psutil.Process(pid).uids().real)
            except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
                raise GoneError from error
            except psutil.AccessDenied:
                return 0

    def parent(self, pid: int) -> int | None:
        """Return the pid of the process that a process belongs to."""
        try:
            return psutil.Process(pid).ppid() or None
        except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
            raise GoneError from error
        except psutil.AccessDenied:
            return None

    def variables(self, pid: int, names: Collection[str]) -> dict[str, str]:
        """Return the variables so named; the others are dropped at once."""
        try:
            told = psutil.Process(pid).environ()
        except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
            raise GoneError from error
        except (psutil.AccessDenied, OSError):
            return {}
        return {name: readable(told[name]) for name in names if name in told}

    def folder(self, pid: int) -> str | None:
        """Return the folder that a process works in."""
        try:
            return readable(psutil.Process(pid).cwd()) or None
        except (psutil.NoSuchProcess, psutil.ZombieProcess) as error:
            raise GoneError from error
        except (psutil.AccessDenied, OSError):
            return None


def readable(text: str) -> str:
    """Return a text that can be written down: psutil keeps bytes that are no UTF-8 as lone surrogates (PEP 383)."""
    return text.encode(errors="replace").decode()


def _exe(process: psutil.Process) -> str | None:
    try:
        return readable(process.exe()) or None
    except psutil.AccessDenied:
        return None


def _cmdline(process: psutil.Process) -> tuple[str, ...] | None:
    try:
        return tuple(readable(argument) for argument in process.cmdline())
    except psutil.AccessDenied:
        return None
