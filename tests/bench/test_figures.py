"""How figures are told: the spread, whether a budget is met, and the table."""

import doctest
import importlib

import bench.figures
from bench.__main__ import PARTS
from bench.figures import Line, table


def test_the_examples_hold() -> None:
    assert doctest.testmod(bench.figures).failed == 0


def test_every_part_can_be_measured() -> None:
    for part in PARTS:
        assert callable(importlib.import_module(f"bench.{part}").lines)


def test_the_table_has_a_line_for_each() -> None:
    line = Line(what="memory", budget="<= 44 MB", measured="29 MB", met="yes")
    head, rule, first = table([line]).splitlines()
    assert (head.count("|"), rule.count("|"), first.count("|")) == (7, 7, 7)
    assert len(head) == len(rule) == len(first)
    assert "memory" in first
