"""The capture rules of the policy in force: which connectors it names, and for how long each may be silent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from contract.errors import MalformedError
from contract.policy import CaptureRule, parse_published
from server.policies import publishing
from server.policies.models import Publication
from server.records.models.connector import USUAL_LIMIT


def rules_in_force() -> tuple[CaptureRule, ...]:
    """Return those of the policy in force; none without one."""
    return rules_of(publishing.current())


def rules_of(publication: Publication | None) -> tuple[CaptureRule, ...]:
    """Return those of a publication; none where this version cannot read it."""
    return () if publication is None else _rules(publication.serial, publication.issued_at)


@lru_cache(maxsize=2)
def _rules(serial: int, issued_at: datetime) -> tuple[CaptureRule, ...]:
    try:
        return parse_published(publishing.kept(serial, issued_at).text).capture
    except MalformedError:
        return ()


def limit_of(connector: str, rules: Sequence[CaptureRule]) -> timedelta:
    """Return how long a connector may be silent: the shortest time that a rule allows it."""
    hours = [rule.silent_hours_at_most for rule in rules if rule.connector == connector]
    return timedelta(hours=min(hours)) if hours else USUAL_LIMIT
