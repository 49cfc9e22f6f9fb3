"""What Windows tells of an instance. None of it has met Windows itself; what follows from recorded facts is tested.

The system's agent sees no other person's part of the registry and may not read their files, so there the signals from those are absent.
"""

from pathlib import Path
from typing import Literal

from msgspec import structs

from agent.profiles.signals import LAUNCH_MARKER, Signals
from agent.sensing.process_source import ProcessSource
from agent.sensing.signals.chromium_profiles import browser_of
from agent.sensing.signals.firefox_profiles import is_firefox
from agent.sensing.signals.interface import Asked
from agent.sensing.signals.own_files import OwnFiles
from agent.sensing.signals.windows_facts import (
    VARIABLES,
    WinReg,
    account_of,
    is_deployed,
    is_managed,
    joined_domains,
    work_domains,
)

_POLICIES = {
    "chromium": r"SOFTWARE\Policies\Chromium",
    "chrome": r"SOFTWARE\Policies\Google\Chrome",
    "msedge": r"SOFTWARE\Policies\Microsoft\Edge",
    "brave": r"SOFTWARE\Policies\BraveSoftware\Brave",
    "vivaldi": r"SOFTWARE\Policies\Vivaldi",
    "firefox": r"SOFTWARE\Policies\Mozilla\Firefox",
}


class WindowsSignals:
    """A `SignalSource` for Windows.

    Args:
        source: tells what a process was started with.
        winreg: Python's module; another one in tests.
    """

    def __init__(self, source: ProcessSource, winreg: WinReg) -> None:
        self._source, self._winreg = source, winreg
        self._files = OwnFiles(source, "windows", Path("/"), checks_owner=False)

    def read(self, asked: Asked) -> Signals:
        """Return what was learnt of an instance."""
        facts, off = asked.reading.facts, asked.off
        variables = self._source.variables(asked.reading.key.pid, VARIABLES | {LAUNCH_MARKER})
        home = variables.get("USERPROFILE")
        asks_system = "work_account" not in off
        return structs.replace(
            self._files.signals(asked, variables.get(LAUNCH_MARKER), home),
            installer=None if asked.of_page or "installer" in off else self._installer(facts.exe, home),
            browser_is_managed="browser_policy" not in off and self._is_browser_managed(facts.exe),
            os_account=None if "os_account" in off else account_of(variables, joined_domains(self._winreg)),
            work_accounts=work_domains(self._winreg) if asks_system else frozenset(),
            is_managed=asks_system and is_managed(self._winreg),
        )

    def _installer(
        self, exe: str | None, home: str | None
    ) -> Literal["system", "person", "management"] | None:
        if exe is None:
            return None
        if is_deployed(self._winreg, exe):
            return "management"
        if home is not None and exe.lower().startswith(home.lower() + "\\"):
            return "person"
        return "system" if "\\program files" in exe.lower() else None

    def _is_browser_managed(self, exe: str | None) -> bool:
        place = _POLICIES.get("firefox" if is_firefox(exe) else browser_of(exe) or "")
        if place is None:
            return False
        try:
            self._winreg.OpenKey(self._winreg.HKEY_LOCAL_MACHINE, place)
        except OSError:
            return False
        return True
