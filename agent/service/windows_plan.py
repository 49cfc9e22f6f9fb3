"""What is asked of Windows for the agent's service, decided here so that it can be read and tested anywhere.

The service runs as LocalSystem with nearly all of its privileges taken away, see docs/decisions/0022-windows-service.md.
"""

import subprocess
from collections.abc import Sequence

import msgspec

NAME = "Decorum"
DISPLAY_NAME = "Decorum agent"
DESCRIPTION = "Keeps instant messaging on this device inside the company's policy, without reading messages."
STOPPING_SECONDS = 10
"""How long Windows is told that stopping takes: the actors' grace, the connections', and some to spare."""
STOPPED_AT_THE_LATEST_SECONDS = 20
"""After this long the service ends, whatever still holds it."""


class Restart(msgspec.Struct, frozen=True):
    """What Windows does when the service fails."""

    after_milliseconds: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The service as it is to be."""

    command: str
    """Quoted, since a path with a space would otherwise let Windows start another program on the way to it."""
    restarts: tuple[Restart, ...] = (Restart(5_000), Restart(30_000), Restart(60_000))
    """The last one holds for every failure after it."""
    reset_seconds: int = 24 * 3600
    """After so long without a failure they are counted anew."""
    privileges: tuple[str, ...] = ("SeChangeNotifyPrivilege",)
    """All that it keeps of what LocalSystem may do: walking through folders. Other users' processes tell the system their path as it is."""


def plan(program: Sequence[str]) -> Plan:
    r"""Return the plan for a program.

    >>> plan([r"C:\Program Files\Decorum\decorum.exe"]).command
    '"C:\\Program Files\\Decorum\\decorum.exe" service run'

    Args:
        program: the command line that is `decorum`, see `agent.service.program`.
    """
    first, *rest = program
    return Plan(command=" ".join((f'"{first}"', subprocess.list2cmdline([*rest, "service", "run"]))))
