"""The one place where it is chosen how this system listens and asks."""

import sys
from pathlib import Path

from agent.localapi.transport import Connection, Listener
from contract.places import Scope

if sys.platform == "win32":
    from agent.localapi import named_pipe as asking
    from agent.localapi.named_pipe import NamedPipe as SystemListener
else:
    from agent.localapi import asking_socket as asking
    from agent.localapi.unix_socket import UnixSocket as SystemListener


def listener(path: Path, scope: Scope) -> Listener:
    """Return what listens at a place."""
    return SystemListener(path, scope)


def connect(place: str, seconds: float) -> Connection | None:
    """Return a connection to whoever listens at a place, None if nobody does.

    Args:
        place: the socket's path or the pipe's name.
        seconds: how long one step may take.
    """
    return asking.connect(place, seconds)
