"""Every example in a docstring of the agent runs."""

import doctest
import importlib
import pkgutil
import sys

import pytest

import agent

WINDOWS_ONLY = (
    "agent.windows.",
    "agent.localapi.named_pipe",
    "agent.service.windows_service",
    "agent.service.windows_setup",
    "agent.service.windows_logon",
)
"""Calls of Windows; `make test-windows` imports them."""
MACOS_ONLY = ("agent.macos.",)
NAMES = sorted(
    module.name
    for module in pkgutil.walk_packages(agent.__path__, "agent.")
    if (sys.platform == "win32" or not module.name.startswith(WINDOWS_ONLY))
    and (sys.platform == "darwin" or not module.name.startswith(MACOS_ONLY))
)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_runs(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    stat = importlib.import_module("agent.sensing.linux_source")
    assert doctest.testmod(stat).attempted > 0
