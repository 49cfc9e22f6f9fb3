"""Writing and thinning the audit log."""

from datetime import datetime, timedelta
from functools import lru_cache

from django.db import transaction
from django.db.models import Max

from server.access.models import AuditEntry
from server.locks import hold

AGAIN_AFTER = timedelta(hours=12)
"""The same refusal of the same thing is written down once in this time."""
_COUNTED_AT_ONCE = 10_000
_UNSETTLED = 1_000
"""An entry is numbered before its transaction ends; when this many more are numbered, it has long ended."""
SERVER, COMMAND_LINE = "server", "command line"


def record(
    at: datetime, actor: str, action: str, subject: str = "", detail: str = "", address: str = ""
) -> None:
    """Write down what was done, in the caller's transaction."""
    AuditEntry.objects.create(
        at=at,
        actor=actor[:150],
        action=action[:64],
        subject=subject[:200],
        detail=detail[:500],
        address=address[:64],
    )


def entries() -> int:
    """Return how many entries there are. Those that are settled never change, so they are counted once for many pages."""
    newest = AuditEntry.objects.aggregate(newest=Max("pk"))["newest"] or 0
    settled = (newest - _UNSETTLED) // _COUNTED_AT_ONCE * _COUNTED_AT_ONCE
    if settled <= 0:
        return AuditEntry.objects.count()
    return _settled(settled) + AuditEntry.objects.filter(pk__gt=settled).count()


@lru_cache(maxsize=1)
def _settled(up_to: int) -> int:
    return AuditEntry.objects.filter(pk__lte=up_to).count()


def record_rarely(
    at: datetime, actor: str, action: str, subject: str, detail: str = "", address: str = ""
) -> None:
    """Write it down unless the same was, a while ago, so that nobody can flood the log."""
    same = AuditEntry.objects.filter(action=action[:64], subject=subject[:200], at__gt=at - AGAIN_AFTER)
    if same.exists():
        return
    with transaction.atomic():
        hold(f"audit {action} {subject}")
        if not same.exists():
            record(at, actor, action, subject, detail, address)
