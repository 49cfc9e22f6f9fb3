"""How long to wait before the next try: growing, bounded and spread, so that a fleet does not come back at once."""

import random

FIRST_SECONDS = 2.0
LONGEST_SECONDS = 900.0
MORE_SECONDS = 2.0


class Backoff:
    """Counts failures in a row.

    Args:
        chance: where the spread comes from.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failures = 0
        self.spread_seconds = 0
        """What the server asked for: see `contract.messages.Acknowledgement`."""

    def succeeded(self) -> None:
        """Start over."""
        self._failures = 0

    def at_start(self) -> float:
        """Return the seconds to wait before the first check-in of a run: a fleet is switched on at nine."""
        return self._chance.uniform(0.0, self.spread_seconds)

    def after_failure(self, at_least_seconds: float = 0.0) -> float:
        """Return the seconds to wait: between half and all of a bound that doubles with each failure.

        What the server asked for is added, so that all who lost it at once do not come back at once.

        Args:
            at_least_seconds: what the other end asked for this time.
        """
        bound = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(self._failures, 20))
        self._failures += 1
        wait = bound * self._chance.uniform(0.5, 1.0) + self._chance.uniform(0.0, self.spread_seconds)
        return max(wait, at_least_seconds * self._chance.uniform(1.0, 1.5))

    def more(self) -> float:
        """Return the seconds until the next part of what waits: it is not poured out at once."""
        return MORE_SECONDS * self._chance.uniform(0.5, 1.5)

    def regular(self, seconds: float) -> float:
        """Return a regular interval, a tenth shorter or longer."""
        return seconds * self._chance.uniform(0.9, 1.1)
