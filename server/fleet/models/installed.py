"""Messengers installed on devices, as last reported: a reading aid made from observations, never more than they say."""

from django.db import models


class InstalledMessenger(models.Model):
    """A messenger that a device has installed, or had. That it is there is no use of it, and is never judged."""

    device = models.ForeignKey("fleet.Device", on_delete=models.CASCADE, related_name="installed")
    identity = models.CharField(max_length=32)
    messenger = models.CharField(max_length=200, blank=True)
    """Empty where it is withheld."""
    name = models.CharField(max_length=200, null=True)  # noqa: DJ001 - withheld
    kind = models.CharField(max_length=16, null=True)  # noqa: DJ001 - withheld, or not listed
    is_listed = models.BooleanField(null=True)
    profile = models.CharField(max_length=16)
    detail = models.CharField(max_length=16)
    day = models.DateField()
    """The day on which it was first noticed, as the device counts days."""
    found_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    is_there = models.BooleanField(default=True)
    is_started = models.BooleanField(default=False)
    """Whether a sighting of it was ever taken of this device: the database itself notes it with the first one (migration 0009), and it
    stays when that sighting is erased, so that nothing is called never started that was."""
    last_sequence = models.BigIntegerField()
    """The number of the observation that says how it stands."""
    reported_at = models.DateTimeField()
    """When the server last heard of it."""

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("device", "identity"), name="installed_once"),)
        indexes = (
            models.Index(fields=("messenger", "profile", "device"), name="installed_on"),
            models.Index(
                fields=("messenger", "profile", "device"),
                condition=models.Q(is_there=True, is_started=False),
                name="installed_never_started",
            ),
            models.Index(fields=("reported_at",), name="installed_age"),
        )

    def __str__(self) -> str:
        return f"{self.name or 'A messenger'} ({self.profile})"
