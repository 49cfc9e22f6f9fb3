"""Points in time in words: short today, and never in doubt on other days."""

from datetime import datetime, tzinfo

from ui.texts import say, words


def when(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Return when something was, as short as it can be said without doubt.

    Args:
        moment: an aware time.
        now: an aware time.
        zone: the user's time zone; None for the system's own.
    """
    local = moment.astimezone(zone)
    today = now.astimezone(zone).date()
    clock = f"{local:%H:%M}"
    days = (today - local.date()).days
    if days == 0:
        return clock
    if days == 1:
        return say(words.YESTERDAY, clock=clock)
    if 1 < days < 7:
        return say(words.ON_WEEKDAY, weekday=say(words.WEEKDAYS[local.weekday()]), clock=clock)
    if abs(days) < 180:
        month = say(words.MONTHS[local.month - 1])
        return say(words.ON_DAY, day=local.day, month=month, clock=clock)
    return day(moment, zone)


def exactly(moment: datetime, zone: tzinfo | None) -> str:
    """Return the full time, for a tooltip: 2026-11-23 12:04:31 CET."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def day(moment: datetime, zone: tzinfo | None) -> str:
    """Return the day of a moment: 3 Nov 2026."""
    local = moment.astimezone(zone)
    return say(words.ON_DATE, day=local.day, month=say(words.MONTHS[local.month - 1]), year=local.year)
