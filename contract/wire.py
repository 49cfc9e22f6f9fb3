"""JSON in and out of every message, policy and record.

Encoding is canonical (sorted keys, no spaces, UTF-8), so that a digest over it can be recomputed by anyone.
Decoding is typed and bounded: unknown fields are dropped, a wrong type or size is refused by the path of the field.

>>> class Point(msgspec.Struct, frozen=True):
...     x: int
>>> encode(Point(x=1))
b'{"x":1}'
>>> decode(Point, b'{"x": 1, "colour": "dropped"}', limit_bytes=100)
Point(x=1)
>>> decode(Point, b'{"x": "one"}', limit_bytes=100)
Traceback (most recent call last):
contract.errors.MalformedError: Not in the agreed form: Expected `int`, got `str` at $.x. Correct this field.
"""

import hashlib
import re
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec

from contract.errors import MalformedError

T = TypeVar("T")

_PATH = re.compile(r" - at (?P<key>`key` in )?`(?P<path>[^`]*)`\Z")
_MEMBER = re.compile(r" in `(?P<name>\w+)`\Z")
"""How `Dated` names the wrong member; msgspec's own path ends at the struct."""
_DETAIL_CHARACTERS = 300
"""A refusal quotes what was wrong; what was wrong may be as long as a message."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A point in time; one without a zone is refused, since nothing could be compared with it."""


class Dated(msgspec.Struct, frozen=True):
    """A struct whose moments can be told in every zone and added to: Python's calendar ends with the year 9999."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime) and not 2 <= value.year <= 9998:
                raise ValueError(f"Expected a year from 2 to 9998 in `{name}`")


def encode(value: object) -> bytes:
    """Return the canonical JSON of a struct or of plain data."""
    return msgspec.json.encode(value, order="sorted")


def digest(value_bytes: bytes) -> str:
    """Return the SHA-256 of the bytes, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(value_bytes).hexdigest()


def decode(kind: type[T], untrusted_bytes: bytes, *, limit_bytes: int) -> T:
    """Return the typed value.

    Raises:
        MalformedError: too large, not JSON, too deep, or a field of the wrong type or size.
    """
    if len(untrusted_bytes) > limit_bytes:
        raise MalformedError(
            f"{len(untrusted_bytes):,} bytes where at most {limit_bytes:,} are taken.", "Send less at once."
        )
    try:
        return msgspec.json.decode(untrusted_bytes, type=kind)
    except msgspec.ValidationError as error:
        raise malformed(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(f"This is not JSON ({error}).", "Check that the data is complete.") from error
    except RecursionError as error:
        raise MalformedError("The data is nested too deeply.", "Send flat data.") from error


def convert(kind: type[T], untrusted_value: Any) -> T:
    """Return plain data (from TOML or JSON) as the typed value.

    Raises:
        MalformedError: as `decode`.
    """
    try:
        return msgspec.convert(untrusted_value, type=kind)
    except msgspec.ValidationError as error:
        raise malformed(error) from error
    except RecursionError as error:
        raise MalformedError("The data is nested too deeply.", "Send flat data.") from error


def malformed(error: msgspec.ValidationError) -> MalformedError:
    """Translate msgspec's refusal into ours, with the path of the wrong field, or of the table whose key is wrong."""
    text = str(error)
    found = _PATH.search(text)
    path = found["path"] if found else "$"
    what = "a key of " if found and found["key"] else ""
    detail = _PATH.sub("", text)
    member = _MEMBER.search(detail)
    if member:
        detail, path = _MEMBER.sub("", detail), f"{path}.{member['name']}"
    if len(detail) > _DETAIL_CHARACTERS:
        detail = detail[:_DETAIL_CHARACTERS] + "…"
    return MalformedError(f"{detail} at {what}{path}.", "Correct this field.", path)
