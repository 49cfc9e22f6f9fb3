"""Every example in a docstring of the installers runs."""

import doctest
import importlib

import pytest

MODULES = ("installer.entry.surroundings", "installer.deb.package")


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
