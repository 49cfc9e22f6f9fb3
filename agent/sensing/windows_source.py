"""What Windows tells of processes: the path without further rights, package and installed program, and the user by the SID.

Much may not be read: a process of another user or of the system hides its command line, and a protected one everything.
"""

from collections.abc import Callable
from pathlib import PureWindowsPath

import msgspec
import psutil

from agent.sensing.process_source import GoneError, Image, ProcessKey, Reading
from agent.sensing.psutil_source import PsutilSource, readable
from agent.sensing.windows_applications import Installed, WindowsApplications
from agent.sensing.windows_descriptions import WindowsDescriptions
from contract.facts import ProcessFacts
from contract.users import ADMINISTRATOR, number_of_sid

Ask = Callable[[int], str | None]
"""Asks about one process by its pid; raises OSError where it may not be told, and ProcessLookupError where it ended."""


class Asked(msgspec.Struct, frozen=True):
    """The questions put to Windows itself; each a parameter, so that what follows from an answer is tested anywhere."""

    path: Ask
    package_family: Ask
    sid: Ask


class WindowsSource(PsutilSource):
    """A `ProcessSource` for Windows.

    Args:
        asked: how Windows is asked, `agent.windows.processes.ASKED`.
        applications: what is installed.
        descriptions: what programs say of themselves.
    """

    def __init__(
        self, asked: Asked, applications: WindowsApplications, descriptions: WindowsDescriptions
    ) -> None:
        self._asked, self._applications, self._descriptions = asked, applications, descriptions

    def key(self, pid: int) -> ProcessKey:
        """Return a process's identity; there are no zombies, and asking for one would list every process."""
        try:
            return ProcessKey(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess as error:
            raise GoneError from error
        except (psutil.AccessDenied, OSError):
            return ProcessKey(pid, 0.0)

    def image(self, pid: int) -> Image:
        """Return what a process runs."""
        return Image(self._ask(self._asked.path, pid), _cmdline(pid))

    def read(self, key: ProcessKey) -> Reading:
        """Return path, command line, package, what the program says of itself, and the name, which is the file's."""
        image = self.image(key.pid)
        package = self._ask(self._asked.package_family, key.pid)
        if self.key(key.pid) != key:
            raise GoneError
        name = PureWindowsPath(image.exe).name if image.exe else _listed_name(key.pid)
        installed = self._applications.of_program(image.exe) if image.exe else Installed()
        facts = ProcessFacts(
            platform="windows",
            name=name,
            exe=image.exe,
            cmdline=image.cmdline,
            package_family=package,
            url_schemes=installed.url_schemes or None,
            uninstall_name=installed.uninstall_name,
        )
        return Reading(key, image, self._descriptions.complete(facts))

    def uid(self, pid: int) -> int:
        """Return the number of a process's user; what may not be asked about is the system's."""
        sid = self._ask(self._asked.sid, pid)
        return ADMINISTRATOR if sid is None else number_of_sid(sid)

    def _ask(self, ask: Ask, pid: int) -> str | None:
        try:
            answer = ask(pid)
        except ProcessLookupError as error:
            raise GoneError from error
        except OSError:
            return None
        return None if answer is None else readable(answer)


def _cmdline(pid: int) -> tuple[str, ...] | None:
    try:
        return tuple(map(readable, psutil.Process(pid).cmdline()))
    except psutil.NoSuchProcess as error:
        raise GoneError from error
    except (psutil.AccessDenied, OSError):
        return None


def _listed_name(pid: int) -> str | None:
    try:
        return readable(psutil.Process(pid).name()) or None
    except psutil.NoSuchProcess as error:
        raise GoneError from error
    except (psutil.AccessDenied, OSError):
        return None
