"""How far a fleet is asked to spread, so that it does not come back at once after an outage or at nine in the morning."""

from datetime import datetime
from functools import lru_cache

from server.fleet.models import Device

AT_ONCE_A_SECOND = 50
"""How many devices may come back in a second: a small server takes that many check-ins beside its other work."""
LONGEST_SECONDS = 3600


def spread_seconds(now: datetime) -> int:
    """Return the seconds over which all devices are to spread; the fleet is counted once a minute."""
    return min(LONGEST_SECONDS, _devices(int(now.timestamp() // 60)) // AT_ONCE_A_SECOND)


@lru_cache(maxsize=1)
def _devices(_minute: int) -> int:
    return Device.objects.count()
