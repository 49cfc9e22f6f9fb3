"""The published catalogue as it is sealed: whole, small, and bounded whatever is sent."""

import hashlib
import zlib
from datetime import UTC, datetime

import msgspec
import pytest

from agent.catalogue import shipped_entries
from contract.catalogue import Written
from contract.catalogue_bundle import (
    PACKED_BYTES_AT_MOST,
    UNPACKED_BYTES_AT_MOST,
    CatalogueBundle,
    is_newer,
    packed,
    unpacked,
)
from contract.errors import MalformedError
from contract.messages import REPLY_LIMIT_BYTES, CheckInReply
from contract.overlay import Overlay, parse
from contract.wire import decode, encode

AT = datetime(2026, 3, 2, tzinfo=UTC)


def bundle(listed: dict[str, Written], overlay: Overlay | None = None) -> CatalogueBundle:
    return CatalogueBundle(
        version=1, issued_at=AT, release="0.1.0", listed=listed, overlay=overlay or Overlay()
    )


def many(count: int) -> dict[str, Written]:
    """Return as many entries as asked for, made from those that ship; no name or value is like another."""
    listed = list(shipped_entries().items())
    made = {}
    for number in range(count):
        messenger, entry = listed[number % len(listed)]
        mark = hashlib.sha256(f"{number}".encode()).hexdigest()[:10]
        seen = tuple(
            (
                platform,
                f"{source} {mark}",
                {kind: f"{mark}-{value}" for kind, value in found.items()},
            )
            for platform, source, found in entry.seen
        )
        made[f"{mark}-{messenger}"[:48]] = msgspec.structs.replace(
            entry, name=f"{mark} {entry.name}", seen=seen, client_of=None
        )
    return made


def test_what_ships_comes_back_as_it_was_with_the_overlay_beside_it() -> None:
    overlay = parse('never = ["unlisted:x"]\n[telegram]\nname = "Telegram here"\n')
    sent = bundle(shipped_entries(), overlay)
    got = unpacked(packed(sent))
    assert got == sent
    assert got.catalogue().name_of("telegram") == "Telegram here"
    assert got.catalogue().never == {"unlisted:x"}


def test_five_thousand_messengers_fit_into_a_reply_beside_a_large_policy() -> None:
    small = packed(bundle(many(5000)))
    reply = CheckInReply(sealed="s" * 4000, bundle="p" * 400_000, catalogue="c" * (len(small) * 4 // 3 + 400))
    assert len(encode(reply)) <= REPLY_LIMIT_BYTES


def test_the_largest_that_is_published_leaves_room_for_a_large_policy() -> None:
    reply = CheckInReply(
        sealed="s" * 4000, bundle="p" * 400_000, catalogue="c" * (PACKED_BYTES_AT_MOST * 4 // 3 + 400)
    )
    assert len(encode(reply)) <= REPLY_LIMIT_BYTES


def test_one_that_is_too_large_is_refused_before_it_is_published() -> None:
    with pytest.raises(MalformedError, match=f"at most {PACKED_BYTES_AT_MOST:,}"):
        packed(bundle(many(20_000)))


def test_nothing_grows_beyond_the_bound_when_it_is_unpacked() -> None:
    bomb = zlib.compress(b" " * (UNPACKED_BYTES_AT_MOST + 1), 9)
    assert len(bomb) < 10_000
    with pytest.raises(MalformedError, match="are taken"):
        unpacked(bomb)


@pytest.mark.parametrize(
    "untrusted",
    [b"", b"{}", zlib.compress(b"{}"), zlib.compress(b"\xff"), packed(bundle({}))[:-1], b"x\x9c\x03"],
)
def test_what_is_no_bundle_is_refused(untrusted: bytes) -> None:
    with pytest.raises(MalformedError):
        unpacked(untrusted)


def test_a_version_begins_with_one() -> None:
    with pytest.raises(MalformedError, match="version"):
        decode(CatalogueBundle, encode(msgspec.structs.replace(bundle({}), version=0)), limit_bytes=10_000)


@pytest.mark.parametrize(
    ("newer", "older"), [("0.1.1", "0.1.0"), ("0.10.0", "0.9.9"), ("1", "0.9.9"), ("0.1.1rc1", "0.1.0")]
)
def test_releases_are_compared_as_numbers(newer: str, older: str) -> None:
    assert is_newer(newer, older)
    assert not is_newer(older, newer)
    assert not is_newer(newer, newer)
