"""The settings in force: default < file < server < managed, each value with its origin.

The server's layer is heard only for the keys that it may change; the table is `contract.settings_keys`.
"""

import os
import tomllib
from pathlib import Path

import msgspec

from agent.errors import SettingsError
from contract.ceiling import Ceiling
from contract.errors import MalformedError
from contract.policy import Ownership, Rung
from contract.settings_keys import Origin, Value, resolve

ADMINISTRATOR_UID = 0
MANAGED_FILE = Path("/etc/decorum/settings.toml")
"""Where an administrator or MDM places settings; nobody else can write there."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, typed; `values` says where each came from."""

    server_url: str | None
    root_fingerprint: str | None
    ownership: Ownership
    notice: str
    ceiling: Ceiling
    highest_rung: Rung
    key_store: str
    check_in_seconds: int
    poll_milliseconds: int
    values: dict[str, Value]


def load(
    file: Path | None, managed_file: Path = MANAGED_FILE, administrator_uid: int = ADMINISTRATOR_UID
) -> Settings:
    """Return the settings in force.

    Args:
        file: settings of the user's own; None for none.
        managed_file: the administrator's; it wins, and need not exist.
        administrator_uid: who alone may be able to change it.

    Raises:
        SettingsError: a file cannot be read, is not TOML, or says something that is not a setting. Nothing is guessed.
    """
    layers: dict[Origin, dict[str, object]] = {}
    if file is not None:
        layers["file"] = _read(file) or {}
    managed = _read(managed_file, may_be_absent=True)
    if managed is not None:
        _refuse_if_others_may_write(managed_file, administrator_uid)
        layers["managed"] = managed
    try:
        values = resolve(layers)
    except MalformedError as error:
        named = [str(one) for one, origin in ((file, "file"), (managed_file, "managed")) if origin in layers]
        raise SettingsError(f"{error.detail} (in {' or '.join(named)})", error.remedy) from error
    plain = {name: value.value for name, value in values.items()}
    return Settings(**plain, values=values)  # type: ignore[arg-type]  # resolve() has checked every type


def _refuse_if_others_may_write(file: Path, administrator_uid: int) -> None:
    """Refuse settings that claim to be the administrator's and could be anybody's (POSIX only)."""
    for place in (file, file.parent):
        found = place.stat()
        if os.name == "posix" and (found.st_uid != administrator_uid or found.st_mode & 0o022):
            raise SettingsError(
                f"{place} can be changed by others than the administrator.",
                f"Run `chown root {place}` and `chmod go-w {place}`.",
            )


def _read(file: Path, *, may_be_absent: bool = False) -> dict[str, object] | None:
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
