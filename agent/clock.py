"""The device's clocks, and whether the wall clock can be believed.

The wall clock can be set by anybody; the monotonic clock cannot, but starts anew with each boot. A sealed reply of the server
gives a time that both can be compared with.
"""

import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from agent.machine import this_system

DOUBT = timedelta(minutes=10)
"""A wall clock that is further off than this is in doubt."""


class Clock(Protocol):
    """What can be asked of a device's clocks."""

    def now(self) -> datetime:
        """Return the wall time, aware, in the device's own zone."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment of this boot, sleep included."""

    def awake(self) -> float:
        """Return alike, without the time for which the machine slept; never for how long a process ran."""

    def boot_id(self) -> str:
        """Return an id that changes with each boot."""


class SystemClock:
    """The clocks of this machine.

    Args:
        boot_id: how the system tells its boot.
        awake_seconds: how it tells for how long it has been awake since.
    """

    def __init__(
        self,
        boot_id: Callable[[], str | None] = this_system.boot_id,
        awake_seconds: Callable[[], float] = this_system.awake_seconds,
    ) -> None:
        self._boot_id = boot_id() or str(uuid.uuid4())
        self._awake_seconds = awake_seconds

    def now(self) -> datetime:
        """Return the wall time in the device's own zone."""
        return datetime.now(UTC).astimezone()

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment of this boot, sleep included.

        macOS: clock_gettime(3); Windows: Python asks GetTickCount64, which counts sleep.
        """
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        elif sys.platform == "darwin":  # noqa: RET505  # the type checker passes over a branch, not over what follows one
            return time.clock_gettime(time.CLOCK_MONOTONIC)
        else:
            return time.monotonic()

    def awake(self) -> float:
        """Return seconds since an arbitrary moment of this boot, without those for which the machine slept."""
        return self._awake_seconds()

    def boot_id(self) -> str:
        """Return the system's id of its boot; without one, an id of this process."""
        return self._boot_id


class ServerTime(msgspec.Struct, frozen=True):
    """What the clocks showed when a sealed reply came."""

    server: datetime
    monotonic_seconds: float
    boot_id: str


def is_in_doubt(clock: Clock, seen: ServerTime | None) -> bool:
    """Tell whether the wall clock contradicts what the server's sealed replies said.

    After a reboot only going back behind the last reply shows.
    """
    if seen is None:
        return False
    now = clock.now()
    if clock.boot_id() != seen.boot_id:
        return now < seen.server - DOUBT
    expected = seen.server + timedelta(seconds=clock.monotonic() - seen.monotonic_seconds)
    return abs(now - expected) > DOUBT


def best_time(clock: Clock, seen: ServerTime | None) -> datetime | None:
    """Return the time as well as it can be known.

    It is the wall clock's; where that is in doubt, the server's last told time carried on by the monotonic clock; None after a reboot
    with a wall clock in doubt.
    """
    if not is_in_doubt(clock, seen):
        return clock.now()
    if seen is None or clock.boot_id() != seen.boot_id:
        return None
    return seen.server + timedelta(seconds=clock.monotonic() - seen.monotonic_seconds)
