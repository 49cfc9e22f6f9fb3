import doctest
import importlib
import pkgutil

import pytest

import contract

NAMES = sorted(f"contract.{module.name}" for module in pkgutil.iter_modules(contract.__path__))
EXPLAINED_BY_EXAMPLE = {"contract.wire", "contract.hours", "contract.envelope", "contract.messages"}


@pytest.mark.parametrize("name", NAMES)
def test_every_example_in_a_docstring_runs(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert tried or name not in EXPLAINED_BY_EXAMPLE, f"{name} is explained by examples, and none ran"
