"""What a credential store does, and which one a setting chooses."""

from pathlib import Path
from typing import Protocol

from contract.envelope import SigningKey


class CredentialStore(Protocol):
    """Keeps the device's key; it never leaves the device."""

    def load(self) -> SigningKey | None:
        """Return the key, or None if none was kept yet.

        Raises:
            CredentialError: the store is missing, locked or damaged.
        """

    def keep(self, key: SigningKey) -> None:
        """Keep the key, replacing an older one.

        Raises:
            CredentialError: it could not be kept and read back.
        """

    def forget(self) -> None:
        """Erase the key; one that is not there is erased already.

        Raises:
            CredentialError: it could not be erased.
        """

    def describe(self) -> str:
        """Return one sentence: where the key is."""


def choose(name: str, state_folder: Path) -> CredentialStore:
    """Return the store that the setting `key_store` names."""
    if name == "file":
        from agent.credentials.file_store import FileStore  # noqa: PLC0415 - only what is used is loaded

        return FileStore(state_folder / "device-key.jwk")
    from agent.credentials.keyring_store import KeyringStore  # noqa: PLC0415 - keyring costs 150 ms and 15 MB

    return KeyringStore(str(state_folder))
