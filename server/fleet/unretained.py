"""Files that came in for work where nothing retained them, as each device's newest report of a day has it."""

from datetime import date

import msgspec
from django.template.defaultfilters import filesizeformat

from contract.errors import MalformedError
from contract.observations import UnretainedObserved, called, decode
from server.fleet.models import Device, ReceivedObservation

READ_AT_MOST = 500
"""Reports; a day is told anew each time that more of it was handed over."""
SHOWN_AT_MOST = 30


class UnretainedDay(msgspec.Struct, frozen=True, kw_only=True):
    """What one messenger saved on one day."""

    day: date
    title: str
    files: int
    waiting: int
    """Not handed over."""
    size: str
    types: str
    file_names: tuple[str, ...]


def unretained_on(device: Device) -> tuple[UnretainedDay, ...]:
    """Return the days of a device, newest first."""
    found: dict[str, UnretainedObserved] = {}
    rows = ReceivedObservation.objects.filter(device=device, kind="unretained", is_fork=False)
    for body in rows.exclude(body=None).order_by("-sequence").values_list("body", flat=True)[:READ_AT_MOST]:
        observed = _decoded(bytes(body or b""))
        if observed is not None:
            found.setdefault(observed.unretained, observed)
    newest = sorted(found.values(), key=lambda one: (one.day, called(one)), reverse=True)
    return tuple(map(_shown, newest[:SHOWN_AT_MOST]))


def _shown(one: UnretainedObserved) -> UnretainedDay:
    return UnretainedDay(
        day=one.day,
        title=called(one),
        files=one.files,
        waiting=max(0, one.files - one.handed_over),
        size=filesizeformat(one.total_bytes),
        types=", ".join(f"{count:,} {kind}" for kind, count in sorted(one.types.items())),
        file_names=one.file_names or (),
    )


def _decoded(body: bytes) -> UnretainedObserved | None:
    try:
        observed = decode(body)
    except MalformedError:
        return None
    return observed if isinstance(observed, UnretainedObserved) else None
