"""What a measurement gives: a line of the table of budgets, with its spread, and whether the budget is met."""

import statistics
from collections.abc import Sequence
from typing import Literal

import msgspec

Met = Literal["stretch", "yes", "NO", ""]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table; texts for people."""

    what: str
    budget: str
    stretch: str = ""
    measured: str
    compared: str = ""
    """With what, in the same run."""
    met: Met
    """`stretch` if even that is met; empty where there is no budget, or it was not measured as the budget has it."""


def spread(samples: Sequence[float], unit: str, digits: int = 0) -> str:
    """Return median, range and number of samples.

    >>> spread([3.0, 1.0, 2.0], "ms", 1)
    '2.0 ms (1.0-3.0, n=3)'
    """
    middle = statistics.median(samples)
    low, high = min(samples), max(samples)
    return f"{middle:,.{digits}f} {unit} ({low:,.{digits}f}-{high:,.{digits}f}, n={len(samples)})"


def at_most(value: float, budget: float, stretch: float | None = None) -> Met:
    """Tell whether a value keeps below its budget.

    >>> at_most(5, 10, 6), at_most(8, 10, 6), at_most(11, 10, 6), at_most(5, 10)
    ('stretch', 'yes', 'NO', 'yes')
    """
    if value > budget:
        return "NO"
    return "stretch" if stretch is not None and value <= stretch else "yes"


def at_least(value: float, budget: float, stretch: float | None = None) -> Met:
    """Tell whether a value reaches its budget.

    >>> at_least(5, 4, 5), at_least(4, 4, 5), at_least(3, 4, 5)
    ('stretch', 'yes', 'NO')
    """
    return at_most(-value, -budget, None if stretch is None else -stretch)


COLUMNS = ("", "budget", "stretch", "measured: median (range)", "in the same run", "met")


def table(lines: Sequence[Line]) -> str:
    """Return the lines as one table of plain text, as Markdown has it."""
    rows = [
        COLUMNS,
        *((one.what, one.budget, one.stretch, one.measured, one.compared, one.met) for one in lines),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)
