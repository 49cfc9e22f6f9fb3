"""How fast one user may ask. Answers are given on the loop that looks at processes, which nobody may keep from looking.

>>> pace = Pace()
>>> pace.answered(1001, now=0.0, seconds=0.5)
>>> pace.wait_seconds(1001, now=1.0), pace.wait_seconds(1002, now=1.0)
(3.5, 0.0)
"""

REST_PER_ANSWER = 9.0
"""How many times longer than its answer took a user waits for the next: who asks without pause gets a tenth of the time."""
ANSWER_SECONDS_AT_LEAST = 0.001
"""What an answer counts for at least: reading the question and sending the answer take their time, too."""
_KEPT_AT_MOST = 100


class Pace:
    """Owns when each user's next question is due; never refuses one."""

    def __init__(self) -> None:
        self._due: dict[int | None, float] = {}

    def wait_seconds(self, user: int | None, now: float) -> float:
        """Return how long a user's next question has to wait; `now` is of a clock that never jumps."""
        return max(0.0, self._due.get(user, 0.0) - now)

    def answered(self, user: int | None, now: float, seconds: float) -> None:
        """Take note of an answer that ended now and took so long; several connections of one user add up."""
        if len(self._due) >= _KEPT_AT_MOST:
            self._due = {one: due for one, due in self._due.items() if due > now}
        rest_seconds = max(seconds, ANSWER_SECONDS_AT_LEAST) * REST_PER_ANSWER
        self._due[user] = max(now, self._due.get(user, 0.0)) + rest_seconds
