"""What the pages of capture connectors show: who is heard, what that retains, and which rules count on it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from contract.capture import named_connectors
from contract.policy import CaptureRule
from server.moments import utc_now
from server.policies.catalogues import in_use
from server.records.models import Connector, ConnectorTurn
from server.records.models.connector import KINDS
from server.records.rules import limit_of, rules_in_force

TURNS_SHOWN = 100
_WORDS = {
    "made": "Made",
    "heard": "Heard",
    "covers": "Says that it retains",
    "silent": "Fell silent",
    "token": "New token",
    "revoked": "Token taken back",
}
_GRAVE = ("silent", "revoked", "never")


class Rule(msgspec.Struct, frozen=True):
    """A capture rule that names a connector, and whether the connector says that it does that."""

    name: str
    hours: int
    is_covered: bool


class Lacking(msgspec.Struct, frozen=True):
    """A connector that the policy counts on and that does not report: the sentence, and where to do something about it."""

    sentence: str
    link: str


class Turn(msgspec.Struct, frozen=True):
    """A change, in words."""

    at: datetime
    word: str
    detail: str


def lacking(now: datetime) -> tuple[Lacking, ...]:
    """Return the connectors of the policy in force that are not heard, those that report to this server first."""
    rules = rules_in_force()
    named = named_connectors(rules)
    known = {one.name: one for one in Connector.objects.filter(name__in=tuple(named))}
    made = [known[name] for name in named if name in known]
    absent = [name for name in named if name not in known]
    return (*_not_heard(made, named, rules, now), *map(_never_made, absent))


def notices(rules: Sequence[CaptureRule], now: datetime) -> Iterable[str]:
    """Yield what the first page says of connectors: those made here that the policy counts on and that are not heard."""
    named = named_connectors(rules)
    if named:
        made = Connector.objects.filter(name__in=tuple(named))
        yield from (one.sentence for one in _not_heard(made, named, rules, now))


def _not_heard(
    connectors: Iterable[Connector],
    named: dict[str, tuple[str, ...]],
    rules: Sequence[CaptureRule],
    now: datetime,
) -> Iterable[Lacking]:
    for connector in connectors:
        messengers = ", ".join(_names(named[connector.name]))
        link = reverse("admin:records_connector_change", args=(connector.pk,))
        state = connector.state(now, limit_of(connector.name, rules))
        if state in _GRAVE:
            yield Lacking(
                f"{connector} {_how(connector, state)}. Nothing that it is to retain counts as captured: {messengers}.",
                link,
            )
            continue
        missing = [one for one in named[connector.name] if one not in connector.covers]
        if missing:
            yield Lacking(
                f"{connector} is heard, and does not say that it retains {', '.join(_names(missing))}, for which the policy names it.",
                link,
            )


def _how(connector: Connector, state: str) -> str:
    if state == "silent" and connector.last_heard_at is not None:
        return f"is silent: it was last heard from on {timezone.localtime(connector.last_heard_at):%Y-%m-%d at %H:%M}"
    return "may no longer report" if state == "revoked" else "has never been heard from"


def _never_made(name: str) -> Lacking:
    link = f"{reverse('admin:records_connector_add')}?{urlencode({'name': name})}"
    return Lacking(
        f"The policy names {name}, and no connector of that name reports here. That is in order only where it fills an export folder on devices.",
        link,
    )


def _names(messengers: Iterable[str]) -> list[str]:
    known = in_use()
    return [known.name_of(one) for one in messengers]


def covered(connector: Connector) -> str:
    """Return what a connector says it retains."""
    return ", ".join(_names(connector.covers))


def rules_for(connector: Connector, rules: Sequence[CaptureRule]) -> tuple[Rule, ...]:
    """Return the rules of the policy in force that name a connector."""
    known = in_use()
    return tuple(
        Rule(known.name_of(rule.messenger), rule.silent_hours_at_most, rule.messenger in connector.covers)
        for rule in rules
        if rule.connector == connector.name
    )


def connector_page(connector: Connector, *, may_change: bool) -> dict[str, Any]:
    """Return what the page of one connector shows."""
    now, rules = utc_now(), rules_in_force()
    limit = limit_of(connector.name, rules)
    named = named_connectors(rules)
    only = {connector.name: named[connector.name]} if connector.name in named else {}
    beside = [one for one in connector.covers if one not in only.get(connector.name, ())]
    return {
        "title": "Capture connector",
        "zone": settings.TIME_ZONE,
        "connector": connector,
        "kind": KINDS.get(connector.kind, connector.kind),
        "state": connector.state(now, limit),
        "token_state": connector.token_state(now),
        "rules": rules_for(connector, rules),
        "beside": ", ".join(_names(beside)),
        "lacking": tuple(_not_heard([connector], only, rules, now)) if only else (),
        "days": tuple(_days(connector)),
        "may_change": may_change,
    }


def _days(connector: Connector) -> Iterable[tuple[datetime, list[Turn]]]:
    shown: Iterable[ConnectorTurn] = connector.turns.all()[:TURNS_SHOWN]
    turns = [Turn(timezone.localtime(one.at), _WORDS.get(one.what, one.what), _detail(one)) for one in shown]
    for day, of_day in groupby(turns, key=lambda turn: turn.at.date()):
        yield datetime.combine(day, datetime.min.time()), list(of_day)


def _detail(turn: ConnectorTurn) -> str:
    if turn.what != "covers":
        return turn.detail
    return ", ".join(_names(turn.detail.split(", "))) if turn.detail != "nothing" else "nothing"


def made(token: str, connector: str, days: int) -> dict[str, Any]:
    """Return what the page shows that shows a token this once."""
    return {
        "token": token,
        "name": connector,
        "days": days,
        "server_url": settings.CONFIGURATION.url,
        "wanted": " ".join(named_connectors(rules_in_force()).get(connector, ())) or "telegram",
    }


def ends_soon(connector: Connector, now: datetime) -> bool:
    """Tell whether a connector's token ends within two weeks."""
    return connector.token_state(now) == "open" and connector.expires_at - now <= timedelta(days=14)
