"""The catalogue: the versioned list of known messengers and how each looks on every platform.

An entry is one TOML table. Each identifier is a row of platform, kind, value and source; a source names a maker's page,
manifest or package, never an address:

    [telegram]
    name = "Telegram"
    maker = "Telegram Messenger"
    kind = "consumer"
    seen = [
      ["linux", "executable", "telegram-desktop", "Debian telegram-desktop 4.6.5"],
    ]
"""

import tomllib
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from contract.errors import MalformedError
from contract.wire import convert

IdentifierKind = Literal[
    "executable",  # base name of the executable, any case, `.exe` left out on Windows
    "script",  # base name of the script that an interpreter runs
    "desktop_id",
    "package",  # name of the distribution's package
    "flatpak_id",
    "snap",
    "bundle_id",
    "app_bundle",
    "package_family",
    "winget_id",
    "origin",
]
MessengerKind = Literal["consumer", "business", "both"]
MessengerId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,47}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Identifier(msgspec.Struct, frozen=True, array_like=True):
    """One way in which a messenger shows itself, and who says so."""

    platform: Literal["linux", "macos", "windows", "web"]
    kind: IdentifierKind
    value: Text
    source: Text


class Messenger(msgspec.Struct, frozen=True, kw_only=True):
    """One listed messenger."""

    name: Text
    maker: Text
    kind: MessengerKind
    seen: Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1)]


class Catalogue(msgspec.Struct, frozen=True):
    """Listed messengers by id."""

    messengers: dict[MessengerId, Messenger]

    def name_of(self, messenger: str) -> str:
        """Return the messenger's name; for an unlisted one, the key behind `unlisted:`."""
        entry = self.messengers.get(messenger)
        return entry.name if entry else messenger.removeprefix("unlisted:")


def parse(texts: Mapping[str, str]) -> Catalogue:
    """Return the catalogue from its TOML files (name to text).

    Raises:
        MalformedError: a file is not TOML, an entry is not of the agreed form, or an id stands in two files; the
            error names the file.
    """
    tables: dict[str, object] = {}
    for file_name, text in texts.items():
        try:
            entries = tomllib.loads(text)
        except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
            raise MalformedError(
                f"{file_name} is not TOML: {error}.", "Correct the line it names."
            ) from error
        except RecursionError as error:
            raise MalformedError(f"{file_name} is nested too deeply.", "Write flat tables.") from error
        for messenger_id, entry in entries.items():
            if messenger_id in tables:
                raise MalformedError(f"{messenger_id} stands twice; again in {file_name}.", "Keep one entry.")
            tables[messenger_id] = entry
    return Catalogue(convert(dict[MessengerId, Messenger], tables))
