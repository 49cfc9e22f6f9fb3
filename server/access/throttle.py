"""How many sign-ins may fail, per account and per address, before the next must wait."""

import hashlib
from datetime import datetime, timedelta

from server.access.models import FailedSignIn

WINDOW = timedelta(minutes=15)
PER_ACCOUNT, PER_ADDRESS = 10, 30


def must_wait(account: str, address: str, now: datetime) -> bool:
    """Tell whether too many sign-ins have failed lately."""
    recent = FailedSignIn.objects.filter(at__gt=now - WINDOW)
    return (
        recent.filter(account=_digest(account)).count() >= PER_ACCOUNT
        or recent.filter(address=address).count() >= PER_ADDRESS
    )


def failed(account: str, address: str, now: datetime) -> None:
    """Count a sign-in that failed."""
    FailedSignIn.objects.filter(at__lte=now - WINDOW).delete()
    FailedSignIn.objects.create(at=now, account=_digest(account), address=address)


def succeeded(account: str) -> None:
    """Forget what an account's owner mistyped."""
    FailedSignIn.objects.filter(account=_digest(account)).delete()


def _digest(account: str) -> str:
    return hashlib.sha256(account.casefold().encode()).hexdigest()
