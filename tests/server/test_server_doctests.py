import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "server.access.actions",
        "server.fleet.partitions",
        "server.fleet.sequences",
        "server.moments",
        "server.numbers",
        "server.policies.overlay_text",
    ],
)
def test_worked_examples_run(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried
    assert not failed
