"""`python -m tests.fuzz.by_shape TARGET PLACE INPUTS SEED`: makes inputs that have the right form, then spoils them."""

import sys
from pathlib import Path

from tests.fuzz.bounds import Bounds
from tests.fuzz.shapes import shape_of
from tests.fuzz.targets import ready
from tests.fuzz.tried import try_slice

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
            try_slice(shape_of(name, number), bounds, min(SLICE, wanted - bounds.figures.inputs), number)
            bounds.rest()
            number += 1


if __name__ == "__main__":
    main(sys.argv[1:])
