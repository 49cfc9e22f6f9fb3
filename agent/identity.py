"""What tells one machine from another: a keyed hash of the machine's id, never the id itself."""

import hashlib
import hmac
import socket
from collections.abc import Callable

from agent.machine import this_system
from contract.policy import Ownership


def hardware_digest(tenant: str, machine_id: Callable[[], str | None] = this_system.machine_id) -> str | None:
    """Return the machine's identity for one tenant: HMAC-SHA256, 64 hexadecimal digits; None where unknown.

    machine-id(5) asks that the id itself be kept confidential and hashed with a key of the application's.
    """
    machine = machine_id()
    if machine is None:
        return None
    return hmac.new(f"decorum:{tenant}".encode(), machine.encode(), hashlib.sha256).hexdigest()


def device_name(ownership: Ownership) -> str | None:
    """Return the host name of a company's device; a personal device's name is its owner's affair."""
    return socket.gethostname()[:200] if ownership == "company" else None
