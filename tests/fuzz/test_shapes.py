"""Every target has a shape, and a few inputs of each are tried here: the contract's types change, and shapes must follow."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz import shapes
from tests.fuzz.targets import NAMES, targets

FEW = 8


@pytest.mark.parametrize("name", NAMES)
def test_a_few_inputs_of_each_shape_hold(
    name: str, db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "DRAWN", FEW)
    tried: set[bytes] = set()
    with targets()[name].opened(tmp_path) as check:

        @seed(1)
        @settings(
            max_examples=FEW,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(shapes.shape_of(name, 1))
        def one(data: bytes) -> None:
            tried.add(data)
            check(data)

        one()
    assert len(tried) > 1
