import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import wire
from contract.errors import MalformedError
from tests.contract.strategies import moments

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=5)]


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    count: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0
    kind: Literal["a", "b"] = "a"


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    name: Name
    leaves: tuple[Leaf, ...] = ()
    texts: dict[Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}\Z")], Name] = {}


class Node(msgspec.Struct, frozen=True):
    child: "Node | None" = None


def decode(text: str | bytes) -> Tree:
    untrusted = text.encode() if isinstance(text, str) else text
    return wire.decode(Tree, untrusted, limit_bytes=1000)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[]", "$"),
        ("{}", "$"),
        ('{"name": 1}', "$.name"),
        ('{"name": ""}', "$.name"),
        ('{"name": "123456"}', "$.name"),
        ('{"name": "x", "leaves": {}}', "$.leaves"),
        ('{"name": "x", "leaves": [{}, {"count": 10}]}', "$.leaves[1].count"),
        ('{"name": "x", "leaves": [{"count": true}]}', "$.leaves[0].count"),
        ('{"name": "x", "leaves": [{"count": 1.0}]}', "$.leaves[0].count"),
        ('{"name": "x", "leaves": [{"count": "1"}]}', "$.leaves[0].count"),
        ('{"name": "x", "leaves": [{"kind": "c"}]}', "$.leaves[0].kind"),
        ('{"name": "x", "texts": {"EN": "x"}}', "$.texts"),
        ('{"name": "x", "texts": {"en": ""}}', "$.texts[...]"),
    ],
)
def test_a_wrong_field_is_named_by_its_path_from_json_and_from_plain_data(text: str, path: str) -> None:
    with pytest.raises(MalformedError) as from_json:
        decode(text)
    with pytest.raises(MalformedError) as from_plain_data:
        wire.convert(Tree, json.loads(text))
    for error in (from_json.value, from_plain_data.value):
        assert error.path == path
        assert error.detail.endswith(f"{path}.")
        assert "`key`" not in error.detail


def test_a_wrong_key_is_called_a_key_of_its_table() -> None:
    with pytest.raises(MalformedError, match=r"at a key of \$\.texts\."):
        decode('{"name": "x", "texts": {"EN": "x"}}')


def test_unknown_fields_are_dropped_at_every_depth() -> None:
    assert decode('{"name": "x", "new": {"deep": [1]}, "leaves": [{"count": 1, "new": 2}]}') == Tree(
        name="x", leaves=(Leaf(count=1),)
    )


@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"{",
        b'{"name": "x"',
        b'{"name": "x"} {}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": NaN}',
        b'{"leaves": Infinity}',
        b"\xef\xbb\xbf{}",
        b"{'name': 'x'}",
        b'{"name": "a\nb"}',
    ],
)
def test_what_is_not_json_is_refused_as_malformed(untrusted: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(untrusted)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_refused_and_never_exhausts_the_stack(opening: bytes) -> None:
    bomb = b'{"new": ' + opening * 50_000
    with pytest.raises(MalformedError):
        wire.decode(Tree, bomb, limit_bytes=10**6)


def test_deeply_nested_plain_data_is_refused() -> None:
    # A chain that refers to itself nests without end.
    endless: dict[str, object] = {}
    endless["child"] = endless
    with pytest.raises(MalformedError, match="nested too deeply"):
        wire.convert(Node, endless)


def test_the_limit_counts_bytes_and_is_inclusive() -> None:
    text = '{"name": "é"}'.encode()
    assert wire.decode(Tree, text, limit_bytes=len(text)) == Tree(name="é")
    with pytest.raises(MalformedError, match="14 bytes where at most 13"):
        wire.decode(Tree, text, limit_bytes=len(text) - 1)


def test_a_number_too_large_for_any_machine_is_refused() -> None:
    for number in ("1" + "0" * 400, "1" + "0" * 5000, "1e999", "-1"):
        with pytest.raises(MalformedError) as refused:
            wire.decode(Leaf, f'{{"count": {number}}}'.encode(), limit_bytes=10_000)
        assert refused.value.path == "$.count"


def test_a_refusal_quotes_no_more_than_a_line_of_what_was_wrong() -> None:
    with pytest.raises(MalformedError) as refused:
        wire.decode(Leaf, b'{"kind": "' + b"x" * 9_000 + b'"}', limit_bytes=10_000)
    assert len(str(refused.value)) < 400
    assert refused.value.path == "$.kind"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(json_values)
def test_canonical_json_says_the_same_whatever_the_order_of_its_fields(value: object) -> None:
    def reversed_order(part: object) -> object:
        if isinstance(part, dict):
            return {key: reversed_order(part[key]) for key in reversed(part)}
        return [reversed_order(one) for one in part] if isinstance(part, list) else part

    encoded = wire.encode(value)
    assert wire.encode(reversed_order(value)) == encoded
    assert json.loads(encoded) == value
    assert wire.encode(json.loads(encoded)) == encoded


def test_canonical_json_has_sorted_fields_no_spaces_and_plain_utf8() -> None:
    encoded = wire.encode(Tree(name="é", leaves=(Leaf(),)))
    assert encoded == '{"leaves":[{"count":0,"kind":"a"}],"name":"é","texts":{}}'.encode()


@given(st.binary(max_size=300))
def test_decoding_gives_a_value_or_a_malformed_error_and_nothing_else(untrusted: bytes) -> None:
    try:
        value = decode(untrusted)
    except MalformedError:
        return
    assert isinstance(value, Tree)


@given(st.binary(max_size=100))
def test_a_digest_is_sha256_in_lower_case_hexadecimal(data: bytes) -> None:
    assert wire.digest(data) == hashlib.sha256(data).hexdigest()


class Visit(wire.Dated, frozen=True, kw_only=True):
    at: wire.Moment
    until: wire.Moment | None = None


@pytest.mark.parametrize(
    "at",
    [
        "2026-01-01T00:00:00",
        "2026-01-01",
        "0001-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "",
        1767225600,
    ],
)
@pytest.mark.parametrize("member", ["at", "until"])
def test_a_moment_without_a_zone_or_at_the_calendars_ends_is_refused_by_its_path(
    member: str, at: object
) -> None:
    visit = {"at": "2026-01-01T00:00:00Z", member: at}
    with pytest.raises(MalformedError) as refused:
        wire.decode(list[Visit], wire.encode([visit]), limit_bytes=1000)
    assert refused.value.path == f"$[0].{member}"


@given(moments())
def test_a_moment_that_was_taken_can_be_told_in_every_zone_and_moved_by_a_day(at: datetime) -> None:
    visit = wire.decode(Visit, wire.encode(Visit(at=at)), limit_bytes=1000)
    assert visit.at == at.astimezone(UTC)
    for hours in (-14, 0, 14):
        moved = visit.at.astimezone(timezone(timedelta(hours=hours))) + timedelta(days=1)
        assert moved - visit.at == timedelta(days=1)
