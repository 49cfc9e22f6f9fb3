"""Times, and how people say them."""

from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)


def relative(at: datetime, now: datetime) -> str:
    """Say how far a time is from now.

    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> relative(noon - timedelta(seconds=5), noon), relative(noon - timedelta(minutes=90), noon)
    ('just now', '1 hour ago')
    >>> relative(noon + timedelta(days=89, hours=12), noon)
    'in 89 days'
    """
    distance = abs(now - at)
    if distance < timedelta(seconds=10):
        return "just now" if at <= now else "in a moment"
    for unit, length in _UNITS:
        if distance >= length:
            count = distance // length
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"{words} ago" if at <= now else f"in {words}"
    raise AssertionError(distance)


_UNITS = (
    ("year", timedelta(days=365)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)
