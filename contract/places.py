r"""Where agent and tray meet, and where the agent keeps its things, per system. Pure: the environment is an argument.

| | Linux | macOS | Windows |
|---|---|---|---|
| the system's agent listens at | /run/decorum | /var/run/decorum | `\\.\pipe\decorum-agent` |
| its state, for the service alone | /var/lib/decorum, 0700 | /Library/Application Support/Decorum/State, 0700 | `%ProgramData%\Decorum\State`, system and administrators |
| the administrator's settings | /etc/decorum | /Library/Application Support/Decorum, managed preferences | the registry alone |
| a user's own agent: its state | ~/.local/state/decorum | ~/Library/Application Support/Decorum/State | `%LOCALAPPDATA%\Decorum\State` |
| that user's settings | ~/.config/decorum | ~/Library/Application Support/Decorum | `%LOCALAPPDATA%\Decorum` |

A pipe's name is free for anybody to take, so the tray believes its owner, never its name; a user's own agent has a pipe of that user's number.
Anybody may make folders in `%ProgramData%`, so the agent takes none that could be another's, and no settings from there.
"""

import sys
from collections.abc import Mapping
from typing import Literal

import msgspec

Scope = Literal["system", "user"]
System = Literal["linux", "macos", "windows"]


class Places(msgspec.Struct, frozen=True):
    """Where things of the system's agent are."""

    socket: str
    state: str
    """For the service and administrators alone."""
    settings: str | None
    """A file that everybody may read and only an administrator may write; None where there is no folder for such a file."""


def system_named(platform: str) -> System:
    """Return the system that a value of `sys.platform` stands for."""
    return "windows" if platform == "win32" else "macos" if platform == "darwin" else "linux"


def places_on(system: System, program_data: str = r"C:\ProgramData") -> Places:
    """Return the places of the system's agent.

    Args:
        system: which one.
        program_data: Windows' folder for what all users share, as Windows tells it, never the environment.
    """
    if system == "windows":
        folder = f"{program_data}\\Decorum"
        return Places(rf"{PIPES}decorum-agent", rf"{folder}\State", None)
    if system == "macos":
        folder = "/Library/Application Support/Decorum"
        return Places("/var/run/decorum/agent.sock", f"{folder}/State", f"{folder}/settings.toml")
    return Places("/run/decorum/agent.sock", "/var/lib/decorum", "/etc/decorum/settings.toml")


PIPES = "\\\\.\\pipe\\"
THIS_SYSTEM = system_named(sys.platform)
SYSTEM_SOCKET = places_on(THIS_SYSTEM).socket
SOCKET_VARIABLE = "DECORUM_SOCKET"
"""Names another socket, for trials and tests."""


def user_socket(environ: Mapping[str, str], uid: int, system: System = THIS_SYSTEM) -> str:
    """Return the socket of the user's own agent (XDG Base Directory Specification: runtime files).

    Args:
        environ: environment variables.
        uid: the user's number.
        system: which one; macOS has no folder for runtime files, so it lies with the user's own application data.
    """
    if system == "windows":
        return f"{PIPES}decorum-agent-{uid:x}"
    if system == "macos":
        home = environ.get("HOME", "")
        folder = f"{home}/Library/Application Support/Decorum" if home.startswith("/") else f"/var/run/{uid}"
        return f"{folder}/agent.sock"
    runtime_folder = environ.get("XDG_RUNTIME_DIR", "")
    if not runtime_folder.startswith(
        "/"
    ):  # a relative one is invalid, the specification says, and to be ignored
        runtime_folder = f"/run/user/{uid}"
    return f"{runtime_folder}/decorum/agent.sock"


def sockets_to_try(environ: Mapping[str, str], uid: int, system: System = THIS_SYSTEM) -> tuple[str, ...]:
    """Return the sockets at which an agent may listen, the likeliest first."""
    named = environ.get(SOCKET_VARIABLE)
    return (named,) if named else (places_on(system).socket, user_socket(environ, uid, system))


def trusted_owner(
    socket: str, peer_uid: int, uid: int, service_uid: int | None, system: System = THIS_SYSTEM
) -> bool:
    """Tell whether the process at the other end may be believed to be the agent.

    Args:
        socket: the path that was connected to.
        peer_uid: the listener's user, as the system says.
        uid: the caller's own user.
        service_uid: the user `decorum`, if this machine has one.
        system: which one; a pipe's name counts in any case of its letters.
    """
    theirs = places_on(system).socket
    is_systems = socket.lower() == theirs.lower() if system == "windows" else socket == theirs
    return peer_uid in ({0, service_uid} if is_systems else {0, uid, service_uid})
