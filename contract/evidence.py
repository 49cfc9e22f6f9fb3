"""Evidence: one fact that points to a messenger, with a weight and a sentence a person can check."""

import msgspec


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
