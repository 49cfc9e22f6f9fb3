"""`python -m tests.fuzz.by_shape TARGET PLACE INPUTS SEED`: makes inputs that have the right form, then spoils them."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.bounds import Bounds
from tests.fuzz.shapes import shape_of
from tests.fuzz.targets import ready

SLICE = 2000
"""Hypothesis remembers what it has tried; in slices that stays small."""


def main(words: list[str]) -> None:
    """Try so many inputs; end with the smallest failing one's traceback, if one fails."""
    name, place, inputs, first_seed = words
    folder, wanted, number = Path(place), int(inputs), int(first_seed)
    target = ready(name)
    (folder / "state").mkdir()
    with target.opened(folder / "state") as check, Bounds(check, folder, wanted) as bounds:
        while bounds.figures.inputs < wanted:
            _slice(name, bounds, min(SLICE, wanted - bounds.figures.inputs), number)
            bounds.rest()
            number += 1


def _slice(name: str, bounds: Bounds, inputs: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(shape_of(name, number))
    def tried(data: bytes) -> None:
        bounds(data)

    tried()


if __name__ == "__main__":
    main(sys.argv[1:])
