"""The page about privacy says what the program declares."""

from dev.privacy_page import PAGE, page


def test_it_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m dev.privacy_page"
