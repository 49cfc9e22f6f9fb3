"""A connector's heartbeat: that it is there, and whose messages it retains.

Only the last is kept, and what changed with it (`ConnectorTurn`). When it was heard is this server's own time, never the connector's.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from django.db import transaction

from contract.capture import AHEAD
from contract.policy import Line
from contract.wire import Dated, Moment
from server.access import audit
from server.errors import RefusedError, TooOftenError
from server.fleet.models.secret import digest_of
from server.fleet.pace import Pace
from server.records.connectors import note, note_if_silent
from server.records.models import Connector
from server.records.rules import limit_of, rules_in_force

LIMIT_BYTES = 16 * 1024
"""The largest heartbeat."""
MESSENGERS_AT_MOST = 100
_NEW_TOKEN = "Ask for a new token of this connector, in the console under Capture connectors."  # noqa: S105 - a sentence

CONNECTORS = Pace(burst=60, a_second=1)
"""The pace of connectors whose token opens."""


class Heartbeat(Dated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connector says of itself."""

    messengers: Annotated[tuple[Line, ...], msgspec.Meta(max_length=MESSENGERS_AT_MOST)]
    """Catalogue ids of the messengers whose messages it retains; an empty list says that it retains nothing now."""
    written_at: Moment | None = None
    """When it last wrote something durable; shown in the console, and never taken for when it was heard."""


class HeartbeatReply(Dated, frozen=True, kw_only=True):
    """What became of it."""

    connector: Line
    """The name that the token stands for."""
    heard_at: Moment
    captures: tuple[Line, ...]
    """Messengers that devices may now show as captured by it."""
    not_in_policy: tuple[Line, ...]
    """Messengers for which the policy in force does not name it; they count for nothing."""
    again_within_hours: int | None
    """How long it may be silent; None while the policy does not name it."""


def take(said: Heartbeat, token: str, now: datetime, address: str) -> HeartbeatReply:
    """Take a heartbeat.

    Raises:
        TooOftenError: the connector hurries.
        RefusedError: a token that does not open, or a time that is still to come.
    """
    known = Connector.objects.filter(digest=digest_of(token)).first()
    try:
        connector = _opened(known, now)
        _refuse_what_is_to_come(said, now)
    except RefusedError as error:
        subject = address if known is None else f"connector {known.pk}"
        actor = address if known is None else known.name
        audit.record_rarely(now, actor, f"connector.{error.reason}", subject, error.detail, address)
        raise
    with transaction.atomic(durable=True):
        return _taken(said, connector.pk, now)


def _opened(known: Connector | None, now: datetime) -> Connector:
    if known is None:
        raise RefusedError(401, "token_unknown", "Nobody knows this token.", _NEW_TOKEN)
    if known.revoked_at is not None:
        raise RefusedError(403, "token_revoked", "This token was taken back.", _NEW_TOKEN)
    if known.expires_at <= now:
        raise RefusedError(403, "token_expired", "This token has run out.", _NEW_TOKEN)
    if not CONNECTORS.take(str(known.pk)):
        raise TooOftenError("The connector reports too often.", "Report once in a few minutes.")
    return known


def _refuse_what_is_to_come(said: Heartbeat, now: datetime) -> None:
    if said.written_at is not None and said.written_at - now > AHEAD:
        raise RefusedError(
            400,
            "written_in_future",
            f"It cannot have written something at {said.written_at:%Y-%m-%d %H:%M %Z}.",
            "Set the connector's clock, and send written_at with its zone.",
        )


def _taken(said: Heartbeat, pk: int, now: datetime) -> HeartbeatReply:
    rules = rules_in_force()
    connector = Connector.objects.select_for_update().get(pk=pk)
    limit = limit_of(connector.name, rules)
    fell_silent = note_if_silent(connector, limit, now)
    was, covers = connector.state(now, limit), list(dict.fromkeys(said.messengers))
    if was != "heard":
        note(connector, "heard", now, "after a silence" if fell_silent or was == "silent" else "")
    if covers != connector.covers:
        note(connector, "covers", now, ", ".join(covers) or "nothing")
    connector.last_heard_at, connector.covers = now, covers
    connector.last_written_at = said.written_at or connector.last_written_at
    connector.save(update_fields=("last_heard_at", "last_written_at", "covers"))
    named = [rule for rule in rules if rule.connector == connector.name]
    wanted = {rule.messenger for rule in named}
    return HeartbeatReply(
        connector=connector.name,
        heard_at=now,
        captures=tuple(one for one in covers if one in wanted),
        not_in_policy=tuple(one for one in covers if one not in wanted),
        again_within_hours=int(limit.total_seconds() // 3600) if named else None,
    )
