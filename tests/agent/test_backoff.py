import random

from agent.reporting.backoff import FIRST_SECONDS, LONGEST_SECONDS, Backoff


class At(random.Random):
    """Chance that always falls on the same share of its range."""

    def __init__(self, share: float) -> None:
        super().__init__(0)
        self._share = share

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * self._share


def waits(share: float, failures: int) -> list[float]:
    backoff = Backoff(At(share))
    return [backoff.after_failure() for _ in range(failures)]


def test_the_bound_doubles_with_each_failure_up_to_the_longest() -> None:
    assert waits(1.0, 5) == [2.0, 4.0, 8.0, 16.0, 32.0]
    assert waits(1.0, 12)[-3:] == [LONGEST_SECONDS] * 3
    assert FIRST_SECONDS == 2.0


def test_a_fleet_is_spread_over_half_of_the_bound() -> None:
    assert waits(0.0, 5) == [1.0, 2.0, 4.0, 8.0, 16.0]
    drawn = {Backoff(random.Random(seed)).after_failure() for seed in range(50)}
    assert len(drawn) == 50
    assert all(1.0 <= one <= 2.0 for one in drawn)


def test_however_many_failures_the_wait_stays_within_bounds() -> None:
    assert all(0 < one <= LONGEST_SECONDS for one in waits(1.0, 2_000))


def test_one_success_starts_over() -> None:
    backoff = Backoff(At(1.0))
    for _ in range(6):
        backoff.after_failure()
    backoff.succeeded()
    assert backoff.after_failure() == FIRST_SECONDS


def test_the_regular_interval_is_a_tenth_shorter_or_longer() -> None:
    assert [Backoff(At(share)).regular(300) for share in (0.0, 0.5, 1.0)] == [270.0, 300.0, 330.0]


def test_what_the_other_end_asks_for_is_the_least_and_is_spread() -> None:
    assert Backoff(At(0.0)).after_failure(60.0) == 60.0
    assert Backoff(At(1.0)).after_failure(60.0) == 90.0
    slow = Backoff(At(1.0))
    for _ in range(20):
        slow.after_failure()
    assert slow.after_failure(60.0) == LONGEST_SECONDS


def test_a_fleet_that_lost_its_server_is_spread_as_far_as_that_asked() -> None:
    backoff = Backoff(At(1.0))
    backoff.spread_seconds = 300
    assert backoff.at_start() == 300.0
    assert backoff.after_failure() == FIRST_SECONDS + 300.0
