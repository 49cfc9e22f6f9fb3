"""Office hours: whether an instant falls into them, in the policy's time zone or the device's own.

An interval belongs to the day on which it starts; one that ends before it starts ends on the next day. Wall-clock time
decides, so an interval that spans a change to summer time is an hour shorter that night, as it is for people.

>>> from datetime import UTC, datetime
>>> night = OfficeHours(time_zone="Europe/Berlin", work=(Interval(days=("sat",), start="22:00", end="06:00"),))
>>> night.state(datetime(2026, 3, 29, 1, 30, tzinfo=UTC))  # Sunday 03:30 in Berlin, in the shift begun on Saturday
'office_hours'
>>> night.state(datetime(2026, 3, 29, 4, 0, tzinfo=UTC))  # 06:00
'outside'
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ClockTime = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
HoursState = Literal["office_hours", "break", "outside"]


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the day on some days of the week; `end` is not part of it."""

    days: Annotated[tuple[Day, ...], msgspec.Meta(min_length=1, max_length=7)]
    start: ClockTime
    end: ClockTime

    def holds(self, local: datetime, holidays: tuple[date, ...]) -> bool:
        """Tell whether a local time lies in the interval; one that starts on a holiday does not exist."""
        clock = f"{local.hour:02}:{local.minute:02}"
        today, yesterday = local.date(), local.date() - timedelta(days=1)
        if self.start < self.end:
            return self._starts_on(today, holidays) and self.start <= clock < self.end
        return (self._starts_on(today, holidays) and clock >= self.start) or (
            self._starts_on(yesterday, holidays) and clock < self.end
        )

    def _starts_on(self, day: date, holidays: tuple[date, ...]) -> bool:
        return DAYS[day.weekday()] in self.days and day not in holidays


class OfficeHours(msgspec.Struct, frozen=True, kw_only=True):
    """When work is done; breaks within it and holidays are free."""

    time_zone: Annotated[
        str, msgspec.Meta(max_length=64, pattern=r"^(local|[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*)\Z")
    ] = "local"
    """An IANA name, or `local` for the device's own. Names of files that only some systems keep are none."""
    work: Annotated[tuple[Interval, ...], msgspec.Meta(max_length=50)] = ()
    breaks: Annotated[tuple[Interval, ...], msgspec.Meta(max_length=50)] = ()
    holidays: Annotated[tuple[date, ...], msgspec.Meta(max_length=1000)] = ()

    def state(self, at: datetime) -> HoursState:
        """Return what the instant is.

        Args:
            at: an aware time; its own zone is the device's.

        Raises:
            ZoneInfoNotFoundError: this system does not know the zone.
            OverflowError: the day before is not in the calendar.
        """
        local = at if self.time_zone == "local" else at.astimezone(ZoneInfo(self.time_zone))
        if not any(interval.holds(local, self.holidays) for interval in self.work):
            return "outside"
        # A shift begun the day before goes on into a holiday, and so do its breaks.
        if any(interval.holds(local, ()) for interval in self.breaks):
            return "break"
        return "office_hours"
