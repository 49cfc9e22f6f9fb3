"""The examples in the tray's docstrings run."""

import doctest
import importlib

import pytest

EXPLAINED_BY_EXAMPLE = (
    "ui.agent_link.backoff",
    "ui.agent_link.lines",
    "ui.ledger_view",
    "ui.present.page",
    "ui.present.picture",
    "ui.starter",
    "ui.texts",
    "ui.widgets",
)


@pytest.mark.parametrize("name", EXPLAINED_BY_EXAMPLE)
def test_every_example_in_a_docstring_runs(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried
    assert failed == 0
