"""`decorum-server policy`: check, apply, list, template."""

import argparse

from django.db.utils import DatabaseError

from contract.errors import DecorumError
from server.catalogue import catalogue
from server.commands.frame import ready_identity, start_django, state
from server.commands.given_text import given_text
from server.identity import read_tenant
from server.moments import utc_now

MEBIBYTES_AT_MOST = 1


def run(arguments: argparse.Namespace) -> None:
    """Do the action."""
    match arguments.action:
        case "check":
            _check(given_text(arguments.file, "policy", MEBIBYTES_AT_MOST))
        case "apply":
            _apply(given_text(arguments.file, "policy", MEBIBYTES_AT_MOST))
        case "list":
            _list()
        case _:
            _template(arguments.name)


def _check(text: str) -> None:
    start_django()
    from server.policies import catalogues, checking  # noqa: PLC0415 - Django's models cannot be imported before it has started

    try:
        known = catalogues.in_use()
    except DatabaseError:  # a policy may be checked where no server has been set up
        known = catalogue()
    checked = checking.check(text, known)
    for remark in checked.remarks:
        print(f"Note: {remark}")
    policy = checked.policy
    print(f"{policy.text(policy.title, policy.language)}, version {policy.version}: valid.")


def _apply(text: str) -> None:
    identity = ready_identity()
    from server.access import audit  # noqa: PLC0415 - Django's models cannot be imported before it has started
    from server.policies import checking, publishing  # noqa: PLC0415 - alike

    for remark in checking.check(text).remarks:
        print(f"Note: {remark}")
    published = publishing.publish(text, audit.COMMAND_LINE, identity, utc_now())
    publication = published.publication
    until = f"{publication.expires_at:%Y-%m-%d}"
    if published.is_new:
        print(f"{publication} is published: {publication.title}. It is renewed by itself before {until}.")
    else:
        print(f"{publication} holds this very text already; nothing was published.")


def _list() -> None:
    ready_identity()
    from server.policies.models import Publication  # noqa: PLC0415 - Django's models cannot be imported before

    for one in Publication.objects.all():
        how = "renewed" if one.is_renewal else "published"
        print(f"{one.serial}\t{how} {one.issued_at:%Y-%m-%d %H:%M} by {one.published_by}\t{one.title}")


def _template(name: str) -> None:
    start_django()
    from server.policies import templates  # noqa: PLC0415 - Django's models cannot be imported before it has started

    try:
        company = read_tenant(state()).company
    except DecorumError:
        company = None
    print(templates.template(name, company), end="")
