"""What this device can start; the one place where each system's way is chosen."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.launching.programs import Startable
from agent.sensing.installed import facts_of_application, installed_applications
from agent.sensing.this_system import applications
from contract.places import THIS_SYSTEM


def startable(environ: Mapping[str, str], home: Path) -> Iterator[Startable]:
    """Give the installed applications that have something to start.

    Args:
        environ: environment variables.
        home: the user's folder.
    """
    entries = installed_applications(environ, home)
    if THIS_SYSTEM == "linux":
        for entry in entries.all():
            facts = facts_of_application(entry)
            if facts.exe is not None or entry.flatpak_id or entry.snap:
                yield Startable(facts=facts, command=entry.command, icon=entry.icon)
        return
    for one in applications(entries, environ, home).read():
        if one.facts.exe is not None:
            yield Startable(facts=one.facts, command=(_started(one.facts.exe),))


def _started(exe: str) -> str:
    """Return what is started: on macOS the bundle that a program lies in."""
    if THIS_SYSTEM != "macos":
        return exe
    bundle, mark, _ = exe.partition(".app/")
    return f"{bundle}.app" if mark else exe
