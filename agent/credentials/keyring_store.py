"""The user's keyring: Secret Service, KWallet, Windows Credential Manager or the macOS login keychain, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from agent.errors import CredentialError
from contract.envelope import SigningKey
from contract.errors import MalformedError

SERVICE = "decorum"
WINDOWS = "keyring.backends.Windows"
ALLOWED = (
    "keyring.backends.SecretService",
    "keyring.backends.kwallet",
    WINDOWS,
    "keyring.backends.macOS",
)
"""Modules whose backends keep a secret from other users; files, chains and null backends are refused."""


class KeyringStore:
    """Keeps the key in the user's keyring.

    Args:
        account: tells several state folders of one user apart.
        backend: another backend for tests; the system's by default.

    Raises:
        CredentialError: there is no keyring, or only one that is not allowed.
    """

    def __init__(self, account: str, backend: KeyringBackend | None = None) -> None:
        self._account = account
        self._backend = backend or keyring.get_keyring()
        module = type(self._backend).__module__
        if not module.startswith(ALLOWED):
            raise CredentialError(
                f"This session has no keyring that can be trusted (found {module}).",
                'Unlock the login keyring, or set `key_store = "file"` to choose a file on purpose.',
            )
        if module == WINDOWS:
            # By default the key would follow its user to every machine of the domain: two devices with one identity.
            self._backend.persist = "local machine"  # type: ignore[attr-defined]  # this backend has it

    def load(self) -> SigningKey | None:
        """Return the key.

        Raises:
            CredentialError: the keyring is locked or gone, or holds something else.
        """
        with _answering("The keyring does not answer", "Unlock the login keyring."):
            try:
                text = self._backend.get_password(SERVICE, self._account)
                return None if text is None else SigningKey.from_text(text)
            except (MalformedError, UnicodeDecodeError) as error:
                raise CredentialError(
                    "The keyring's entry `decorum` holds no key.", "Remove the entry and enrol anew."
                ) from error

    def keep(self, key: SigningKey) -> None:
        """Keep the key and read it back, since some keyrings drop secrets in silence.

        Raises:
            CredentialError: it cannot be read back.
        """
        with _answering("The keyring did not take it", "Unlock the login keyring."):
            self._backend.set_password(SERVICE, self._account, key.to_text())
        kept = self.load()
        if kept is None or kept.public != key.public:
            raise CredentialError("The keyring did not keep it.", 'Set `key_store = "file"`.')

    def forget(self) -> None:
        """Remove the keyring's entry.

        Raises:
            CredentialError: it is there still.
        """
        with _answering("The keyring keeps the entry", "Unlock the login keyring, or remove it there."):
            if self._backend.get_password(SERVICE, self._account) is not None:
                self._backend.delete_password(SERVICE, self._account)

    def describe(self) -> str:
        """Return where the key is."""
        return f"The device's key is in the keyring ({type(self._backend).__module__})."


@contextmanager
def _answering(what: str, remedy: str) -> Iterator[None]:
    """Translate the errors of a backend."""
    try:
        yield
    except CredentialError:
        raise
    except KeyringError as error:
        raise CredentialError(f"{what} ({error}).", remedy) from error
    except Exception as error:
        raise _not_answering(error) from error


def _not_answering(error: Exception) -> CredentialError:
    """Speak for a backend that lets through the errors of its own library: secretstorage and D-Bus when the bus is gone."""
    return CredentialError(f"The keyring does not answer ({error}).", "Log in again, so that it is started.")
