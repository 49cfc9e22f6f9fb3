"""The draft: the policy that is being composed."""

from django.db import models


class Draft(models.Model):
    """A policy as TOML that nobody has published yet; it may be wrong."""

    text = models.TextField()
    revision = models.PositiveIntegerField(default=1)
    """Counts each saving, so that two people do not write over one another unknowingly."""
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"Draft of {self.saved_at:%Y-%m-%d %H:%M}"
