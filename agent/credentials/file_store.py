"""The explicit file store: a file that only its owner can read. For system services, which have no keyring."""

from pathlib import Path

from agent.errors import CredentialError
from agent.private_file import who_else_may_read, write_private
from contract.envelope import SigningKey
from contract.errors import MalformedError


class FileStore:
    """Keeps the key in one file, mode 0600; on Windows with an access list of its own."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def load(self) -> SigningKey | None:
        """Return the key; refuse a file that others can read.

        Raises:
            CredentialError: unreadable, open to others, or no key.
        """
        try:
            others = who_else_may_read(self._file)
            text = self._file.read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialError(f"{self._file} cannot be read ({error}).", "Check its owner.") from error
        if others is not None:
            who, command = others
            raise CredentialError(
                f"{who} may read {self._file}.", f"Run `{command}`, or enrol anew if it was read."
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
        try:
            write_private(self._file, key.to_text())
        except OSError as error:
            raise CredentialError(
                f"{self._file} cannot be written ({error}).", "Check its folder."
            ) from error

    def forget(self) -> None:
        """Remove the file.

        Raises:
            CredentialError: the folder cannot be written.
        """
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise CredentialError(
                f"{self._file} cannot be removed ({error}).", "Check its folder."
            ) from error

    def describe(self) -> str:
        """Return where the key is."""
        return f"The device's key is in {self._file}, readable by its owner only."
