"""Making connectors, renewing and taking back their tokens, and noting in each one's story what changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from contract.errors import MalformedError
from contract.policy import CaptureRule, Line
from contract.wire import convert
from server.access import audit
from server.errors import RequestError
from server.fleet.models.secret import digest_of, new_secret
from server.locks import hold
from server.records.models import Connector, ConnectorTurn
from server.records.models.connector import KINDS
from server.records.rules import limit_of

DAYS_AT_MOST = 366
TURNS_KEPT = 500
"""Of each connector, the newest."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A connector that shall be able to report."""

    name: str
    kind: str
    days: int


def make(wish: Wish, actor: str, tenant: str, now: datetime, address: str = "") -> str:
    """Make a connector and return its token; only the token's hash is kept, so this is the only time that anybody sees it.

    Raises:
        RequestError: a name that is taken or cannot be written in a policy, or an end that makes no sense.
    """
    ends = _end(wish.days, now)
    try:
        convert(Line, wish.name)
    except MalformedError as error:
        raise RequestError(
            "No policy can name a connector so.", "Use one line of up to 200 characters."
        ) from error
    if wish.kind not in KINDS:
        raise RequestError(f"There is no way of capture {wish.kind!r}.", f"Choose {', '.join(KINDS)}.")
    token = new_secret(tenant)
    with transaction.atomic():
        hold(f"connector {wish.name}")
        if Connector.objects.filter(name=wish.name).exists():
            raise RequestError(f"There is a connector {wish.name} already.", "Make a new token on its page.")
        connector = Connector.objects.create(
            name=wish.name,
            kind=wish.kind,
            digest=digest_of(token),
            created_at=now,
            created_by=actor,
            token_since=now,
            expires_at=ends,
        )
        note(connector, "made", now, f"by {actor}")
        _audit(connector, "made", actor, now, f"its token ends {ends:%Y-%m-%d}", address)
    return token


def renew(connector: Connector, days: int, actor: str, tenant: str, now: datetime, address: str = "") -> str:
    """Give a connector another token and return it; the one before opens nothing any more.

    Raises:
        RequestError: an end that makes no sense.
    """
    ends, token = _end(days, now), new_secret(tenant)
    with transaction.atomic():
        fresh = {"digest": digest_of(token), "token_since": now, "expires_at": ends, "revoked_at": None}
        Connector.objects.filter(pk=connector.pk).update(**fresh)
        note(connector, "token", now, f"by {actor}")
        _audit(connector, "token_renewed", actor, now, f"it ends {ends:%Y-%m-%d}", address)
    return token


def revoke(connector: Connector, actor: str, now: datetime, address: str = "") -> None:
    """Take a connector's token back: what it retains counts as captured no longer, from each device's next check-in on."""
    with transaction.atomic():
        if Connector.objects.filter(pk=connector.pk, revoked_at=None).update(revoked_at=now):
            note(connector, "revoked", now, f"by {actor}")
            _audit(connector, "revoked", actor, now, "", address)


def note(connector: Connector, what: str, at: datetime, detail: str = "") -> None:
    """Note a change in a connector's story, in the caller's transaction."""
    ConnectorTurn.objects.create(connector=connector, at=at, what=what, detail=detail[:500])
    too_old = ConnectorTurn.objects.filter(connector=connector).values_list("pk", flat=True)[TURNS_KEPT:]
    ConnectorTurn.objects.filter(pk__in=list(too_old)).delete()


def note_silence(rules: Sequence[CaptureRule], now: datetime) -> int:
    """Note in their stories which connectors have fallen silent; return how many have."""
    fallen = 0
    for connector in Connector.objects.filter(revoked_at=None, last_heard_at__isnull=False):
        if connector.state(now, limit_of(connector.name, rules)) != "silent":
            continue
        with transaction.atomic():
            locked = Connector.objects.select_for_update().get(pk=connector.pk)
            fallen += note_if_silent(locked, limit_of(locked.name, rules), now)
    return fallen


def note_if_silent(connector: Connector, limit: timedelta, now: datetime) -> bool:
    """Note that a connector fell silent, unless that is noted or not so, in the caller's transaction."""
    if connector.last_heard_at is None or connector.state(now, limit) != "silent":
        return False
    if ConnectorTurn.objects.filter(
        connector=connector, what="silent", at__gt=connector.last_heard_at
    ).exists():
        return False
    note(
        connector,
        "silent",
        connector.last_heard_at + limit,
        f"last heard {connector.last_heard_at:%Y-%m-%d %H:%M} UTC",
    )
    return True


def _end(days: int, now: datetime) -> datetime:
    if not 1 <= days <= DAYS_AT_MOST:
        raise RequestError(f"It cannot hold for {days} days.", f"Choose 1 to {DAYS_AT_MOST}.")
    return now + timedelta(days=days)


def _audit(connector: Connector, what: str, actor: str, now: datetime, detail: str, address: str) -> None:
    audit.record(
        now,
        actor,
        f"connector.{what}",
        f"connector {connector.pk}",
        f"{connector.name}: {detail}".removesuffix(": "),
        address,
    )
