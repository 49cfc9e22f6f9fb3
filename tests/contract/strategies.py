"""Values of the contract's types, for property tests: everything a valid policy, sighting or circumstance can be."""

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

_SECONDS_LEFT_OFFSETS = datetime(1972, 1, 8)  # noqa: DTZ001 - hypothesis wants bounds without a zone
"""Until then Liberia's offset had seconds, which RFC 3339 cannot write."""
_FIRST, _LAST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - as above

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def moments() -> st.SearchStrategy[datetime]:
    """Every aware time that a message may carry, in named zones (gaps and folds included) and at fixed offsets."""
    return st.datetimes(_SECONDS_LEFT_OFFSETS, _LAST, timezones=st.timezones()) | st.datetimes(
        _FIRST, _LAST, timezones=offsets
    )
