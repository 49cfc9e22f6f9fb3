"""Sightings as last reported: a reading aid made from observations, never more than they say."""

from django.db import models


class Sighting(models.Model):
    """A messenger in use on a device, with its latest verdict. Times are as exact as the device's ceiling lets them be."""

    device = models.ForeignKey("fleet.Device", on_delete=models.CASCADE, related_name="sightings")
    identity = models.CharField(max_length=32)
    messenger = models.CharField(max_length=200, null=True)  # noqa: DJ001 - withheld
    name = models.CharField(max_length=200, null=True)  # noqa: DJ001 - withheld
    kind = models.CharField(max_length=16, null=True)  # noqa: DJ001 - withheld, or not listed
    is_listed = models.BooleanField(null=True)
    profile = models.CharField(max_length=16)
    detail = models.CharField(max_length=16)
    verdict = models.CharField(max_length=16)
    rule = models.CharField(max_length=200)
    policy_serial = models.BigIntegerField()
    day = models.DateField()
    """The day on which it was first seen, as the device counts days."""
    started_at = models.DateTimeField(null=True)
    judged_at = models.DateTimeField(null=True)
    """Since when the verdict holds."""
    ended_at = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=True)
    last_sequence = models.BigIntegerField()
    """The number of the observation that the verdict is from."""
    reported_at = models.DateTimeField()
    """When the server last heard of it."""

    class Meta:
        ordering = ("-reported_at", "-id")
        constraints = (models.UniqueConstraint(fields=("device", "identity"), name="sighting_once"),)
        indexes = (
            models.Index(fields=("is_open", "verdict", "-reported_at"), name="sighting_open"),
            models.Index(
                fields=("device", "verdict"), condition=models.Q(is_open=True), name="sighting_open_of_device"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name or 'A messenger'} ({self.profile})"
