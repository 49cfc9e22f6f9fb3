"""What devices said, as they said it: the sealed check-ins, and the bodies beside them.

On PostgreSQL the observations are partitioned by month (see `server.fleet.partitions` and decision 0013): there the two constraints
hold within a partition, and the device's own row says which numbers were taken.
"""

from django.db import models


class CheckInRecord(models.Model):
    """A sealed check-in, kept so that an auditor can verify it without the server's word.

    Every one that reported something is kept; of mere heartbeats, a device's newest.
    """

    device = models.ForeignKey("fleet.Device", on_delete=models.CASCADE, related_name="check_ins")
    received_at = models.DateTimeField()
    sealed = models.TextField()
    reported = models.PositiveSmallIntegerField()
    """How many observations it lists."""

    class Meta:
        ordering = ("-id",)
        verbose_name = "check-in"
        constraints = (
            models.UniqueConstraint(
                fields=("device",), condition=models.Q(reported=0), name="one_heartbeat_of_each"
            ),
        )
        indexes = (models.Index(fields=("received_at",), name="check_in_age"),)

    def __str__(self) -> str:
        return f"Check-in of {self.device_id} at {self.received_at:%Y-%m-%d %H:%M:%S}"


class ReceivedObservation(models.Model):
    """One observation, byte for byte as it was digested; the body can be erased and the seal still holds."""

    device = models.ForeignKey("fleet.Device", on_delete=models.CASCADE, related_name="observations")
    sequence = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    salt = models.CharField(max_length=32)
    body = models.BinaryField(null=True)
    check_in = models.ForeignKey(CheckInRecord, on_delete=models.PROTECT, related_name="observations")
    received_at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    """Its type; `unknown` for one of a newer agent, `unreadable` for one that breaks its own form."""
    subject = models.CharField(max_length=32, blank=True)
    """The sighting, installation or reminder that it is about."""
    is_fork = models.BooleanField(default=False)
    """Whether its number had been taken before, with another digest."""

    class Meta:
        ordering = ("-id",)
        verbose_name = "observation"
        constraints = (
            models.UniqueConstraint(fields=("device", "sequence", "digest"), name="observation_once"),
            models.UniqueConstraint(
                fields=("device", "sequence"), condition=models.Q(is_fork=False), name="number_taken_once"
            ),
        )
        indexes = (
            models.Index(fields=("device", "subject"), name="observation_subject"),
            models.Index(fields=("device", "id"), name="observation_story"),
            models.Index(
                fields=("received_at",), condition=models.Q(body__isnull=False), name="observation_age"
            ),
        )

    def __str__(self) -> str:
        return f"Observation {self.sequence} of {self.device_id}"
