"""The settings in force: default < file < server < managed, each value with its origin.

The server's layer is heard only for the keys that it may change; the table is `contract.settings_keys`.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from agent.errors import SettingsError
from agent.managed import managed_source
from agent.managed.files import read_toml
from agent.managed.interface import ManagedSource
from contract.ceiling import Ceiling
from contract.errors import MalformedError
from contract.policy import Ownership, Rung
from contract.settings_keys import Origin, Value, resolve


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, typed; `values` says where each came from."""

    server_url: str | None
    root_fingerprint: str | None
    ownership: Ownership
    notice: str
    ceiling: Ceiling
    highest_rung: Rung
    key_store: str
    web_extension: str | None
    retention_folder: str | None
    export_folders: dict[str, str]
    check_in_seconds: int
    poll_milliseconds: int
    values: dict[str, Value]


def load(
    file: Path | None,
    managed: ManagedSource | None = None,
    server: Mapping[str, object] = MappingProxyType({}),
) -> Settings:
    """Return the settings in force.

    Args:
        file: settings of the user's own; None for none.
        managed: the administrator's; they win, and need not exist. None for this system's own place.
        server: what the server asked for last, see `agent.reporting.wishes`.

    Raises:
        SettingsError: a file cannot be read, is not TOML, or says something that is not a setting. Nothing is guessed.
    """
    source = managed or managed_source()
    layers: dict[Origin, dict[str, object]] = {}
    if file is not None:
        layers["file"] = read_toml(file) or {}
    layers["server"] = dict(server)
    said = source.read()
    if said is not None:
        layers["managed"] = said
    try:
        values = resolve(layers)
    except MalformedError as error:
        places = {"file": (str(file),), "managed": source.places()}
        named = [place for origin in layers if origin in places for place in places[origin]]
        raise SettingsError(f"{error.detail} (in {' or '.join(named)})", error.remedy) from error
    plain = {name: value.value for name, value in values.items()}
    return Settings(**plain, values=values)  # type: ignore[arg-type]  # resolve() has checked every type
