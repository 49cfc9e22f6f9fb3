"""Numbers that stand in addresses and forms, which anybody may have written."""

_DIGITS_AT_MOST = 18
"""As many as always fit into a number of the database, which has 64 bits."""


def number_in(untrusted_text: str) -> int | None:
    """Return the number that a text says; None where it says none that a record can have.

    >>> number_in("42"), number_in("-1"), number_in("²"), number_in("9" * 19)
    (42, None, None, None)
    """
    is_one = untrusted_text.isascii() and untrusted_text.isdigit() and len(untrusted_text) <= _DIGITS_AT_MOST
    return int(untrusted_text) if is_one else None
