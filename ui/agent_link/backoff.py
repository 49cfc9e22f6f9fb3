"""How long to wait before the agent is looked for again."""

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 10.0
LASTING_SECONDS = 30.0
"""A connection that held this long was a good one; after it, waiting starts anew."""


class Backoff:
    """Owns the next wait: it doubles up to a bound, so an agent that is away costs next to nothing.

    >>> backoff = Backoff()
    >>> [backoff.next_seconds() for _ in range(7)]
    [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    """

    def __init__(self) -> None:
        self._seconds = FIRST_SECONDS

    def next_seconds(self) -> float:
        """Return how long to wait now; the next time it is longer."""
        seconds = self._seconds
        self._seconds = min(seconds * 2, LONGEST_SECONDS)
        return seconds

    def held(self, seconds: float) -> bool:
        """Take note of how long a connection held; tell whether that was long enough to start waiting anew."""
        if seconds < LASTING_SECONDS:
            return False
        self.reset()
        return True

    def reset(self) -> None:
        """Start waiting anew: somebody asks."""
        self._seconds = FIRST_SECONDS
