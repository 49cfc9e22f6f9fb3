"""What tells one machine from another: a keyed hash of the machine's id, never the id itself."""

import hashlib
import hmac
import re
import socket
from pathlib import Path

from contract.policy import Ownership

MACHINE_ID_FILE = Path("/etc/machine-id")
_MACHINE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")


def hardware_digest(tenant: str, machine_id_file: Path = MACHINE_ID_FILE) -> str | None:
    """Return the machine's identity for one tenant: HMAC-SHA256, 64 hexadecimal digits; None where unknown.

    machine-id(5) asks that the id itself be kept confidential and hashed with a key of the application's.
    """
    try:
        machine_id = machine_id_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not _MACHINE_ID.fullmatch(machine_id):
        return None  # "uninitialized" in a fresh image, the same on every machine made from it
    return hmac.new(f"decorum:{tenant}".encode(), machine_id.encode(), hashlib.sha256).hexdigest()


def device_name(ownership: Ownership) -> str | None:
    """Return the host name of a company's device; a personal device's name is its owner's affair."""
    return socket.gethostname()[:200] if ownership == "company" else None
