"""Issuing and taking back enrolment secrets."""

from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from server.access import audit
from server.errors import RequestError
from server.fleet.models import EnrolmentSecret
from server.fleet.models.secret import digest_of, new_secret

USES_AT_MOST, DAYS_AT_MOST = 100_000, 366


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a secret shall be good for."""

    uses: int
    days: int
    note: str


def issue(wish: Wish, actor: str, tenant: str, now: datetime, address: str = "") -> str:
    """Return a new secret; only its hash is kept, so this is the only time that anybody sees it.

    Raises:
        RequestError: a quota or an end that makes no sense.
    """
    if not 1 <= wish.uses <= USES_AT_MOST:
        raise RequestError(f"It cannot take in {wish.uses} devices.", f"Choose 1 to {USES_AT_MOST:,}.")
    if not 1 <= wish.days <= DAYS_AT_MOST:
        raise RequestError(f"It cannot hold for {wish.days} days.", f"Choose 1 to {DAYS_AT_MOST}.")
    if len(wish.note) > 200:
        raise RequestError("The note is too long.", "Use at most 200 characters.")
    text = new_secret(tenant)
    with transaction.atomic():
        secret = EnrolmentSecret.objects.create(
            digest=digest_of(text),
            note=wish.note,
            uses_at_most=wish.uses,
            created_at=now,
            created_by=actor,
            expires_at=now + timedelta(days=wish.days),
        )
        detail = f"for {wish.uses} enrolments within {wish.days} days: {secret}"
        audit.record(now, actor, "secret.issued", f"secret {secret.pk}", detail, address)
    return text


def revoke(secret: EnrolmentSecret, actor: str, now: datetime, address: str = "") -> None:
    """Take a secret back; devices that it took in stay."""
    with transaction.atomic():
        taken_back = EnrolmentSecret.objects.filter(pk=secret.pk, revoked_at=None).update(revoked_at=now)
        if taken_back:
            audit.record(now, actor, "secret.revoked", f"secret {secret.pk}", str(secret), address)
