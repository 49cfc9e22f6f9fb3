"""What every place of managed settings can do."""

from typing import Protocol


class ManagedSource(Protocol):
    """Settings that only an administrator can change."""

    def read(self) -> dict[str, object] | None:
        """Return what is set, as plain tables and values; None if nothing is.

        Raises:
            SettingsError: it is there and cannot be read, or others than an administrator could have written it.
        """

    def stamp(self) -> object:
        """Return what is another once anything was changed; cheap, since it is asked all day."""

    def places(self) -> tuple[str, ...]:
        """Return where it looks, in words that a person can follow."""
