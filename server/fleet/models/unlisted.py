"""Messengers that no list knows, as devices reported them: what an officer needs to decide whether they are any."""

from django.db import models


class UnlistedMessenger(models.Model):
    """One way in which an unlisted messenger showed itself, with what its program says of itself; nothing says on which device.

    It goes once no sighting of it is left: see `server.fleet.retention`.
    """

    messenger = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    platform = models.CharField(max_length=16)
    kind = models.CharField(max_length=32)
    """Kind of the identifier that it can be listed by, as the catalogue has it."""
    value = models.CharField(max_length=200)
    evidence = models.JSONField(default=list)
    """Sentences."""
    first_reported_at = models.DateTimeField()
    last_reported_on = models.DateField()

    class Meta:
        ordering = ("messenger", "platform", "kind")
        constraints = (
            models.UniqueConstraint(fields=("messenger", "platform", "kind"), name="unlisted_way_once"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.messenger})"
