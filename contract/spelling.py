"""Keys that a person wrote and nothing reads: a rule that was misspelt would otherwise be silently without effect.

Only what people write is held to this. What programs send each other drops unknown fields, so that a later version can add some.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import msgspec

from contract.errors import MalformedError


def unknown_keys(value: object, written: object, path: str = "$") -> Iterable[MalformedError]:
    """Yield an error for each key of a written table that its typed value has no field for.

    Args:
        value: the typed value, as `contract.wire.convert` made it of the written one.
        written: the plain data: tables, lists and scalars.
        path: where it stands.

    >>> class Rule(msgspec.Struct):
    ...     id: str
    ...     rung: str = "report"
    >>> print(*unknown_keys(Rule(id="a"), {"id": "a", "rungs": "close"}))
    Not in the agreed form: Nothing here is called 'rungs', at $.rungs. Did you mean 'rung'?
    """
    if isinstance(value, msgspec.Struct) and isinstance(written, Mapping):
        for key, below in written.items():
            if key in value.__struct_fields__:
                yield from unknown_keys(getattr(value, key), below, f"{path}.{key}")
            else:
                yield _unknown(key, value.__struct_fields__, path)
    elif isinstance(value, Mapping) and isinstance(written, Mapping):
        for key, below in written.items():
            yield from unknown_keys(value[key], below, f"{path}.{key}")
    elif isinstance(value, Sequence) and isinstance(written, Sequence) and not isinstance(value, str):
        for number, (member, below) in enumerate(zip(value, written, strict=True)):
            yield from unknown_keys(member, below, f"{path}[{number}]")


def _unknown(key: str, fields: Sequence[str], path: str) -> MalformedError:
    close = get_close_matches(key, fields, n=1)
    remedy = f"Did you mean {close[0]!r}?" if close else f"Remove it; there is {_listed(fields)}."
    shown = key if len(key) <= 60 else key[:60] + "…"
    return MalformedError(f"Nothing here is called {shown!r}, at {path}.{shown}.", remedy, f"{path}.{shown}")


def _listed(fields: Sequence[str]) -> str:
    return f"{', '.join(fields[:-1])} and {fields[-1]}" if len(fields) > 1 else "".join(fields)
