"""Evidence: one fact that points to a messenger, with a weight and a sentence a person can check.

The weights say how hard it is for a program to look so by accident or by choice: what a package system vouches for weighs most, a
name that any program may carry weighs least.

>>> round(together([WEIGHTS["executable"], WEIGHTS["desktop_id"]]), 3)
0.99
"""

from collections.abc import Iterable, Mapping
from math import prod

import msgspec

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

CATEGORY_WEIGHTS: dict[str, float] = {
    "instantmessaging": 0.8,
    "ircclient": 0.8,
    "chat": 0.6,
    "videoconference": 0.5,
}
"""How much a category of the Desktop Menu Specification 1.1 (appendix A) speaks for a messenger, in lower case. Programs for
video conferences carry messages as well, so this category alone is just enough."""

COUNTER_WEIGHTS: dict[str, float] = {
    "webbrowser": 0.9,
    "terminalemulator": 0.9,
    "ide": 0.8,
    "email": 0.7,
    "development": 0.7,
    "emulator": 0.7,
    "game": 0.7,
    "packagemanager": 0.7,
    "texteditor": 0.7,
    "artificialintelligence": 0.6,
    "monitor": 0.6,
    "player": 0.6,
    "recorder": 0.6,
    "settings": 0.6,
    "remoteaccess": 0.5,
    "office": 0.3,
    "feed": 0.3,
    "filetransfer": 0.3,
    "news": 0.3,
    "p2p": 0.3,
}
"""How much a category speaks against: such a program carries messages beside its purpose, if at all. AudioVideo is not among
them, since the specification wants it beside VideoConference."""

UNLISTED_THRESHOLD = 0.5
"""From here on, categories alone make a messenger."""
MOST = 0.99
"""No evidence makes certain."""


class Evidence(msgspec.Struct, frozen=True):
    """One fact, the value that was seen, and a sentence for people."""

    kind: str
    value: str
    sentence: str


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


def together(weights: Iterable[float]) -> float:
    """Return the confidence of independent evidence taken together: each piece halves, or better, the doubt that is left."""
    return min(MOST, 1 - prod(1 - weight for weight in weights))


def category_score(categories: Mapping[str, str]) -> float:
    """Return how much categories (in lower case, and as they were written) speak for a messenger; 0 to 1.

    What speaks against is taken off; of several such categories the strongest counts.
    """
    speaking = [CATEGORY_WEIGHTS[category] for category in categories if category in CATEGORY_WEIGHTS]
    against = max((COUNTER_WEIGHTS.get(category, 0.0) for category in categories), default=0.0)
    return max(0.0, together(speaking) - against)
