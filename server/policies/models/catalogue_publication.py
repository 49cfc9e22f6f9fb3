"""Published catalogues, each under its version; none is ever changed."""

from typing import Any

from django.db import models

from server.errors import RequestError


class CataloguePublication(models.Model):
    """A sealed catalogue and the overlay that went into it."""

    version = models.BigIntegerField(primary_key=True)
    release = models.CharField(max_length=64)
    """The release of Decorum that its list came with."""
    overlay = models.TextField()
    """The overlay as TOML, as it was written; empty without one."""
    digest = models.CharField(max_length=64)
    """SHA-256 of the canonical JSON of list and overlay."""
    sealed = models.TextField()
    issued_at = models.DateTimeField()
    published_by = models.CharField(max_length=150)

    class Meta:
        ordering = ("-version",)

    def __str__(self) -> str:
        return f"Catalogue version {self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it, once."""
        if not self._state.adding:
            raise RequestError("A published catalogue cannot be changed.", "Publish another.")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse."""
        raise RequestError("A published catalogue cannot be taken back.", "Publish another.")
