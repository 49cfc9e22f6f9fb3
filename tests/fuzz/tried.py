"""One slice of made-up values, tried by hypothesis: the same number gives the same ones, and the smallest that fails is raised."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

T = TypeVar("T")


def try_slice(values: st.SearchStrategy[T], check: Callable[[T], None], inputs: int, number: int) -> None:
    """Try so many values.

    Args:
        values: how they are made.
        check: raises for one that fails.
        inputs: how many; hypothesis remembers each of them until the slice ends.
        number: which slice.
    """

    @seed(number)
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(values)
    def tried(value: T) -> None:
        check(value)

    tried()
