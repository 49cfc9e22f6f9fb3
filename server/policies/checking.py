"""Checking a policy: whether it is valid, and what is valid but hardly meant."""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from contract.capture import ConnectorHeard, fitting, named_connectors
from contract.catalogue import Catalogue
from contract.policy import Policy, parse
from server.policies.catalogues import in_use


class Checked(msgspec.Struct, frozen=True):
    """A valid policy, and remarks for its author."""

    policy: Policy
    remarks: tuple[str, ...]


def check(text: str, known: Catalogue | None = None) -> Checked:
    """Return the policy that a text says.

    Args:
        text: the policy as TOML.
        known: the catalogue that it is compared with; None for the one in use on this server.

    Raises:
        MalformedError: it is not valid; the error names the path.
    """
    policy = parse(text)
    return Checked(policy, tuple(_remarks(policy, known or in_use())))


def _remarks(policy: Policy, known: Catalogue) -> Iterable[str]:
    listed = known.messengers
    named = [rule.messenger for rule in policy.channels]
    named += [*policy.use_instead, *(rule.messenger for rule in policy.capture)]
    for messenger in dict.fromkeys(named):
        if messenger not in listed and not messenger.startswith("unlisted:"):
            yield f"The catalogue lists no messenger {messenger!r}; a rule for it may never hold."
        elif known.judged_as(messenger) != messenger:
            service = known.judged_as(messenger)
            yield f"{messenger} is an unofficial client of {service}; a rule for it never holds: write it for {service}."
    captured = {rule.messenger for rule in policy.capture}
    for rule in policy.channels:
        if policy.capture_required and rule.stance == "approved" and rule.messenger not in captured:
            yield f"{rule.messenger} is approved and must be captured, but no connector is named for it."
    yield from _not_told(policy)
    if not policy.clauses:
        yield "It has no clauses: people are told what devices do, but not what is expected of them."


def _not_told(policy: Policy) -> Iterable[str]:
    """Yield that devices are not told of all its connectors, if each were heard and retained what it is to retain."""
    longest = datetime.max.replace(year=9998, tzinfo=UTC)
    named = named_connectors(policy.capture)
    told = fitting(
        ConnectorHeard(connector=connector, heard_at=longest, messengers=messengers)
        for connector, messengers in named.items()
    )
    if len(told) < len(named):
        yield f"It names more connectors than devices can be told of; from {list(named)[len(told)]!r} on they are not."
