"""The draft, and where a new one starts."""

from datetime import datetime

from django.db import transaction

from server.errors import RequestError
from server.locks import hold
from server.policies.models import Draft
from server.policies.publishing import current
from server.policies.templates import NAMES, template

IN_FORCE = "in-force"
TEXT_AT_MOST = 500_000


def draft() -> Draft | None:
    """Return the draft, if somebody has begun one."""
    return Draft.objects.order_by("-pk").first()


def start_text(start: str, company: str) -> str:
    """Return the text that composing starts with.

    Args:
        start: the name of a model policy, `in-force` for the policy in force, or anything else for the draft.
        company: the company for which a model is filled in.
    """
    if start in NAMES:
        return template(start, company)
    kept, published = draft(), current()
    if kept is not None and start != IN_FORCE:
        return kept.text
    return "" if published is None else published.text


def save(text: str, revision: int, actor: str, now: datetime) -> Draft:
    """Save the draft over the one that was read.

    Raises:
        RequestError: somebody else has saved in between, or the text is too long; nothing was saved.
    """
    if len(text) > TEXT_AT_MOST:
        raise RequestError("The policy is too long.", f"Shorten it to {TEXT_AT_MOST:,} characters.")
    if "\0" in text:
        raise RequestError("The policy holds a NUL character; it was not saved.", "Take it out.")
    with transaction.atomic():
        hold("draft")
        kept = draft() or Draft(revision=0)
        if kept.revision != revision:
            raise RequestError(
                f"{kept.saved_by} has saved the draft in between; yours was not saved.",
                "Compare both: the saved one is on this page in another window. Check again to save yours over it.",
            )
        kept.text, kept.revision = text, revision + 1
        kept.saved_at, kept.saved_by = now, actor
        kept.save()
    return kept
