"""One-time login links, and sign-ins that failed."""

from django.conf import settings
from django.db import models


class LoginLink(models.Model):
    """A link that signs one person in, once; only the hash of its token is kept."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Login link for {self.user_id}"


class FailedSignIn(models.Model):
    """A sign-in that failed, kept for as long as it counts."""

    at = models.DateTimeField(db_index=True)
    account = models.CharField(max_length=64, db_index=True)
    """SHA-256 of the name that was tried: people type passwords there."""
    address = models.CharField(max_length=64, db_index=True)

    def __str__(self) -> str:
        return f"Failed sign-in at {self.at:%Y-%m-%d %H:%M}"
