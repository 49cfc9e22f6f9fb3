"""Requests of people on devices: taken from what is reported, answered once, and gone with other personal data."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import msgspec
from django.db import transaction

from contract.observations import Request
from server.access import audit
from server.conduct.models import EmployeeRequest
from server.fleet import rows
from server.fleet.intake import Taken

_ONCE = "ON CONFLICT (device_id, identity) DO NOTHING"


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """An `EmployeeRequest` to be stored."""

    device_id: str
    identity: str
    about: str
    messenger: str
    name: str
    until: date | None
    text: str
    asked_at: datetime
    reported_at: datetime
    answered_by: str = ""


def project(reports: Iterable[tuple[str, Taken]], now: datetime) -> None:
    """Keep what was asked, in the caller's transaction."""
    rows.insert(
        EmployeeRequest,
        [
            _row(device_id, one.observation, now)
            for device_id, taken in reports
            for one in taken.fresh
            if isinstance(one.observation, Request) and not one.is_fork
        ],
        _ONCE,
    )


def waiting_count() -> int:
    """Return how many wait for an answer."""
    return EmployeeRequest.objects.filter(answered_at=None).count()


def forget_before(moment: datetime) -> None:
    """Erase what was told before a time, answered or not: its words are personal data."""
    EmployeeRequest.objects.filter(reported_at__lt=moment).delete()


def answered(pk: int, actor: str, now: datetime, address: str) -> EmployeeRequest | None:
    """Note that somebody has answered a request; return it, None where there is none or it was answered before."""
    with transaction.atomic():
        request = EmployeeRequest.objects.select_for_update().filter(pk=pk, answered_at=None).first()
        if request is None:
            return None
        request.answered_at, request.answered_by = now, actor
        request.save(update_fields=("answered_at", "answered_by"))
        audit.record(now, actor, "request.answered", f"device {request.device_id}", str(request), address)
        return request


def _row(device_id: str, asked: Request, now: datetime) -> RequestRow:
    return RequestRow(
        device_id=device_id,
        identity=asked.request,
        about=asked.about,
        messenger=asked.messenger or "",
        name=asked.name or "",
        until=asked.until,
        text="\n".join(asked.lines),
        asked_at=asked.at.astimezone(UTC),
        reported_at=now,
    )
