"""The policy as a page to read."""

from collections.abc import Iterable
from datetime import datetime, tzinfo

from contract.local import PolicyPage
from ui.present.moments import day
from ui.present.page import Block, Page
from ui.texts import policy as texts
from ui.texts import say
from ui.texts.status import MUTED_JOIN


def policy_page(policy: PolicyPage, now: datetime, zone: tzinfo | None) -> Page:
    """Return the document; without a policy, the sentence that says so."""
    if policy.title is None:
        return Page((Block("title", say(texts.NONE_TITLE)), Block("text", say(texts.NONE_TEXT))))
    blocks = [Block("title", policy.title), Block("muted", MUTED_JOIN.join(_about(policy, now, zone)))]
    for section in policy.sections:
        blocks.append(Block("heading", section.heading))
        blocks.extend(Block("text", paragraph) for paragraph in section.paragraphs)
    return Page(tuple(blocks))


def _about(policy: PolicyPage, now: datetime, zone: tzinfo | None) -> Iterable[str]:
    yield say(texts.VERSION, version=policy.version)
    if policy.expires is not None:
        text = texts.EXPIRED if policy.expires <= now else texts.EXPIRES
        yield say(text, day=day(policy.expires, zone))
    yield say(texts.SERIAL, serial=policy.serial)
