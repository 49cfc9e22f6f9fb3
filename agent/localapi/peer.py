"""Who is at the other end of a local connection: the operating system says, never the peer itself."""

import pwd
import socket
import struct

import msgspec

from contract.local import Role
from contract.places import Scope

FIRST_PERSON_UID = 1000
"""Smaller numbers are system accounts (Debian Policy 9.2.2; systemd's users and groups)."""
NOBODY_UID = 65534


class Peer(msgspec.Struct, frozen=True):
    """A connection's other end; None where the system does not tell."""

    uid: int | None


def peer_of(connection: socket.socket) -> Peer:
    """Return the peer's user, as SO_PEERCRED tells (unix(7))."""
    try:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return Peer(struct.unpack("3i", credentials)[1])
    except (OSError, AttributeError, struct.error):
        return Peer(None)


def role_of(peer: Peer, scope: Scope, own_uid: int, known: frozenset[int] | None = None) -> Role:
    """Return what a peer is to this agent.

    Args:
        peer: the other end.
        scope: a user's own agent serves that user alone; a system's serves every person.
        own_uid: the user whom the agent runs as.
        known: the users of this machine, for tests; the system's by default.
    """
    if peer.uid is None:
        return "stranger"
    if peer.uid in {0, own_uid}:
        return "owner"
    is_person = peer.uid >= FIRST_PERSON_UID and peer.uid != NOBODY_UID and _is_known(peer.uid, known)
    return "person" if scope == "system" and is_person else "stranger"


def _is_known(uid: int, known: frozenset[int] | None) -> bool:
    if known is not None:
        return uid in known
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
