"""Enrolment secrets: only their hashes are kept."""

import hashlib
import secrets
from datetime import datetime

from django.db import models


def digest_of(secret: str) -> str:
    """Return what is kept of a secret: SHA-256, since its random part has 256 bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret(tenant: str) -> str:
    """Return a fresh secret, written `tenant.random`."""
    return f"{tenant}.{secrets.token_urlsafe(32)}"


class EnrolmentSecret(models.Model):
    """A permission to enrol a number of devices until a certain time."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    note = models.CharField(max_length=200, blank=True)
    uses_at_most = models.PositiveIntegerField(default=1)
    uses = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(editable=False)
    created_by = models.CharField(max_length=150, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "enrolment secret"

    def __str__(self) -> str:
        return self.note or f"Secret of {self.created_at:%Y-%m-%d %H:%M}"

    def state(self, now: datetime) -> str:
        """Return `open`, or why it opens nothing any more."""
        if self.revoked_at is not None:
            return "taken back"
        if self.expires_at <= now:
            return "ended"
        return "used up" if self.uses >= self.uses_at_most else "open"
