"""How often may be asked: a device that hurries and an address that is refused again and again wait. Each worker counts for itself.

An honest agent asks twice a second at most, and only while it has something to say. Nobody can make another wait: a device's
requests count only once its seal was verified, an address's only when they were refused.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

REMEMBERED = 20_000


class Pace:
    """Owns a bucket of tokens for each name; those not heard of for longest are forgotten, full as they are by then.

    Args:
        burst: how many at once.
        a_second: how many come back in a second.
        clock: seconds that never go back.
    """

    def __init__(self, burst: float, a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._a_second, self._clock = burst, a_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def has_room(self, name: str) -> bool:
        """Tell whether one more would be taken."""
        with self._lock:
            return self._now(name) >= 1.0

    def take(self, name: str) -> bool:
        """Count one; tell whether there was room for it."""
        with self._lock:
            left = self._now(name)
            self._left[name] = (max(0.0, left - 1.0), self._clock())
            self._left.move_to_end(name)
            while len(self._left) > REMEMBERED:
                self._left.popitem(last=False)
            return left >= 1.0

    def wait_seconds(self) -> int:
        """Return after how long it makes sense to ask again."""
        return max(1, round(10 / self._a_second))

    def _now(self, name: str) -> float:
        left, at = self._left.get(name, (self._burst, self._clock()))
        return min(self._burst, left + (self._clock() - at) * self._a_second)


def of_devices() -> Pace:
    """Return the pace of devices whose seal holds."""
    return Pace(burst=1000, a_second=5)


def of_refusals() -> Pace:
    """Return the pace of refusals to one address; a whole company may stand behind one."""
    return Pace(burst=200, a_second=2)
