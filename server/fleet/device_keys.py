"""A device's key and its change: asked for once a year or by an administrator, proposed under the old key, proven by the new one.

The old key holds until the device has sealed with the new one, so that a lost answer locks nobody out; then it opens nothing any more.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from contract import wire
from contract.envelope import Address, SealError, VerifyKey, unseal, untrusted_header
from contract.errors import MalformedError
from contract.messages import LIMIT_BYTES, KeyProof, NextKey
from server.access import audit
from server.errors import RefusedError
from server.fleet.models import Device, FormerKey

KEY_LIFE = timedelta(days=365)
KEYS_REMEMBERED = 10_000
"""How many keys are kept read, each some kilobytes, so that they are not read anew at each check-in."""


def key_of(public_key: str, next_public_key: str | None, sealed: str) -> VerifyKey:
    """Return the key that a message of a device must hold by: the one it names, if that is the device's next; else the present."""
    if next_public_key is not None:
        following = _read(next_public_key)
        try:
            if untrusted_header(sealed).get("kid") == following.fingerprint:
                return following
        except SealError:
            pass  # it will be refused by name
    return _read(public_key)


@lru_cache(maxsize=KEYS_REMEMBERED)
def _read(text: str) -> VerifyKey:
    return VerifyKey(text)


def follow(device: Device, key: VerifyKey, now: datetime) -> None:
    """Take note that the device seals with its next key: the old one is over. In the caller's transaction, which saves the device."""
    if key.text != device.next_public_key:
        return
    FormerKey.objects.create(device=device, public_key=device.public_key, since=device.key_since, until=now)
    device.public_key, device.next_public_key = key.text, None
    device.key_since, device.key_change_asked_at = now, None
    audit.record(now, f"device {device.pk[:8]}", "device.key_changed", str(device), key.fingerprint)


def propose(device: Device, said: NextKey, tenant: str) -> str:
    """Take the key that a device wants to change to, in the caller's transaction, which saves the device; return it.

    Raises:
        RefusedError: the device does not prove that it holds it, or it is or was somebody's.
    """
    address = Address(type="device-key", tenant=tenant, device=device.pk, direction="to_server")
    try:
        key = VerifyKey(said.public_key)
        proof = wire.decode(KeyProof, unseal(said.proof, address, key), limit_bytes=LIMIT_BYTES)
    except (SealError, MalformedError) as error:
        raise RefusedError(400, "key_not_proven", error.detail, "Make another key.") from error
    if proof.takes_place_of != device.public_key:
        raise RefusedError(400, "key_not_proven", "The proof is for another key.", "Make another key.")
    known = Device.objects.filter(public_key=said.public_key) | Device.objects.filter(
        next_public_key=said.public_key
    ).exclude(pk=device.pk)
    if known.exists() or FormerKey.objects.filter(public_key=said.public_key).exists():
        raise RefusedError(400, "key_known", "This key is or was in use.", "Make another key.")
    device.next_public_key = said.public_key
    return said.public_key


def is_change_wanted(device: Device, now: datetime) -> bool:
    """Tell whether the device is to change its key."""
    return device.key_change_asked_at is not None or device.key_since <= now - KEY_LIFE


def ask_for_change(device: Device, actor: str, now: datetime, address: str = "") -> None:
    """Ask a device for a new key at its next check-in."""
    if Device.objects.filter(pk=device.pk, key_change_asked_at=None).update(key_change_asked_at=now):
        audit.record(now, actor, "device.key_asked", f"device {device.pk}", str(device), address)
