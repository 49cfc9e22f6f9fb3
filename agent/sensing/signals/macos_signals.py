"""What macOS tells of an instance. None of it has run on macOS; what follows from recorded files is tested.

A management writes what it sets below `/Library/Managed Preferences`, for the whole device and for each person (Apple Platform Deployment,
"Review MDM settings"). Which directory an account comes from is told by no file that a person may read, so that signal is absent.
"""

from pathlib import Path

from msgspec import structs

from agent.profiles.signals import LAUNCH_MARKER, Signals
from agent.sensing.process_source import ProcessSource
from agent.sensing.signals.chromium_profiles import browser_of
from agent.sensing.signals.firefox_profiles import is_firefox
from agent.sensing.signals.interface import Asked
from agent.sensing.signals.own_files import OwnFiles

MANAGED = "Library/Managed Preferences"
_POLICIES = {
    "chromium": "org.chromium.Chromium.plist",
    "chrome": "com.google.Chrome.plist",
    "msedge": "com.microsoft.Edge.plist",
    "brave": "com.brave.Browser.plist",
    "vivaldi": "com.vivaldi.Vivaldi.plist",
    "firefox": "org.mozilla.firefox.plist",
}
_VARIABLES = frozenset({LAUNCH_MARKER, "HOME"})


class MacosSignals:
    """A `SignalSource` for macOS.

    Args:
        source: tells what a process was started with.
        root: where the file system begins.
    """

    def __init__(self, source: ProcessSource, root: Path = Path("/")) -> None:
        self._source, self._root = source, root
        self._files = OwnFiles(source, "macos", root, checks_owner=True)

    def read(self, asked: Asked) -> Signals:
        """Return what was learnt of an instance."""
        facts, off = asked.reading.facts, asked.off
        variables = self._source.variables(asked.reading.key.pid, _VARIABLES)
        is_persons = facts.exe is not None and facts.exe.startswith("/Users/")
        return structs.replace(
            self._files.signals(asked, variables.get(LAUNCH_MARKER), variables.get("HOME")),
            installer="person" if is_persons and not asked.of_page else None,
            browser_is_managed="browser_policy" not in off and self._is_browser_managed(facts.exe),
            is_managed="work_account" not in off and self._is_managed(),
        )

    def _is_managed(self) -> bool:
        try:
            return any((self._root / MANAGED).glob("*.plist"))
        except OSError:
            return False

    def _is_browser_managed(self, exe: str | None) -> bool:
        name = _POLICIES.get("firefox" if is_firefox(exe) else browser_of(exe) or "")
        return name is not None and (self._root / MANAGED / name).is_file()
