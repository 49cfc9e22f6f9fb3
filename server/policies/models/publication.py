"""Published policies, each under its serial; none is ever changed."""

from datetime import datetime
from typing import Any

from django.db import models

from server.errors import RequestError


class Publication(models.Model):
    """A sealed bundle and the text that it was made from."""

    serial = models.BigIntegerField(primary_key=True)
    policy = models.CharField(max_length=64)
    """The policy's own id."""
    version = models.IntegerField()
    title = models.CharField(max_length=8000)
    text = models.TextField()
    """The policy as TOML, as it was written."""
    digest = models.CharField(max_length=64)
    """SHA-256 of the text."""
    sealed = models.TextField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    published_by = models.CharField(max_length=150)
    is_renewal = models.BooleanField(default=False)
    """Whether the server sealed the text of the one before again, because it was about to run out."""

    class Meta:
        ordering = ("-serial",)
        verbose_name = "published policy"
        verbose_name_plural = "published policies"

    def __str__(self) -> str:
        return f"Policy number {self.serial}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it, once."""
        if not self._state.adding:
            raise RequestError("A published policy cannot be changed.", "Publish another.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise RequestError("A published policy cannot be taken back.", "Publish another.")

    def is_expired(self, now: datetime) -> bool:
        """Tell whether devices still take it."""
        return self.expires_at <= now
