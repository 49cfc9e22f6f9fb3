"""The pages that are made from the program's declarations say what it declares."""

from typing import get_args

from contract.sides import SIGNALS, SignalName
from dev import privacy_page, sides_page


def test_it_is_current() -> None:
    assert privacy_page.PAGE.read_text(encoding="utf-8") == privacy_page.page(), "python -m dev.privacy_page"


def test_the_page_of_signals_is_current() -> None:
    assert sides_page.PAGE.read_text(encoding="utf-8") == sides_page.page(), "python -m dev.sides_page"


def test_each_signal_is_declared_in_the_order_in_which_they_count() -> None:
    assert tuple(one.name for one in SIGNALS) == get_args(SignalName)
