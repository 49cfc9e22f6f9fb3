"""The one place where it is chosen how this system's processes are read."""

import sys

from agent.sensing.process_source import ProcessSource

if sys.platform == "win32":
    from agent.sensing.windows_source import WindowsSource
    from agent.windows.processes import ASKED
elif sys.platform == "darwin":
    from agent.sensing.macos_source import MacosSource
else:
    from agent.sensing.linux_source import LinuxSource


def process_source() -> ProcessSource:
    """Return the source for the system that this runs on."""
    if sys.platform == "win32":
        return WindowsSource(ASKED)
    elif sys.platform == "darwin":  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        return MacosSource()
    else:
        return LinuxSource()
