import inspect
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.inspect import DateTimeType, Metadata, StructType, Type, UnionType, type_info

from contract import judge, local, messages, observations, wire
from contract.errors import MalformedError
from tests.contract.strategies import values_of

MESSAGES: tuple[Any, ...] = (
    messages.EnrolmentRequest,
    messages.SealedRequest,
    messages.KeyCertificate,
    messages.Enrolled,
    messages.EnrolmentReply,
    messages.CheckIn,
    messages.Acknowledgement,
    messages.CheckInReply,
    messages.PolicyBundle,
    messages.Refusal,
)
LARGE = 10**7


def structs(module: Any) -> Iterator[type[msgspec.Struct]]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__:
            yield kind


def zones_asked_for(info: Type) -> Iterator[bool | None]:
    match info:
        case DateTimeType(tz=zone):
            yield zone
        case Metadata(type=inner):
            yield from zones_asked_for(inner)
        case UnionType(types=types):
            for one in types:
                yield from zones_asked_for(one)


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_message_comes_back_as_it_went(kind: Any) -> None:
    @settings(max_examples=25)
    @given(values_of(kind))
    def comes_back(message: msgspec.Struct) -> None:
        encoded = wire.encode(message)
        again = wire.decode(kind, encoded, limit_bytes=LARGE)
        assert wire.encode(again) == encoded

    comes_back()


@pytest.mark.parametrize("module", [messages, observations, local, judge], ids=lambda module: module.__name__)
def test_every_time_in_every_message_needs_a_zone_and_a_year_that_can_be_counted_with(module: Any) -> None:
    dated = 0
    for kind in structs(module):
        info = type_info(kind)
        assert isinstance(info, StructType)
        zones = [zone for field in info.fields for zone in zones_asked_for(field.type)]
        if kind is judge.Circumstances:
            continue  # made on the spot from a clock, never decoded
        assert all(zones), f"{kind.__name__} takes a time without a zone"
        assert not zones or issubclass(kind, wire.Dated), f"{kind.__name__} takes the year 9999"
        dated += bool(zones)
    assert dated


def example(kind: Any, **changes: object) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.json.decode(wire.encode(EXAMPLES[kind]))
    return {**plain, **changes}


AT = datetime.fromisoformat("2026-03-02T09:00:00+01:00")
KEY = "k" * 43
EXAMPLES: dict[Any, msgspec.Struct] = {
    messages.EnrolmentRequest: messages.EnrolmentRequest(
        secret="acme.x",
        public_key=KEY,
        ownership="company",
        assurance="managed",
        platform="linux",
        version="0.1.0",
        device_name="desk-7",
        hardware="0" * 64,
        at=AT,
    ),
    messages.Enrolled: messages.Enrolled(
        device="d1", tenant="acme", company="Acme", public_key=KEY, check_in_seconds=300, at=AT
    ),
    messages.KeyCertificate: messages.KeyCertificate(
        public_key=KEY, use="policy", not_before=AT, not_after=AT
    ),
    messages.CheckIn: messages.CheckIn(
        version="0.1.0",
        platform="linux",
        ownership="company",
        clock=messages.Clock(wall=AT, monotonic_seconds=1.5, boot_id="b"),
        policy_serial=1,
        journal=messages.ChainHead(digest="0" * 64),
        waiting=1,
        observations=(messages.ObservationDigest(1, "0" * 64),),
    ),
    messages.SealedRequest: messages.SealedRequest(
        sealed="s",
        bodies=(messages.ObservationBody(sequence=1, salt="0" * 32, body=msgspec.Raw(b"{}")),),
    ),
    messages.Acknowledgement: messages.Acknowledgement(
        request="0" * 64, at=AT, current_serial=1, taken_up_to=1, next_check_in_seconds=300
    ),
}
A_DIGEST = [1, "0" * 64]
A_BODY = {"sequence": 1, "salt": "0" * 32, "body": {}}
WRONG: list[tuple[Any, dict[str, object], str]] = [
    (messages.EnrolmentRequest, {"secret": "x" * 201}, "$.secret"),
    (messages.EnrolmentRequest, {"secret": "acme.x\n"}, "$.secret"),
    (messages.EnrolmentRequest, {"public_key": "k" * 42}, "$.public_key"),
    (messages.EnrolmentRequest, {"public_key": KEY + "\n"}, "$.public_key"),
    (messages.EnrolmentRequest, {"public_key": "k" * 42 + "="}, "$.public_key"),
    (messages.EnrolmentRequest, {"ownership": "mine"}, "$.ownership"),
    (messages.EnrolmentRequest, {"assurance": "total"}, "$.assurance"),
    (messages.EnrolmentRequest, {"platform": "web"}, "$.platform"),
    (messages.EnrolmentRequest, {"device_name": "a\x00b"}, "$.device_name"),
    (messages.EnrolmentRequest, {"device_name": "a\x1b[2J"}, "$.device_name"),
    (messages.EnrolmentRequest, {"hardware": "0" * 63}, "$.hardware"),
    (messages.EnrolmentRequest, {"hardware": "F" * 64}, "$.hardware"),
    (messages.EnrolmentRequest, {"at": "2026-03-02T09:00:00"}, "$.at"),
    (messages.Enrolled, {"check_in_seconds": 4}, "$.check_in_seconds"),
    (messages.Enrolled, {"check_in_seconds": 86_401}, "$.check_in_seconds"),
    (messages.Enrolled, {"company": "x" * 201}, "$.company"),
    (messages.KeyCertificate, {"use": "root"}, "$.use"),
    (messages.KeyCertificate, {"not_after": None}, "$.not_after"),
    (messages.CheckIn, {"protocol": 2}, "$.protocol"),
    (messages.CheckIn, {"policy_serial": -1}, "$.policy_serial"),
    (messages.CheckIn, {"policy_serial": True}, "$.policy_serial"),
    (messages.CheckIn, {"waiting": 2**53 + 1}, "$.waiting"),
    (messages.CheckIn, {"version": "0.1.0\n"}, "$.version"),
    (messages.CheckIn, {"journal": {"digest": "0" * 64 + "\n"}}, "$.journal.digest"),
    (messages.CheckIn, {"clock": {"wall": 0}}, "$.clock.wall"),
    (messages.CheckIn, {"observations": [A_DIGEST] * 51}, "$.observations"),
    (messages.CheckIn, {"observations": [A_DIGEST, [0, "0" * 64]]}, "$.observations[1][0]"),
    (messages.CheckIn, {"observations": [[1, "0" * 65]]}, "$.observations[0][1]"),
    (messages.SealedRequest, {"bodies": [A_BODY] * 51}, "$.bodies"),
    (messages.SealedRequest, {"bodies": [{**A_BODY, "salt": "0" * 32 + "\n"}]}, "$.bodies[0].salt"),
    (messages.SealedRequest, {"bodies": [{**A_BODY, "salt": "0" * 34}]}, "$.bodies[0].salt"),
    (messages.SealedRequest, {"bodies": [{**A_BODY, "sequence": 2**53 + 1}]}, "$.bodies[0].sequence"),
    (messages.Acknowledgement, {"taken_up_to": -1}, "$.taken_up_to"),
    (messages.Acknowledgement, {"current_serial": 2**64}, "$.current_serial"),
    (messages.Acknowledgement, {"missing": [[1]]}, "$.missing[0]"),
    (messages.Acknowledgement, {"missing": [[1, 0]]}, "$.missing[0][1]"),
    (messages.Acknowledgement, {"forks": ["1"]}, "$.forks[0]"),
    (messages.Acknowledgement, {"next_check_in_seconds": 0}, "$.next_check_in_seconds"),
]


def said(case: object) -> str | None:
    return getattr(case, "__name__", None)


@pytest.mark.parametrize(("kind", "changes", "path"), WRONG, ids=said)
def test_a_field_of_the_wrong_type_or_size_is_refused_by_its_path(
    kind: Any, changes: dict[str, object], path: str
) -> None:
    with pytest.raises(MalformedError) as refused:
        wire.decode(kind, wire.encode(example(kind, **changes)), limit_bytes=LARGE)
    assert refused.value.path == path


@pytest.mark.parametrize("kind", EXAMPLES, ids=said)
def test_fields_of_a_later_version_are_dropped(kind: Any) -> None:
    later = wire.encode(example(kind, invented_later={"deep": [1]}))
    assert wire.encode(wire.decode(kind, later, limit_bytes=LARGE)) == wire.encode(EXAMPLES[kind])


def test_the_limits_themselves_are_taken() -> None:
    full = example(messages.CheckIn, observations=[A_DIGEST] * 50, waiting=2**53, version="x" * 200)
    assert len(wire.decode(messages.CheckIn, wire.encode(full), limit_bytes=LARGE).observations) == 50


@pytest.mark.parametrize("seconds", [-0.1, 1e13, "NaN", "Infinity", "-Infinity", "1e999"])
def test_a_monotonic_clock_that_cannot_be_counted_with_is_refused(seconds: object) -> None:
    untrusted = f'{{"wall": "2026-03-02T09:00:00Z", "monotonic_seconds": {seconds}, "boot_id": "b"}}'
    with pytest.raises(MalformedError):
        wire.decode(messages.Clock, untrusted.encode(), limit_bytes=LARGE)


def test_a_body_stays_byte_for_byte_as_it_was_digested() -> None:
    # Spaces, order and the way a number is written would all be lost by decoding and encoding again.
    body = b'{ "b": 1.0,  "a": "\\u0041" }'
    request = b'{"sealed": "s", "bodies": [{"sequence": 1, "salt": "%b", "body": %b}]}' % (b"0" * 32, body)
    taken = wire.decode(messages.SealedRequest, request, limit_bytes=LARGE)
    assert bytes(taken.bodies[0].body) == body


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.binary(), st.binary())
def test_a_salted_digest_tells_two_salts_and_two_bodies_apart(
    salt: bytes, other_salt: bytes, body: bytes, other_body: bytes
) -> None:
    same = (salt, body) == (other_salt, other_body)
    one = messages.salted_digest(salt.hex(), body)
    assert (one == messages.salted_digest(other_salt.hex(), other_body)) is same


def test_the_root_cannot_certify_itself_for_anything_but_the_three_uses() -> None:
    info = type_info(messages.KeyCertificate)
    assert isinstance(info, StructType)
    uses = next(field.type for field in info.fields if field.name == "use")
    assert set(getattr(uses, "values", ())) == {"policy", "server", "catalogue"}


def test_a_bundle_carries_a_whole_policy_and_refuses_a_broken_one_by_its_path() -> None:
    bundle = {"serial": 1, "issued_at": "2026-03-02T09:00:00Z", "expires_at": "2026-06-02T09:00:00Z"}
    with pytest.raises(MalformedError) as refused:
        wire.decode(
            messages.PolicyBundle, wire.encode({**bundle, "policy": {"id": "Not An Id"}}), limit_bytes=LARGE
        )
    assert refused.value.path.startswith("$.policy")
