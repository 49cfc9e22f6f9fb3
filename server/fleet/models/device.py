"""Devices, and what is known of each now."""

import secrets
from datetime import datetime, timedelta

from django.db import models

from server.fleet.sequences import Taken

SILENT_AFTER_INTERVALS = 3
"""A device is silent once it has missed this many check-ins."""


def new_device_id() -> str:
    """Return a fresh id: random, so that it tells nothing."""
    return secrets.token_hex(10)


class Device(models.Model):
    """A device that was taken in; everything but its flags comes from the device itself, sealed by its key."""

    id = models.CharField(primary_key=True, max_length=32, default=new_device_id, editable=False)
    public_key = models.CharField(max_length=43, unique=True)
    next_public_key = models.CharField(max_length=43, null=True)  # noqa: DJ001 - none is being changed to
    """The key that the device changes to: from its first use on it is the key."""
    key_since = models.DateTimeField()
    key_change_asked_at = models.DateTimeField(null=True)
    """When an administrator asked for a new key."""
    name = models.CharField(max_length=200, null=True)  # noqa: DJ001 - none was told, as opposed to an empty one
    ownership = models.CharField(max_length=16)
    assurance = models.CharField(max_length=16)
    platform = models.CharField(max_length=16)
    version = models.CharField(max_length=200)
    hardware = models.CharField(max_length=64, null=True, db_index=True)  # noqa: DJ001 - unknown
    shares_hardware = models.BooleanField(default=False)
    """Whether another device told the same hardware."""
    enrolled_at = models.DateTimeField()
    enrolled_with = models.ForeignKey(
        "fleet.EnrolmentSecret", on_delete=models.PROTECT, related_name="devices"
    )

    last_check_in_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    """The latest time told to the device; the next one is never earlier."""
    silent_from = models.DateTimeField()
    """When it counts as silent, if nothing is heard before. It moves with every check-in, so no index may hold it: on PostgreSQL each
    would have to be written anew."""
    clock_behind_seconds = models.FloatField(default=0)
    policy_serial = models.BigIntegerField(default=0)
    catalogue_version = models.BigIntegerField(null=True)
    """Of the published catalogue that it uses; 0 for the list that came with it, None where it takes none."""
    journal_head = models.CharField(max_length=64, blank=True)
    waiting = models.BigIntegerField(default=0)
    noticed_at = models.DateTimeField(null=True)
    """When it said that its employee knows of it; before that, nothing but heartbeats can come."""
    taken_highest = models.BigIntegerField(default=0)
    taken_gaps = models.JSONField(default=list)
    highest_at_restore = models.BigIntegerField(null=True)
    """The highest number in the backup that the records were last restored from; what was taken after it is lost."""
    lost_in_restore = models.BigIntegerField(default=0)
    """How many numbers after that one have not come: the device was told that they were taken, and sends them no more."""
    forked_at = models.DateTimeField(null=True)
    """When it first reported two different things under one number."""
    revoked_at = models.DateTimeField(null=True)
    """When it was taken out, because it was lost, left the company or was replaced: nothing is taken from it any more."""
    replaced_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="replaces")
    """The same machine, enrolled anew."""
    state = models.CharField(max_length=16, default="pending", db_index=True)
    """The worst of its open sightings, as last reported."""

    class Meta:
        ordering = ("name", "id")
        indexes = (
            models.Index(fields=("name", "id"), name="device_order"),
            models.Index(fields=("ownership", "name", "id"), name="device_owned"),
            models.Index(fields=("policy_serial",), name="device_policy"),
            models.Index(fields=("id",), condition=models.Q(revoked_at__isnull=False), name="device_revoked"),
        )

    def __str__(self) -> str:
        return self.name or f"Device {self.id[:8]}"

    @property
    def taken(self) -> Taken:
        """The sequence numbers taken so far."""
        return Taken(self.taken_highest, tuple((first, last) for first, last in self.taken_gaps))

    @taken.setter
    def taken(self, taken: Taken) -> None:
        self.taken_highest = taken.highest
        self.taken_gaps = [list(gap) for gap in taken.gaps]

    def expect_next(self, now: datetime, interval_seconds: int) -> None:
        """Count it as silent once it has missed its next check-ins."""
        self.silent_from = now + timedelta(seconds=SILENT_AFTER_INTERVALS * interval_seconds)

    def is_silent(self, now: datetime) -> bool:
        """Tell whether it has missed its check-ins."""
        return self.silent_from <= now


class FormerKey(models.Model):
    """A key that a device has sealed with; an auditor verifies with it what was sealed then."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="former_keys")
    public_key = models.CharField(max_length=43, unique=True)
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        ordering = ("until",)

    def __str__(self) -> str:
        return f"{self.public_key}, until {self.until:%Y-%m-%d}"
