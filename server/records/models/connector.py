"""Capture connectors that report to this server: what each said last, and what changed when."""

from datetime import datetime, timedelta

from django.db import models

KINDS = {
    "orchestration_platform": "Orchestration platform",
    "archive_api": "Archive by the messenger's own interface",
    "native_export": "Native export",
}
"""The ways of capture, as the catalogue calls them."""
USUAL_LIMIT = timedelta(hours=24)
"""How long one may be silent that no rule names."""


class Connector(models.Model):
    """A connector with its permission to report; of its token only the hash is kept."""

    name = models.CharField(max_length=200, unique=True)
    """The one that policies use."""
    kind = models.CharField(max_length=32)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    token_since = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_heard_at = models.DateTimeField(null=True)
    last_written_at = models.DateTimeField(null=True)
    """When it last wrote something durable, by its own word."""
    covers = models.JSONField(default=list)
    """Messengers that it says it retains."""

    class Meta:
        ordering = ("name",)
        verbose_name = "capture connector"

    def __str__(self) -> str:
        return self.name

    def state(self, now: datetime, limit: timedelta) -> str:
        """Return `heard`, `silent`, `never` or `revoked`.

        Args:
            now: the time.
            limit: how long it may be silent.
        """
        if self.revoked_at is not None:
            return "revoked"
        if self.last_heard_at is None:
            return "never"
        return "heard" if now - self.last_heard_at <= limit else "silent"

    def token_state(self, now: datetime) -> str:
        """Return `open`, or why its token opens nothing any more."""
        if self.revoked_at is not None:
            return "taken back"
        return "open" if now < self.expires_at else "ended"


class ConnectorTurn(models.Model):
    """A change of a connector's state: heartbeats themselves are not kept."""

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="turns")
    at = models.DateTimeField()
    what = models.CharField(max_length=16)
    """`made`, `heard`, `covers`, `silent`, `token` or `revoked`."""
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = (models.Index(fields=("connector", "-at", "-id"), name="connector_story"),)

    def __str__(self) -> str:
        return f"{self.what} at {self.at:%Y-%m-%d %H:%M}"
