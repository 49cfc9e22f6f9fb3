from hypothesis import given
from hypothesis import strategies as st

from server.fleet.sequences import GAPS_TOLD, Taken


@given(st.lists(st.integers(min_value=1, max_value=60)))
def test_gaps_are_exactly_the_numbers_that_lack(numbers: list[int]) -> None:
    taken = Taken()
    for number in numbers:
        taken = taken.take(number)
    lacking = {number for first, last in taken.gaps for number in range(first, last + 1)}
    assert lacking == set(range(1, max(numbers, default=0))) - set(numbers)
    assert set(range(1, taken.up_to + 1)) <= set(numbers)
    assert taken.up_to + 1 not in numbers


@given(st.lists(st.integers(min_value=1, max_value=60), unique=True), st.randoms())
def test_the_order_of_arrival_does_not_matter(numbers: list[int], random: object) -> None:
    shuffled = list(numbers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert _all(numbers) == _all(shuffled)


def test_an_acknowledgement_names_few_gaps_however_many_there_are() -> None:
    taken = _all(list(range(2, 1000, 2)))
    assert len(taken.gaps) == 499
    assert taken.missing == tuple((odd, odd) for odd in range(1, 2 * GAPS_TOLD, 2))


def _all(numbers: list[int]) -> Taken:
    taken = Taken()
    for number in numbers:
        taken = taken.take(number)
    return taken
