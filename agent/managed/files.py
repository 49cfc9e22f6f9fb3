"""Linux, and macOS without MDM: a file and drop-ins beside it, later ones winning; only root may be able to write them."""

import os
import tomllib
from pathlib import Path

from agent.errors import SettingsError

ADMINISTRATOR_UID = 0
MANAGED_FILE = Path("/etc/decorum/settings.toml")
"""Where an administrator or MDM places settings; nobody else can write there."""
DROP_INS = "settings.d"


class Files:
    """A `ManagedSource`.

    Args:
        file: the main file; drop-ins lie in the folder `settings.d` beside it, and are read in the order of their names.
        administrator_uid: who alone may be able to change them.
    """

    def __init__(self, file: Path = MANAGED_FILE, administrator_uid: int = ADMINISTRATOR_UID) -> None:
        self._file, self._administrator_uid = file, administrator_uid

    def read(self) -> dict[str, object] | None:
        """Return what all files say together."""
        together: dict[str, object] | None = None
        for file in self._files():
            said = read_toml(file, may_be_absent=True)
            if said is not None:
                self._refuse_if_others_may_write(file)
                together = (together or {}) | said
        return together

    def stamp(self) -> object:
        """Return each file's own stamp."""
        return tuple((str(file), stamp_of(file)) for file in self._files())

    def places(self) -> tuple[str, ...]:
        """Return the file and its drop-ins."""
        return (str(self._file), str(self._file.parent / DROP_INS / "*.toml"))

    def _files(self) -> list[Path]:
        try:
            drop_ins = sorted((self._file.parent / DROP_INS).glob("*.toml"))
        except OSError as error:
            raise SettingsError(
                f"{self._file.parent / DROP_INS} cannot be read ({error.strerror}).", "Check its owner."
            ) from error
        return [self._file, *drop_ins]

    def _refuse_if_others_may_write(self, file: Path) -> None:
        """Refuse settings that claim to be the administrator's and could be anybody's (POSIX only)."""
        for place in (file, file.parent):
            found = place.stat()
            if os.name == "posix" and (found.st_uid != self._administrator_uid or found.st_mode & 0o022):
                raise SettingsError(
                    f"{place} can be changed by others than the administrator.",
                    f"Run `chown root {place}` and `chmod go-w {place}`.",
                )


def stamp_of(file: Path) -> tuple[int, int, int] | None:
    """Return what is another once a file was changed; None while it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_toml(file: Path, *, may_be_absent: bool = False) -> dict[str, object] | None:
    """Return a settings file's table.

    Raises:
        SettingsError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        if may_be_absent and isinstance(error, FileNotFoundError | NotADirectoryError):
            return None
        raise SettingsError(
            f"{file} cannot be read ({error.strerror}).", "Check its name and owner."
        ) from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or a bomb
        raise SettingsError(f"{file} is not TOML: {error}.", "Correct the line it names.") from error
