"""The one place where it is chosen how this system's processes and applications are read, and how starts are told."""

import sys
from collections.abc import Mapping
from pathlib import Path

from agent.sensing.applications import Applications
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.noticing import Offer
from agent.sensing.process_source import ProcessSource

if sys.platform == "win32":
    import os
    import winreg

    from agent.sensing.own_child import OwnChild
    from agent.sensing.windows_applications import WindowsApplications
    from agent.sensing.windows_descriptions import WindowsDescriptions
    from agent.sensing.windows_events import WindowsEvents
    from agent.sensing.windows_programs import WindowsPrograms
    from agent.sensing.windows_source import WindowsSource
    from agent.windows.own_words import manifest_at, version_of
    from agent.windows.processes import ASKED
    from agent.windows.trace import ProcessTrace, idle_program
elif sys.platform == "darwin":
    from agent.macos.kernel_queue import KernelQueue
    from agent.macos.session import has_screen
    from agent.macos.workspace import SessionWorkspace
    from agent.sensing.macos_applications import SHARED, MacosApplications
    from agent.sensing.macos_events import MacosEvents
    from agent.sensing.macos_source import MacosSource
    from agent.sensing.own_child import HeldChild
else:
    from agent.sensing.linux_applications import LinuxApplications
    from agent.sensing.linux_events import LinuxEvents
    from agent.sensing.linux_source import LinuxSource
    from agent.sensing.own_child import OwnChild, idle_program


def process_source() -> ProcessSource:
    """Return the source for the system that this runs on."""
    if sys.platform == "win32":
        return WindowsSource(ASKED, WindowsApplications(winreg), WindowsDescriptions(manifest_at, version_of))
    elif sys.platform == "darwin":  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        return MacosSource()
    else:
        return LinuxSource()


def events_offered() -> Offer:
    """Return how the system that this runs on tells of starts."""
    if sys.platform == "win32":
        return Offer(WindowsEvents(ProcessTrace()), OwnChild(idle_program()))
    elif sys.platform == "darwin":  # noqa: RET505
        events = MacosEvents(KernelQueue(), SessionWorkspace(has_screen))
        return Offer(events, HeldChild(events.watch))
    else:
        return Offer(LinuxEvents(), OwnChild(idle_program()))


def applications(entries: DesktopIndex, environ: Mapping[str, str], home: Path) -> Applications:
    """Return what is installed on the system that this runs on.

    Args:
        entries: the desktop entries.
        environ: environment variables.
        home: the user's folder.
    """
    if sys.platform == "win32":
        return WindowsPrograms(WindowsApplications(winreg), environ, os.listdir)
    elif sys.platform == "darwin":  # noqa: RET505
        return MacosApplications(SHARED, home / "Applications")
    else:
        return LinuxApplications(entries, home)
