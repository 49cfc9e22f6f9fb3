"""Evidence: one fact that points to a messenger, with a weight and a sentence a person can check.

The weights say how hard it is for a program to look so by accident or by choice: what a package system vouches for weighs most, a
name that any program may carry weighs least.

>>> round(together([WEIGHTS["executable"], WEIGHTS["desktop_id"]]), 3)
0.99
"""

from collections.abc import Iterable
from math import prod
from typing import Literal

import msgspec

from contract.facts import Platform

WEIGHTS: dict[str, float] = {
    "bundle_id": 0.99,
    "package_family": 0.98,
    "flatpak_id": 0.97,
    "winget_id": 0.96,
    "snap": 0.95,
    "origin": 0.94,
    "desktop_id": 0.93,
    "app_id": 0.925,
    "deb": 0.92,
    "rpm": 0.91,
    "start_url": 0.90,
    "executable": 0.85,
    "script": 0.84,
    "app_bundle": 0.83,
    "uninstall_name": 0.82,
    "helper": 0.70,
    "command": 0.65,
    "name": 0.60,
}
"""How much each kind of evidence weighs for a listed messenger; strongest first, no two alike."""

MOST = 0.99
"""No evidence makes certain."""


class Evidence(msgspec.Struct, frozen=True):
    """One fact, the value that was seen, and a sentence for people."""

    kind: str
    value: str
    sentence: str


class KnownBy(msgspec.Struct, frozen=True):
    """What an unlisted messenger can be listed by, as a row of the catalogue has it."""

    platform: Platform
    kind: Literal["desktop_id", "bundle_id", "executable", "script"]
    value: str


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What the facts point to."""

    messenger: str
    """A listed messenger's id, or `unlisted:<key>` for one recognised by evidence alone."""
    name: str
    listed: bool
    confidence: float
    """0 to 1."""
    evidence: tuple[Evidence, ...]
    client: str | None = None
    """The id of the unofficial client that runs, where it is one."""
    known_by: KnownBy | None = None
    """Of an unlisted messenger; None for a listed one."""


def together(weights: Iterable[float]) -> float:
    """Return the confidence of independent evidence taken together: each piece halves, or better, the doubt that is left."""
    return min(MOST, 1 - prod(1 - weight for weight in weights))
