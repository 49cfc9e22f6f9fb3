"""Opening what devices sealed, and sealing the answer; a seal that does not hold is refused by name."""

import base64
import binascii
from typing import TypeVar

from contract import wire
from contract.envelope import (
    Address,
    MessageType,
    SealError,
    VerifyKey,
    seal,
    unseal,
    untrusted_header,
)
from contract.errors import MalformedError
from contract.messages import LIMIT_BYTES
from server.errors import RefusedError
from server.identity import Identity

T = TypeVar("T")
NEW_DEVICE = "new"
"""The device named in an enrolment, which has no id yet."""


def opened(kind: type[T], sealed: str, address: Address, key: VerifyKey) -> T:
    """Return a sealed message.

    Raises:
        RefusedError: the seal does not hold, or the message is malformed.
    """
    try:
        return wire.decode(kind, unseal(sealed, address, key), limit_bytes=LIMIT_BYTES)
    except SealError as error:
        status = 400 if error.problem == "malformed" else 401
        raise RefusedError(
            status, f"seal_{error.problem}", error.detail, "Enrol the device again."
        ) from error
    except MalformedError as error:
        raise RefusedError(400, "malformed", error.detail, error.remedy) from error


def named_device(sealed: str) -> str:
    """Return the device that a message names, not verified: good only for finding its key.

    Raises:
        RefusedError: not a sealed message.
    """
    try:
        device = untrusted_header(sealed).get("device")
    except SealError as error:
        raise RefusedError(400, "seal_malformed", error.detail, "Use Decorum's agent.") from error
    # JSON may say half a character, which no database takes.
    return device if isinstance(device, str) and device.isprintable() else ""


def claimed(kind: type[T], sealed: str) -> T:
    """Return what a message claims, not verified: good only for finding the key that it brings itself.

    Raises:
        RefusedError: not a sealed message of this kind.
    """
    parts = sealed.split(".")
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return wire.decode(kind, payload, limit_bytes=LIMIT_BYTES)
    except (IndexError, ValueError, binascii.Error) as error:
        raise RefusedError(
            400, "seal_malformed", "It is not a sealed message.", "Use Decorum's agent."
        ) from error
    except MalformedError as error:
        raise RefusedError(400, "malformed", error.detail, error.remedy) from error


def answered(message: object, kind: MessageType, device: str, identity: Identity) -> str:
    """Return a message to a device, sealed by the server's key."""
    address = Address(type=kind, tenant=identity.tenant.id, device=device, direction="to_device")
    return seal(wire.encode(message), address, identity.server_key)
