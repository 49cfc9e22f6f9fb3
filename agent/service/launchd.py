"""macOS: the agent and the tray as jobs of launchd. What is asked of it is decided here, by pure functions (launchd.plist(5), macOS 14).

A daemon serves the device and runs as root, which alone may look at every user's processes; an agent of launchd serves one user, in their
session. Both start again after a failure, no faster than every ten seconds, and have twenty to end.
"""

import plistlib
from collections.abc import Mapping, Sequence
from typing import Literal

AGENT_LABEL, TRAY_LABEL = "org.decorum.agent", "org.decorum.tray"
DAEMONS = "/Library/LaunchDaemons"
AGENTS = "/Library/LaunchAgents"
"""Of all users; a user's own lie in `~/Library/LaunchAgents`."""
PRIVATE_UMASK = 0o077
"""Property lists have no octal numbers: it stands there as 63."""
Job = Mapping[str, object]


def daemon(program: Sequence[str]) -> Job:
    """Return the job of the system's agent.

    Args:
        program: the command line that is `decorum`.
    """
    return {
        **_kept_alive(AGENT_LABEL, [*program, "run", "--scope", "system"], "Background"),
        "StandardErrorPath": "/var/log/decorum.log",
        "Umask": PRIVATE_UMASK,
    }


def users_agent(program: Sequence[str], home: str) -> Job:
    """Return the job of a user's own agent.

    Args:
        program: the command line that is `decorum`.
        home: the user's home.
    """
    return {
        **_kept_alive(AGENT_LABEL, [*program, "run", "--scope", "user"], "Background"),
        "StandardErrorPath": f"{home}/Library/Logs/decorum.log",
        "Umask": PRIVATE_UMASK,
    }


def tray(program: Sequence[str]) -> Job:
    """Return the job of the tray, which needs a session with a screen.

    Args:
        program: the command line that is `decorum-tray`.
    """
    return {**_kept_alive(TRAY_LABEL, program, "Interactive"), "LimitLoadToSessionType": "Aqua"}


def written(job: Job) -> bytes:
    """Return a job as the property list that launchd reads."""
    return plistlib.dumps(dict(job))


def _kept_alive(label: str, arguments: Sequence[str], kind: Literal["Background", "Interactive"]) -> Job:
    return {
        "Label": label,
        "ProgramArguments": list(arguments),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": 20,
        "ProcessType": kind,
    }
