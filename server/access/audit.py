"""Writing and thinning the audit log."""

from datetime import datetime, timedelta

from django.db import transaction

from server.access.models import AuditEntry
from server.locks import hold

AGAIN_AFTER = timedelta(hours=12)
"""The same refusal of the same thing is written down once in this time."""
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
