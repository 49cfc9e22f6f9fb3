"""Channels seen on devices: what the console counts and filters by, so that it never has to read all sightings."""

from django.db import models


class ChannelSeen(models.Model):
    """A messenger in a profile that a device has sightings of; the database itself notes it with the first one (migration 0006).

    It goes with the last of them: see `server.fleet.retention`.
    """

    device = models.ForeignKey(
        "fleet.Device", on_delete=models.CASCADE, related_name="channels_seen", db_index=False
    )
    messenger = models.CharField(max_length=200, blank=True)
    """Empty where it is withheld."""
    profile = models.CharField(max_length=16)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("device", "messenger", "profile"), name="channel_seen_once"),
        )
        indexes = (
            models.Index(fields=("messenger", "profile", "device"), name="channel_seen_on"),
            models.Index(fields=("profile", "device"), name="channel_seen_side"),
        )

    def __str__(self) -> str:
        return f"{self.messenger or 'A messenger'} ({self.profile})"
