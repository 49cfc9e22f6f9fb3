"""Who is at the other end of a local connection: the operating system says, never the peer itself."""

import socket
import struct
import sys

import msgspec

from contract.local import Role
from contract.places import Scope
from contract.users import ADMINISTRATOR, XUCRED, is_person_sid, number_of_sid, uid_in_xucred

if sys.platform != "win32":
    import pwd

_IS_MACOS = sys.platform == "darwin"
FIRST_PERSON_UID = 500 if _IS_MACOS else 1000
"""Smaller numbers are system accounts (Debian Policy 9.2.2; systemd's users and groups; macOS: people from 501 on)."""
NOBODY_UIDS = frozenset({65534, 2**32 - 2})
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
"""unix(4) of macOS; Python has no names for them."""
_UCRED = struct.Struct("3i")


class Peer(msgspec.Struct, frozen=True):
    """A connection's other end; None where the system does not tell."""

    uid: int | None
    is_administrator: bool = False
    """Whether the system says so besides the number, as Windows does."""
    is_person: bool | None = None
    """Whether the system tells a person's account from a service's by itself, as Windows does; None where the number tells."""


def peer_of(connection: socket.socket) -> Peer:
    """Return the peer's user, as SO_PEERCRED tells (unix(7)), or LOCAL_PEERCRED on macOS."""
    try:
        ask = _ask_macos if _IS_MACOS else _ask_linux
        return ask(connection)
    except (OSError, AttributeError, struct.error):
        return Peer(None)


def _ask_linux(connection: socket.socket) -> Peer:
    option: int = getattr(socket, "SO_PEERCRED")  # noqa: B009  # the type checker knows it on Linux only
    return Peer(_UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _UCRED.size))[1])


def _ask_macos(connection: socket.socket) -> Peer:
    return peer_of_xucred(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, XUCRED.size))


def peer_of_xucred(credentials: bytes) -> Peer:
    """Return the peer that macOS describes; raise struct.error if it is cut short."""
    return Peer(uid_in_xucred(credentials))


def peer_of_sid(sid: str, *, is_administrator: bool) -> Peer:
    """Return the peer that a Windows token describes."""
    return Peer(number_of_sid(sid), is_administrator, is_person_sid(sid))


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
    if peer.is_administrator or peer.uid in {ADMINISTRATOR, own_uid}:
        return "owner"
    is_person = _is_person(peer.uid, known) if peer.is_person is None else peer.is_person
    return "person" if scope == "system" and is_person else "stranger"


def _is_person(uid: int, known: frozenset[int] | None) -> bool:
    return uid >= FIRST_PERSON_UID and uid not in NOBODY_UIDS and _is_known(uid, known)


def _is_known(uid: int, known: frozenset[int] | None) -> bool:
    if known is not None:
        return uid in known
    if sys.platform == "win32":
        return False  # there a SID tells
    else:  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        try:
            pwd.getpwuid(uid)
        except (KeyError, OverflowError):
            return False
        return True
