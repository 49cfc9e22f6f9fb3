"""docs/THREATS.md names for each line the test that holds it; this one sees that they exist, and that no line goes without."""

import ast
import re
from pathlib import Path

import pytest

from tests.boundaries import parse

NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


@pytest.fixture(scope="module")
def lines(checkout: Path) -> list[str]:
    text = (checkout / "docs" / "THREATS.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| attempt")]
    assert len(rows) > 30
    return rows


def test_every_line_is_held_by_tests_that_exist(checkout: Path, lines: list[str]) -> None:
    tests = {
        (file.name, node.name)
        for file in (checkout / "tests").rglob("test_*.py")
        for node in ast.walk(parse(file.stem, file.read_text(encoding="utf-8")).tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    named = [(line, NAMED.findall(line)) for line in lines]
    assert [line for line, found in named if not found] == []
    assert [one for _, found in named for one in found if one not in tests] == []
