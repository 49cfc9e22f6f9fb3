"""The search for markers finds what is planted, in each form and however it is wrapped, and nothing where nothing is."""

import base64
import gzip
import hashlib
import json
import urllib.parse
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.envelope import Address, SigningKey, seal
from tests.markers import any_found, found

MARKERS = ("zqx-anna-v4lentin", "Zqx Ännä Façade", "zqx-host.anna.example", "/home/zqxanna/Ordner")


def _bare_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


def _sealed(text: bytes) -> bytes:
    address = Address(type="check-in", tenant="t", device="d", direction="to_server")
    return seal(text, address, SigningKey.generate()).encode()


FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda marker: marker.encode(),
    "upper case": lambda marker: marker.upper().encode(),
    "case folded": lambda marker: marker.casefold().encode(),
    "UTF-16 little": lambda marker: marker.encode("utf-16-le"),
    "UTF-16 big": lambda marker: marker.encode("utf-16-be"),
    "percent": lambda marker: urllib.parse.quote(marker, safe="").encode(),
    "every character percent": lambda marker: "".join(f"%{one:02X}" for one in marker.encode()).encode(),
    "JSON": lambda marker: json.dumps({"a": marker}).encode(),
    "JSON, all escaped": lambda marker: "".join(f"\\u{ord(one):04x}" for one in marker).encode(),
    "base64, alignment 0": lambda marker: base64.b64encode(b"abc" + marker.encode() + b"??>"),
    "base64, alignment 1": lambda marker: base64.b64encode(b"\xfaabc" + marker.encode() + b"\xff"),
    "base64, alignment 2": lambda marker: base64.b64encode(b"\xfb\xfeabc" + marker.encode() + b"\xfe"),
    "base64url, alignment 0": lambda marker: base64.urlsafe_b64encode(marker.encode()).rstrip(b"="),
    "base64url, alignment 1": lambda marker: base64.urlsafe_b64encode(b"\xfa" + marker.encode()),
    "base64url, alignment 2": lambda marker: base64.urlsafe_b64encode(b"\xfb\xfe" + marker.encode()),
    "base64 within a run": lambda marker: b"9" + base64.b64encode(b"abc" + marker.encode()),
    "base64 of UTF-16": lambda marker: b"9" + base64.b64encode(marker.encode("utf-16-le")),
    "hexadecimal": lambda marker: marker.encode().hex().encode(),
    "hexadecimal, upper": lambda marker: marker.encode().hex().upper().encode(),
    "SHA-256": lambda marker: hashlib.sha256(marker.encode()).hexdigest().encode(),
    "SHA-256 of the lower": lambda marker: hashlib.sha256(marker.lower().encode()).hexdigest().encode(),
    "SHA-256 in base64url": lambda marker: base64.urlsafe_b64encode(hashlib.sha256(marker.encode()).digest()),
}
WRAPPED: dict[str, Callable[[bytes], bytes]] = {
    "bare": lambda text: text,
    "in the middle": lambda text: b'{"a":"' + text + b'"}',
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "deflate": _bare_deflate,
    "sealed": _sealed,
    "sealed twice": lambda text: _sealed(b'{"proof":"' + _sealed(text) + b'"}'),
    "sealed gzip behind a header": lambda text: b"POST / HTTP/1.1\r\n\r\n" + _sealed(gzip.compress(text)),
    "gzip behind a header": lambda text: b"content-encoding: gzip\r\n\r\n" + gzip.compress(text),
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_is_found_in_each_form_however_it_is_wrapped(
    marker: str, form: Callable[[str], bytes], wrap: Callable[[bytes], bytes]
) -> None:
    assert found(marker, wrap(form(marker)))


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_another_is_not(form: Callable[[str], bytes], wrap: Callable[[bytes], bytes]) -> None:
    assert found("zqx-anna", wrap(form("zqx-berta-berta"))) == []


def test_a_domain_is_found_turned_round() -> None:
    assert found("zqx-host.anna.example", b'{"id":"example.anna.zqx-host"}') == ["reversed by its dots"]


@given(
    st.text(st.characters(codec="utf-8"), min_size=6, max_size=20),
    st.binary(max_size=7),
    st.binary(max_size=7),
)
def test_base64_hides_nothing_whatever_stands_around_it(marker: str, before: bytes, behind: bytes) -> None:
    plain = before + marker.encode() + behind
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert found(marker, b"!" + encode(plain) + b"!")
        assert found(marker, b"7" + encode(plain))


def test_several_are_told_apart_by_name() -> None:
    assert any_found({"one": "zqxone", "two": "zqxtwo"}, b"only ZQXTWO") == {"two": ["text"]}
