"""The explicit file store: a file that only its owner can read. For system services, which have no keyring."""

import os
import stat
from pathlib import Path

from agent.errors import CredentialError
from contract.envelope import SigningKey
from contract.errors import MalformedError


class FileStore:
    """Keeps the key in one file, mode 0600."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self) -> SigningKey | None:
        """Return the key; refuse a file that others can read.

        Raises:
            CredentialError: unreadable, open to others, or no key.
        """
        try:
            mode = self._file.stat().st_mode
            text = self._file.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialError(f"{self._file} cannot be read ({error}).", "Check its owner.") from error
        if stat.S_IMODE(mode) & 0o077:
            raise CredentialError(
                f"Others may read {self._file}.",
                f"Run `chmod 600 {self._file}`, or enrol anew if it was read.",
            )
        try:
            return SigningKey.from_text(text)
        except MalformedError as error:
            raise CredentialError(
                f"{self._file} holds no key.", "Restore it, or move it away and enrol anew."
            ) from error

    def keep(self, key: SigningKey) -> None:
        """Write the key beside the old file and swap them.

        Raises:
            CredentialError: the folder cannot be written.
        """
        fresh = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(key.to_text())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._file)
            _sync_folder(self._file.parent)
        except OSError as error:
            raise CredentialError(
                f"{self._file} cannot be written ({error}).", "Check its folder."
            ) from error

    def describe(self) -> str:
        """Return where the key is."""
        return f"The device's key is in {self._file}, readable by its owner only."


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut; Windows has no such thing."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
