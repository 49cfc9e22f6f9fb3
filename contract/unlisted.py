"""Messengers that no list knows: recognised by what they say of themselves, and named so that a policy can speak of them."""

import re

from contract import programs
from contract.evidence import KnownBy, Match
from contract.facts import ProcessFacts
from contract.weighing import confidence_of, signs_of, weigh
from contract.weights import THRESHOLD

PREFIX = "unlisted:"
_HELPER = re.compile(r"\.helper\b", re.IGNORECASE)
"""From here on a bundle id of macOS names a helper within the application, as in `com.example.chat.helper.Renderer`."""


def unlisted(facts: ProcessFacts, base: str, cmdline: tuple[str, ...]) -> Match | None:
    """Return an unlisted messenger, None where too little speaks for one or nothing gives it a key.

    Args:
        facts: all that is known.
        base: lower-case base name of what runs.
        cmdline: its command line, empty where it is not known.
    """
    # Section and description are never enough, so that nothing else needs to be weighed for the many.
    if not (facts.categories or facts.url_schemes or facts.app_category):
        return None
    if confidence_of(signs_of(facts)) < THRESHOLD:
        return None
    known_by, name = _known_by(facts, base, cmdline)
    if not known_by.value:
        return None
    weighed = weigh(facts)
    return Match(
        messenger=f"{PREFIX}{known_by.value}",
        name=name,
        listed=False,
        confidence=weighed.confidence,
        evidence=weighed.speaking,
        known_by=known_by,
    )


def desktop_stem(desktop_id: str) -> str:
    """Return a desktop file id without the suffix `.desktop`, which some write with it.

    An id of two dots is left as it is, since there the last word is the application's own:

    >>> desktop_stem("pidgin.desktop"), desktop_stem("org.telegram.desktop"), desktop_stem("org.gajim.Gajim.desktop")
    ('pidgin', 'org.telegram.desktop', 'org.gajim.Gajim')
    """
    stem = desktop_id.removesuffix(".desktop")
    return desktop_id if stem.count(".") == 1 else stem


def _known_by(facts: ProcessFacts, base: str, cmdline: tuple[str, ...]) -> tuple[KnownBy, str]:
    """Return what it is known by, whose value is the key, and a readable name; empty for interpreters and helpers, which are nobody's own."""
    platform = facts.platform
    if facts.desktop_id:
        desktop = desktop_stem(facts.desktop_id)
        readable = _readable(desktop.removesuffix(".desktop").rpartition(".")[2])
        return KnownBy(platform, "desktop_id", desktop.lower()), readable
    if facts.bundle_id:
        bundle = _HELPER.split(facts.bundle_id, maxsplit=1)[0]
        return KnownBy(platform, "bundle_id", bundle.lower()), _readable(bundle.rpartition(".")[2])
    if base in programs.HELPERS:
        return KnownBy(platform, "executable", ""), ""
    interpreter = programs.interpreter_of(base)
    if interpreter is None:
        return KnownBy(platform, "executable", base), _readable(base)
    script = programs.script_of(interpreter, cmdline) if cmdline else None
    kind, name = (
        next(programs.script_names(interpreter, script), ("script", "")) if script else ("script", "")
    )
    where = "windows" if interpreter.startswith("wine") else platform
    return KnownBy(where, "executable" if kind == "executable" else "script", name), _readable(name)


def _readable(name: str) -> str:
    words = name.replace("-", " ").replace("_", " ").strip()
    return (words.title() if words.islower() else words) or name
