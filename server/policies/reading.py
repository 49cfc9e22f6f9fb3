"""The policy as people read it, in the languages that it has."""

import msgspec

from contract.document import render
from contract.errors import MalformedError
from contract.local import Section
from contract.policy import Policy, parse_published
from server.policies.catalogues import in_use


class Document(msgspec.Struct, frozen=True):
    """The text in one language, and the languages that there are."""

    title: str
    company: str
    version: int
    language: str
    languages: tuple[str, ...]
    sections: tuple[Section, ...]


def read_published(text: str, language: str) -> Document | None:
    """Return a published policy in a language; None if this server's version cannot read it any more."""
    try:
        return read_out(parse_published(text), language)
    except MalformedError:
        return None


def read_out(policy: Policy, language: str) -> Document:
    """Return the policy in a language; in its own, where it lacks that one."""
    languages = tuple(sorted(policy.title))
    chosen = language if language in languages else policy.language
    return Document(
        title=policy.text(policy.title, chosen),
        company=policy.company,
        version=policy.version,
        language=chosen,
        languages=languages,
        sections=render(policy, chosen, in_use().name_of),
    )
