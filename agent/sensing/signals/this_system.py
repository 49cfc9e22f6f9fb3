"""The one place where it is chosen how this system's signals are read."""

import sys

from agent.sensing.process_source import ProcessSource
from agent.sensing.signals.interface import SignalSource

if sys.platform == "win32":
    import winreg

    from agent.sensing.signals.windows_signals import WindowsSignals
elif sys.platform == "darwin":
    from agent.sensing.signals.macos_signals import MacosSignals
else:
    from agent.sensing.signals.linux_signals import LinuxSignals


def signal_source(source: ProcessSource) -> SignalSource:
    """Return the source for the system that this runs on."""
    if sys.platform == "win32":
        return WindowsSignals(source, winreg)
    elif sys.platform == "darwin":  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        return MacosSignals(source)
    else:
        return LinuxSignals(source)
