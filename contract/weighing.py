"""Weighing: what an application's own facts say for and against its being a messenger, and whether that is enough.

Pure. What speaks for it adds up, each piece halving, or better, the doubt that is left; of facts that say the same in other words, as
several URL schemes, the strongest counts. What speaks against is taken off, the strongest alone.

>>> from contract.facts import ProcessFacts
>>> told = weigh(ProcessFacts(platform="linux", desktop_id="foo", categories=("Network", "Telephony"), url_schemes=("sip",)))
>>> told.confidence, told.is_enough
(0.46, False)
>>> told.speaking[-1].sentence
'foo opens sip links: some telephone programs carry messages as well (source: IANA, Uniform Resource Identifier (URI) Schemes).'
"""

import re
from collections.abc import Iterable

import msgspec

from contract import programs
from contract.evidence import Evidence, together
from contract.facts import ProcessFacts
from contract.weights import (
    APP_CATEGORIES,
    CATEGORIES,
    DESCRIPTIONS,
    SECTIONS,
    THRESHOLD,
    URL_SCHEMES,
    Weight,
)

_FORMS = {
    "category": "{owner} gives its category as {value}",
    "app_category": "{owner} gives its category as {value}",
    "url_scheme": "{owner} opens {value} links",
    "section": "The package of {owner} is in the section {value}",
    "description": "{owner} is described as “{value}”",
}
_PHRASE = re.compile(rf"\b({'|'.join(map(re.escape, DESCRIPTIONS))})\b")
_ADDS_UP = "category"
"""The kind of which every piece counts: categories are chosen one by one, from a list that is short."""


class Sign(msgspec.Struct, frozen=True, gc=False):
    """One fact that weighs something."""

    kind: str
    value: str
    """As it was written."""
    weight: Weight


class Weighing(msgspec.Struct, frozen=True):
    """What speaks for and against, and what follows."""

    speaking: tuple[Evidence, ...]
    against: tuple[Evidence, ...]
    confidence: float
    """0 to 1."""
    threshold: float

    @property
    def is_enough(self) -> bool:
        """Whether it makes a messenger."""
        return self.confidence >= self.threshold


def weigh(facts: ProcessFacts) -> Weighing:
    """Return all that the facts say, each with its sentence."""
    signs = signs_of(facts)
    owner = facts.desktop_id or facts.bundle_id or programs.base_name(facts.exe or "") or "The application"
    return Weighing(
        speaking=tuple(_evidence(sign, owner) for sign in signs if sign.weight.weight > 0),
        against=tuple(_evidence(sign, owner) for sign in signs if sign.weight.weight < 0),
        confidence=confidence_of(signs),
        threshold=THRESHOLD,
    )


def confidence_of(signs: Iterable[Sign]) -> float:
    """Return how sure the signs make of a messenger; 0 to 1."""
    adding: list[float] = []
    strongest: dict[str, float] = {}
    against = 0.0
    for sign in signs:
        weight = sign.weight.weight
        if weight < 0:
            against = max(against, -weight)
        elif sign.kind == _ADDS_UP:
            adding.append(weight)
        else:
            strongest[sign.kind] = max(strongest.get(sign.kind, 0.0), weight)
    if not adding and not strongest:
        return 0.0
    return round(max(0.0, together([*adding, *strongest.values()]) - against), 3)


def signs_of(facts: ProcessFacts) -> list[Sign]:
    """Return each fact that weighs something, once."""
    signs: list[Sign] = []
    if facts.categories:
        signs += _found("category", CATEGORIES, facts.categories)
    if facts.url_schemes:
        signs += _found("url_scheme", URL_SCHEMES, facts.url_schemes)
    if facts.app_category:
        signs += _found("app_category", APP_CATEGORIES, (facts.app_category,))
    if facts.section:
        signs += _found("section", SECTIONS, (facts.section.rpartition("/")[2],))
    for description in facts.descriptions or ():
        phrase = _PHRASE.search(description.lower())
        if phrase:
            signs.append(Sign("description", description, DESCRIPTIONS[phrase[1]]))
            break
    return signs


def _found(kind: str, table: dict[str, Weight], values: tuple[str, ...]) -> list[Sign]:
    return [Sign(kind, written, table[lower]) for lower, written in _split(values).items() if lower in table]


def _split(values: tuple[str, ...]) -> dict[str, str]:
    """Return values as they were written, by their lower case; each once."""
    words = (word.strip() for entry in values for word in entry.split(";"))
    return {word.lower(): word for word in words if word}


def _evidence(sign: Sign, owner: str) -> Evidence:
    form = _FORMS[sign.kind].format(owner=owner, value=sign.value)
    return Evidence(sign.kind, sign.value, f"{form}: {sign.weight.because} (source: {sign.weight.source}).")
