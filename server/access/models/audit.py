"""The audit log: what was done, by whom, to what. Rows are added, never changed; the database itself refuses anything else."""

from typing import Any

from django.db import models

from server.errors import RequestError


class AuditEntry(models.Model):
    """One thing that was done or refused."""

    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=150)
    """A person's name, `device …`, `server`, or `command line`."""
    action = models.CharField(max_length=64)
    """A code such as `policy.published`."""
    subject = models.CharField(max_length=200, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    address = models.CharField(max_length=64, blank=True)
    """Where the request came from."""

    class Meta:
        ordering = ("-id",)
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = (models.Index(fields=("action", "subject", "at"), name="audit_same"),)

    def __str__(self) -> str:
        return f"{self.action} {self.subject}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it, once."""
        if not self._state.adding:
            raise RequestError("The audit log cannot be changed.", "Add another entry.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise RequestError("The audit log cannot be changed.", "Add another entry.")
