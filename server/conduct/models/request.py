"""Requests as they wait for somebody: made from observations, never more than they say."""

from django.db import models


class EmployeeRequest(models.Model):
    """A question or a wish for an exemption that was asked on a device; who asked it stands in their words, if anywhere."""

    device = models.ForeignKey("fleet.Device", on_delete=models.CASCADE, related_name="requests")
    identity = models.CharField(max_length=32)
    about = models.CharField(max_length=16)
    """`question` or `exemption`."""
    messenger = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True)
    until = models.DateField(null=True)
    text = models.TextField()
    asked_at = models.DateTimeField()
    """As the device says."""
    reported_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ("-reported_at", "-id")
        constraints = (models.UniqueConstraint(fields=("device", "identity"), name="asked_once"),)
        indexes = (
            models.Index(
                fields=("reported_at",), condition=models.Q(answered_at=None), name="requests_waiting"
            ),
            models.Index(fields=("reported_at",), name="requests_age"),
        )

    def __str__(self) -> str:
        if self.about == "exemption":
            return f"Exemption for {self.name or 'a messenger'}"
        return "Question"
