"""The first page's answer to what the exposure is: one number, the words to it, its trend, and where the devices behind it are."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import msgspec

from contract.observations import duration
from server.console.links import devices_link
from server.console.present import OWNERSHIPS
from server.fleet.exposure import DAYS, Amount, Exposure

ANY = "any"
"""Stands for every messenger in an address."""
CHART_WIDTH, CHART_HEIGHT = 300, 60
_GAP = 2
_WEEK = timedelta(days=7)
_LONG_SECONDS = 100 * 3600


class Bar(msgspec.Struct, frozen=True):
    """A day of the chart; heights are in its own units, from the bottom."""

    day: date
    words: str
    x: int
    width: int
    uncaptured_y: int
    uncaptured_height: int
    captured_y: int
    captured_height: int


class Part(msgspec.Struct, frozen=True):
    """The exposure of one ownership."""

    name: str
    words: str
    link: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of exposure."""

    percent: int | None
    """None where nothing was told of any time."""
    whole: str
    """All the time that it is a share of."""
    devices: int
    devices_link: str
    trend: str
    """How it was in the last week and in the one before."""
    parts: tuple[Part, ...]
    bars: tuple[Bar, ...]
    untold_devices: int
    days: int
    since: date
    until: date
    counted_at: datetime | None


def answer(told: Exposure) -> Answer:
    """Return the answer for the whole fleet."""
    return Answer(
        percent=told.total.percent,
        whole=spent(told.total.seconds),
        devices=told.devices,
        devices_link=devices_link(exposed=ANY),
        trend=_trend(told),
        parts=tuple(_parts(told)),
        bars=tuple(_bars(told)),
        untold_devices=told.untold_devices,
        days=DAYS,
        since=told.since,
        until=told.until,
        counted_at=told.counted_at,
    )


def spent(seconds: int) -> str:
    """Return a time that was spent; of many hours the minutes say nothing.

    >>> spent(5_400), spent(1_234_567)
    ('1 h 30 min', '342 h')
    """
    return duration(seconds) if seconds < _LONG_SECONDS else f"{seconds // 3600:,} h"


def share(amount: Amount) -> str:
    """Return an amount as a share in words.

    >>> share(Amount(7200, 1800)), share(Amount())
    ('25 % of 2 h 0 min', 'no time')
    """
    return "no time" if amount.percent is None else f"{amount.percent} % of {spent(amount.seconds)}"


def _trend(told: Exposure) -> str:
    last = sum((amount for day, amount in told.by_day if day > told.until - _WEEK), Amount())
    before = sum(
        (amount for day, amount in told.by_day if told.until - 2 * _WEEK < day <= told.until - _WEEK),
        Amount(),
    )
    if last.percent is None and before.percent is None:
        return ""
    return f"Last 7 days: {share(last)}. The 7 before: {share(before)}."


def _parts(told: Exposure) -> Iterable[Part]:
    if len(told.by_ownership) < 2:
        return
    for ownership, amount in sorted(told.by_ownership.items()):
        name = OWNERSHIPS.get(ownership, ownership)
        yield Part(name, share(amount), devices_link(exposed=ANY, ownership=ownership))


def _bars(told: Exposure) -> Iterable[Bar]:
    longest = max((amount.seconds for _, amount in told.by_day), default=0)
    if not longest:
        return
    step = CHART_WIDTH // len(told.by_day)
    for number, (day, amount) in enumerate(told.by_day):
        whole = _height(amount.seconds, longest)
        uncaptured = min(whole, _height(amount.uncaptured_seconds, longest))
        yield Bar(
            day=day,
            words=f"{share(amount)} not captured" if amount.seconds else "nothing was told",
            x=number * step,
            width=step - _GAP,
            uncaptured_y=CHART_HEIGHT - uncaptured,
            uncaptured_height=uncaptured,
            captured_y=CHART_HEIGHT - whole,
            captured_height=whole - uncaptured,
        )


def _height(seconds: int, longest: int) -> int:
    """Return a bar's height; what is there at all is seen."""
    return max(1, round(CHART_HEIGHT * seconds / longest)) if seconds else 0
