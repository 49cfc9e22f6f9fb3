"""The state folder: only the server's user can read it, and nothing in it that matters is ever written over."""

import contextlib
import os
import secrets
from pathlib import Path

from server.errors import StateError

DATABASE = "server.sqlite3"
SECRET_KEY = "secret_key"  # noqa: S105 - a file's name
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


def prepare(folder: Path) -> None:
    """Make the folder, readable by nobody else.

    Raises:
        StateError: it cannot be made, or is no folder.
    """
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        folder.chmod(_PRIVATE_FOLDER)
    except OSError as error:
        raise StateError(
            f"{folder} cannot be made private: {error.strerror}.", "Choose a folder that you own."
        ) from error


def read(file: Path) -> str | None:
    """Return a file's text; None where there is none.

    Raises:
        StateError: it is there and cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{file} cannot be read: {error}.", "Restore it from its backup.") from error


def create(file: Path, text: str) -> None:
    """Write a file that does not exist yet, whole or not at all.

    Raises:
        StateError: it exists, or cannot be written.
    """
    spare = _write_beside(file, text)
    try:
        file.hardlink_to(spare)  # unlike a rename, this fails where the file exists
    except OSError as error:
        raise StateError(f"{file} cannot be made: {error.strerror}.", "It was left as it is.") from error
    finally:
        spare.unlink()


def replace(file: Path, text: str) -> None:
    """Write a file that can be made again from others, whole or not at all.

    Raises:
        StateError: it cannot be written.
    """
    spare = _write_beside(file, text)
    spare.replace(file)


def secret_key(folder: Path | None) -> str:
    """Return the key for sessions and forms; before `migrate` one that nobody will see again."""
    kept = read(folder / SECRET_KEY) if folder is not None else None
    return kept or secrets.token_urlsafe(50)


def _write_beside(file: Path, text: str) -> Path:
    spare = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            spare.unlink()
        raise StateError(f"{file} cannot be written: {error.strerror}.", "Check space and rights.") from error
    return spare
