"""For how long messengers were open at work, as devices reported it: a reading aid made from observations, never more than they say."""

from django.db import models


class ExposureDay(models.Model):
    """What a device told of one messenger and one day that was over; always of the work side."""

    device = models.ForeignKey(
        "fleet.Device", on_delete=models.CASCADE, related_name="exposure", db_index=False
    )
    identity = models.CharField(max_length=32)
    ownership = models.CharField(max_length=16)
    """Who owned the device when it told this."""
    day = models.DateField()
    """As the device counts days."""
    messenger = models.CharField(max_length=200, blank=True)
    """Empty where it is withheld."""
    name = models.CharField(max_length=200, null=True)  # noqa: DJ001 - withheld
    kind = models.CharField(max_length=16, null=True)  # noqa: DJ001 - withheld, or not listed
    sessions = models.PositiveIntegerField()
    seconds = models.PositiveIntegerField(null=True)
    """None where no duration may be told."""
    uncaptured_sessions = models.PositiveIntegerField(null=True)
    uncaptured_seconds = models.PositiveIntegerField(null=True)
    last_sequence = models.BigIntegerField()
    """The number of the observation that says this."""
    reported_at = models.DateTimeField()
    """When the server last heard of it."""

    class Meta:
        ordering = ("-day", "-seconds", "id")
        constraints = (models.UniqueConstraint(fields=("device", "identity"), name="exposure_day_once"),)
        indexes = (
            models.Index(
                fields=(
                    "day",
                    "messenger",
                    "ownership",
                    "device",
                    "seconds",
                    "uncaptured_seconds",
                ),
                name="exposure_counted",
            ),
            models.Index(fields=("device", "day"), name="exposure_of_device"),
            models.Index(fields=("reported_at",), name="exposure_age"),
        )

    def __str__(self) -> str:
        return f"{self.name or 'A messenger'} on {self.day}"
