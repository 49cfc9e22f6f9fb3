"""Values of the contract's types, for property tests: everything a valid policy, sighting or circumstance can be."""

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

_SECONDS_LEFT_OFFSETS = datetime(1972, 1, 8)  # noqa: DTZ001 - hypothesis wants bounds without a zone
"""Until then Liberia's offset had seconds, which RFC 3339 cannot write."""
_FIRST, _LAST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - as above
_CHARACTERS = st.characters(codec="utf-8")
_MANY = 2**63

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def moments() -> st.SearchStrategy[datetime]:
    """Every aware time that a message may carry, in named zones (gaps and folds included) and at fixed offsets."""
    return st.datetimes(_SECONDS_LEFT_OFFSETS, _LAST, timezones=st.timezones()) | st.datetimes(
        _FIRST, _LAST, timezones=offsets
    )


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Every value that the type's own declaration allows, limits included."""
    return _values(inspect.type_info(kind))


def _values(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata(type=inner):
            return _values(inner)
        case inspect.UnionType(types=types):
            return st.one_of([_values(one) for one in types])
        case inspect.StructType(cls=kind, fields=fields):
            return st.builds(kind, **{field.name: _values(field.type) for field in fields})
        case inspect.VarTupleType() | inspect.TupleType() | inspect.DictType():
            return _collections(info)
    return _scalars(info)


def _collections(info: inspect.VarTupleType | inspect.TupleType | inspect.DictType) -> st.SearchStrategy[Any]:
    match info:
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return st.lists(_values(item), min_size=least or 0, max_size=_few(least, most)).map(tuple)
        case inspect.TupleType(item_types=items):
            return st.tuples(*[_values(one) for one in items])
        case inspect.DictType(key_type=key, value_type=value, min_length=least, max_length=most):
            return st.dictionaries(
                _values(key), _values(value), min_size=least or 0, max_size=_few(least, most)
            )


def _scalars(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.IntType(ge=low, le=high):
            return st.integers(-_MANY if low is None else low, _MANY if high is None else high)
        case inspect.FloatType(ge=low, le=high):
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case inspect.StrType():
            return _texts(info)
    return _SIMPLE[type(info)]


def _texts(info: inspect.StrType) -> st.SearchStrategy[str]:
    least, most = info.min_length or 0, info.max_length
    if info.pattern is None:
        return st.text(_CHARACTERS, min_size=least, max_size=most)
    texts = st.from_regex(info.pattern, fullmatch=True, alphabet=_CHARACTERS)
    return texts.filter(lambda text: least <= len(text) <= (most or len(text)))


def _few(least: int | None, most: int | None) -> int:
    return min((least or 0) + 2, most if most is not None else 100)


_SIMPLE: dict[type[inspect.Type], st.SearchStrategy[Any]] = {
    inspect.NoneType: st.none(),
    inspect.BoolType: st.booleans(),
    inspect.DateType: st.dates(),
    inspect.DateTimeType: moments(),
    inspect.RawType: st.sampled_from([msgspec.Raw(b"{}"), msgspec.Raw(b'{"a":[1,"b"]}')]),
}
