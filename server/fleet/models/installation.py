"""Whose database this is, so that no server with other keys ever writes to it."""

from django.db import models


class Installation(models.Model):
    """The one row that says which keys belong to these records, and whether they were ever restored from a backup."""

    root_fingerprint = models.CharField(max_length=64)
    """Of the root key, by which devices know the server."""
    secret_key_digest = models.CharField(max_length=64)
    """SHA-256 of the key for sessions and forms, which is random and long."""
    serial_floor = models.BigIntegerField(default=0)
    """No smaller serial may be given: smaller ones may have been published after the backup was made."""
    restored_at = models.DateTimeField(null=True)
    """When the records were last restored from a backup."""

    def __str__(self) -> str:
        return f"Server {self.root_fingerprint[:8]}"
