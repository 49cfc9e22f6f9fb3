"""Words and shapes: the same state is always the same word, shape and colour, in lists, tiles and timelines."""

from functools import cache
from importlib import resources

import msgspec


class Look(msgspec.Struct, frozen=True):
    """A state as people see it: word, shape, and the colour's name."""

    word: str
    icon: str
    tone: str


VERDICTS = {
    "compliant": Look("in line", "circle-check", "compliant"),
    "attention": Look("needs attention", "triangle-alert", "attention"),
    "violation": Look("not in line", "octagon-x", "violation"),
    "exempt": Look("exempt", "shield-check", "exempt"),
    "pending": Look("pending", "circle-dashed", "unknown"),
    "unknowable": Look("cannot be told", "circle-dashed", "unknown"),
}
STANDINGS = {
    "in_line": Look("In line", "circle-check", "compliant"),
    "attention": Look("Needs attention", "triangle-alert", "attention"),
    "not_in_line": Look("Not in line", "octagon-x", "violation"),
    "silent": Look("Silent", "circle-dashed", "unknown"),
    "unknown": Look("Not known yet", "circle-dashed", "unknown"),
    "revoked": Look("Revoked", "circle-dashed", "unknown"),
}
CONNECTORS = {
    "heard": Look("heard", "circle-check", "compliant"),
    "silent": Look("silent", "triangle-alert", "attention"),
    "never": Look("never heard", "circle-dashed", "unknown"),
    "revoked": Look("revoked", "circle-dashed", "unknown"),
}
PROFILES = {"work": "work", "personal": "personal", "unknown": "unknown side"}
OWNERSHIPS = {"company": "Company", "personal": "Personal (BYOD)"}
PLATFORMS = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
_UNHEARD_OF = Look("unknown", "circle-dashed", "unknown")


def verdict_look(verdict: str) -> Look:
    """Return how a verdict looks; one of a newer agent's looks unknown."""
    return VERDICTS.get(verdict, _UNHEARD_OF)


@cache
def icon_svg(name: str) -> str:
    """Return one of our icons as SVG, to stand in a page."""
    file = resources.files("server.console") / "static" / "console" / "icons" / f"{name}.svg"
    text = file.read_text(encoding="utf-8")
    return text[text.index("<svg") :].replace("<svg", '<svg aria-hidden="true"', 1)
