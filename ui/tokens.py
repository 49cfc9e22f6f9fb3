"""The look's colours and sizes, read from `resources/tokens.toml`."""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from contract.wire import convert

RESOURCES = Path(__file__).parent / "resources"
Theme = Literal["light", "dark"]


class Colours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The colours of one theme, as #rrggbb."""

    ink: str
    muted: str
    surface: str
    raised: str
    line: str
    accent: str
    on_accent: str
    compliant: str
    attention: str
    violation: str
    unknown: str
    exempt: str


class TrayColours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Colours that are seen on light and on dark panels."""

    compliant: str
    attention: str
    violation: str
    unknown: str
    exempt: str
    glyph: str
    badge: str
    mark: str


class Sizes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Font sizes as ratios to the system's."""

    title: float
    body: float
    small: float


class Tokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    light: Colours
    dark: Colours
    tray: TrayColours
    size: Sizes


def load_tokens(folder: Path = RESOURCES) -> Tokens:
    """Return the tokens."""
    return convert(Tokens, tomllib.loads((folder / "tokens.toml").read_text(encoding="utf-8")))
