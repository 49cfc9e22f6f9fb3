"""People: who they are, when they work, and which messengers they use. Pure: the same seed gives the same people.

The shares are guesses at an ordinary office company, made to be believable and varied, not measured anywhere.
"""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Literal, TypeVar

import msgspec

from contract.ceiling import Detail
from contract.policy import Ownership, Profile

T = TypeVar("T")
Platform = Literal["linux", "macos", "windows"]


class Habit(msgspec.Struct, frozen=True):
    """A messenger that somebody uses."""

    messenger: str
    """A catalogue id, or `unlisted:<key>`."""
    profile: Profile
    chance: float
    """Of using it on a working day."""
    turns: int
    """How often it is opened on such a day, at most."""
    is_for_breaks: bool
    """Whether it is opened in breaks and after hours rather than at work."""


class Role(msgspec.Struct, frozen=True):
    """A kind of work."""

    name: str
    share: int
    start_minutes: int
    """When the working day begins, in minutes after midnight."""
    work_minutes: int
    habits: tuple[Habit, ...]


def _work(messenger: str, chance: float, turns: int = 1) -> Habit:
    return Habit(messenger, "work", chance, turns, is_for_breaks=False)


TEAMS, SLACK, ZOOM = _work("microsoft-teams", 0.97), _work("slack", 0.9), _work("zoom", 0.3, 2)
ROLES = (
    Role("office", 40, 8 * 60 + 30, 500, (TEAMS, ZOOM)),
    Role("sales", 18, 8 * 60, 540, (TEAMS, ZOOM, _work("whatsapp", 0.35, 3), _work("leapxpert", 0.3))),
    Role("trading", 8, 7 * 60, 600, (TEAMS, _work("symphony", 0.9), _work("wechat", 0.15, 2))),
    Role("engineering", 20, 9 * 60 + 30, 500, (SLACK, TEAMS, _work("element", 0.1), _work("hexchat", 0.05))),
    Role("support", 10, 14 * 60, 480, (TEAMS, SLACK, _work("telegram", 0.08, 2))),
    Role("night desk", 4, 22 * 60, 480, (TEAMS, _work("webex", 0.3))),
)
PRIVATE: Mapping[str, int] = {
    "whatsapp": 30,
    "telegram": 12,
    "signal": 8,
    "discord": 6,
    "facebook-messenger": 5,
    "wechat": 3,
    "threema": 2,
    "line": 1,
    "viber": 1,
    "unlisted:org.example.chatter": 2,
    "unlisted:com.example.huddle": 1,
    "": 29,
}
"""What people like to use besides; the empty one is for those who use none on their desk."""
ZONES: Mapping[str, int] = {
    "Europe/Berlin": 50,
    "Europe/London": 20,
    "America/New_York": 15,
    "Asia/Singapore": 8,
    "Asia/Tokyo": 4,
    "America/Sao_Paulo": 3,
}
PLATFORMS: Mapping[Platform, int] = {"windows": 60, "linux": 15, "macos": 25}
HOLIDAYS: Mapping[str, frozenset[tuple[int, int]]] = {
    "Europe/Berlin": frozenset({(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)}),
    "Europe/London": frozenset({(1, 1), (12, 25), (12, 26)}),
    "America/New_York": frozenset({(1, 1), (7, 4), (11, 11), (12, 25)}),
    "Asia/Singapore": frozenset({(1, 1), (5, 1), (8, 9), (12, 25)}),
    "Asia/Tokyo": frozenset({(1, 1), (2, 11), (4, 29), (5, 3), (11, 3), (11, 23)}),
    "America/Sao_Paulo": frozenset({(1, 1), (4, 21), (5, 1), (9, 7), (11, 15), (12, 25)}),
}
"""Days of the year that are free every year, as month and day; those that move are left out."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the fleet shall be like; shares are between 0 and 1."""

    seed: int = 1
    own_devices: float = 0.15
    """Devices that belong to their users (BYOD)."""
    coarse: float = 0.2
    """Devices whose settings let less leave than exact times."""
    devices_offline: float = 0.03
    """Working days on which a device is cut off for hours."""
    clones: int = 0
    """How many devices have a copy with the same key."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody and their device."""

    number: int
    device_name: str | None
    role: str
    zone: str
    platform: Platform
    ownership: Ownership
    detail: Detail
    """The most that their device's settings let leave about any profile."""
    start_minutes: int
    work_minutes: int
    work_days: frozenset[int]
    """Of the week; Monday is 0."""
    vacation_weeks: frozenset[int]
    """ISO weeks."""
    habits: tuple[Habit, ...]
    obedience: float
    """How likely they close a messenger when reminded."""
    stays_on: bool
    """Whether the device is on at night, too."""

    def works_on(self, day: date, luck: Random) -> bool:
        """Tell whether they work on a day; about three days in a hundred they are ill."""
        return (
            day.weekday() in self.work_days
            and (day.month, day.day) not in HOLIDAYS[self.zone]
            and day.isocalendar().week not in self.vacation_weeks
            and luck.random() > 0.03
        )


def person(number: int, wishes: Wishes) -> Person:
    """Return the fleet's n-th person; the same whatever the size of the fleet."""
    luck = Random(f"{wishes.seed} person {number}")
    role = _chosen({role: role.share for role in ROLES}, luck)
    ownership: Ownership = "personal" if luck.random() < wishes.own_devices else "company"
    days = {0, 1, 2, 3, 4}
    if luck.random() < 0.15:
        days -= {luck.randrange(5)}
    first_week = luck.randrange(1, 50)
    favourites = {_chosen(PRIVATE, luck) for _ in range(2)} - {""}
    side: Profile = "work" if ownership == "company" else "unknown"
    private = tuple(
        Habit(one, side, luck.uniform(0.3, 0.9), luck.randint(1, 3), is_for_breaks=luck.random() < 0.6)
        for one in sorted(favourites)
    )
    details: tuple[Detail, ...] = ("hour", "name", "kind")
    return Person(
        number=number,
        device_name=f"{role.name.replace(' ', '-')}-{number:04}" if ownership == "company" else None,
        role=role.name,
        zone=_chosen(ZONES, luck),
        platform=_chosen(PLATFORMS, luck),
        ownership=ownership,
        detail=luck.choice(details) if luck.random() < wishes.coarse else "exact",
        start_minutes=max(0, round(luck.gauss(role.start_minutes, 25))),
        work_minutes=round(role.work_minutes * luck.choice((1, 1, 1, 1, 0.5))),
        work_days=frozenset(days),
        vacation_weeks=frozenset({first_week, first_week + 1, luck.randrange(1, 53), luck.randrange(1, 53)}),
        habits=(*role.habits, *private),
        obedience=luck.random(),
        stays_on=luck.random() < 0.7,
    )


def _chosen(weights: Mapping[T, int], luck: Random) -> T:
    return luck.choices(list(weights), list(weights.values()))[0]
