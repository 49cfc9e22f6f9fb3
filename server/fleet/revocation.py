"""Taking a device out that was lost, left the company or was replaced: its key opens nothing any more. What it reported stays.

A machine that was set up anew enrols with a new key. It replaces its old record once that has been silent for a week, or an
administrator says that it is the same machine; until then both stand side by side, since one may be a copy of the other.
"""

from datetime import datetime, timedelta

from django.db import transaction

from server.access import audit
from server.errors import RefusedError
from server.fleet.models import Device

REPLACED_AFTER = timedelta(days=7)
"""How long an old record must have been silent."""


def refuse(device: Device) -> None:
    """Refuse a device that was taken out.

    Raises:
        RefusedError: it was.
    """
    if device.revoked_at is not None:
        raise RefusedError(
            403,
            "device_revoked",
            "This device was taken out by its company.",
            "Ask the administrator to let it back in, or remove its state folder and enrol it anew.",
        )


def revoke(device: Device, actor: str, now: datetime, address: str = "") -> None:
    """Take a device out; it is refused from its next word on."""
    _set(device, now, "device.revoked", actor, now, address)


def let_back(device: Device, actor: str, now: datetime, address: str = "") -> None:
    """Let a device back in, with everything that waits on it."""
    _set(device, None, "device.let_back", actor, now, address)


def replace(old: Device, new: Device, actor: str, now: datetime, address: str = "") -> None:
    """Let a record take the place of another of the same machine; the old one is taken out."""
    with transaction.atomic():
        if Device.objects.filter(pk=old.pk, revoked_at=None).update(revoked_at=now, replaced_by=new):
            audit.record(now, actor, "device.replaced", f"device {old.pk}", f"by device {new.pk}", address)
        left = Device.objects.filter(hardware=new.hardware, revoked_at=None)
        if left.count() == 1:
            left.update(shares_hardware=False)
            new.shares_hardware = False
    old.revoked_at, old.replaced_by = now, new


def replace_silent(new: Device, now: datetime) -> None:
    """Let a device take the place of those of the same machine that have been silent for long, in the caller's transaction.

    Only older ones: a key that was enrolled later is the machine as it is now.
    """
    old = Device.objects.filter(hardware=new.hardware, revoked_at=None, enrolled_at__lt=new.enrolled_at)
    for device in old.filter(silent_from__lte=now - REPLACED_AFTER):
        replace(device, new, audit.SERVER, now)


def same_machine(device: Device) -> list[Device]:
    """Return the other records of this machine that are not taken out."""
    if device.hardware is None:
        return []
    alike = Device.objects.filter(hardware=device.hardware, revoked_at=None).exclude(pk=device.pk)
    return list(alike.order_by("enrolled_at"))


def _set(device: Device, to: datetime | None, action: str, actor: str, now: datetime, address: str) -> None:
    with transaction.atomic():
        before = Device.objects.filter(pk=device.pk, revoked_at__isnull=to is not None)
        if before.update(revoked_at=to, replaced_by=None):
            audit.record(now, actor, action, f"device {device.pk}", str(device), address)
    device.revoked_at = to
