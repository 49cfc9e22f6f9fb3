"""Where agent and tray meet. Pure: the environment is an argument."""

from collections.abc import Mapping
from typing import Literal

Scope = Literal["system", "user"]
SYSTEM_SOCKET = "/run/decorum/agent.sock"
SOCKET_VARIABLE = "DECORUM_SOCKET"
"""Names another socket, for trials and tests."""


def user_socket(environ: Mapping[str, str], uid: int) -> str:
    """Return the socket of the user's own agent (XDG Base Directory Specification: runtime files)."""
    runtime_folder = environ.get("XDG_RUNTIME_DIR", "")
    if not runtime_folder.startswith(
        "/"
    ):  # a relative one is invalid, the specification says, and to be ignored
        runtime_folder = f"/run/user/{uid}"
    return f"{runtime_folder}/decorum/agent.sock"


def sockets_to_try(environ: Mapping[str, str], uid: int) -> tuple[str, ...]:
    """Return the sockets at which an agent may listen, the likeliest first."""
    named = environ.get(SOCKET_VARIABLE)
    return (named,) if named else (SYSTEM_SOCKET, user_socket(environ, uid))


def trusted_owner(socket: str, peer_uid: int, uid: int, service_uid: int | None) -> bool:
    """Tell whether the process at the other end may be believed to be the agent.

    Args:
        socket: the path that was connected to.
        peer_uid: the listener's user, as the system says.
        uid: the caller's own user.
        service_uid: the user `decorum`, if this machine has one.
    """
    if socket == SYSTEM_SOCKET:
        return peer_uid in {0, service_uid}
    return peer_uid in {0, uid, service_uid}
