"""One-time login links: random, hashed, for minutes."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from server.access.models import LoginLink

LIFE = timedelta(minutes=15)


def create(user: User, now: datetime) -> str:
    """Return a fresh token that signs the user in once."""
    LoginLink.objects.filter(expires_at__lte=now - LIFE).delete()
    token = secrets.token_urlsafe(32)
    LoginLink.objects.create(digest=_digest(token), user=user, expires_at=now + LIFE)
    return token


def owner(token: str, now: datetime) -> User | None:
    """Return whom a token would sign in; None if it was used, has run out, or never was."""
    link = LoginLink.objects.select_related("user").filter(
        digest=_digest(token), used_at=None, expires_at__gt=now, user__is_active=True
    )
    found = link.first()
    return None if found is None else found.user


def redeem(token: str, now: datetime) -> User | None:
    """Return whom a token signs in, and never again; None as `owner`."""
    user = owner(token, now)
    taken = LoginLink.objects.filter(digest=_digest(token), used_at=None).update(used_at=now)
    return user if taken else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
