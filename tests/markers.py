"""Searches captured bytes for a marker in every form in which it could stand there.

What wraps others is unwrapped, again and again: gzip, zlib and bare deflate; the parts of a sealed message and every other run of base64;
percent signs; JSON's escapes. In each layer the marker is looked for as text, whatever its case, in UTF-8 and UTF-16, as hexadecimal
digits, as base64 of either alphabet at each of its three alignments, turned round by its dots, and as its SHA-256.
"""

import base64
import binascii
import hashlib
import re
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

DEEPEST = 5
_LARGEST_BYTES = 16 * 1024 * 1024
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_RUNS = (re.compile(rb"[A-Za-z0-9_-]{8,}"), re.compile(rb"[A-Za-z0-9+/]{8,}"))
_GZIP, _ZLIB = b"\x1f\x8b\x08", re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_CONTAINERS = ((_GZIP, 31), (_ZLIB, 15))


def found(marker: str, data: bytes) -> list[str]:
    """Return in which forms a marker stands in the data; empty if in none."""
    return sorted(set(_in_layer(marker, b"\n".join(layers(data)))))


def any_found(markers: Mapping[str, str], data: bytes) -> dict[str, list[str]]:
    """Return by name which of several markers stand in the data, and in which forms."""
    unwrapped = b"\n".join(layers(data))
    forms = {name: sorted(set(_in_layer(marker, unwrapped))) for name, marker in markers.items()}
    return {name: which for name, which in forms.items() if which}


def plainly_found(markers: Mapping[str, str], data: bytes) -> set[str]:
    """Return by name which of several markers stand in the data as text, however it is wrapped: quick, for where little else is likely."""
    text = b"\n".join(layers(data)).decode(errors="replace").casefold()
    return {name for name, marker in markers.items() if marker.casefold() in text}


def layers(data: bytes) -> Iterator[bytes]:
    """Yield the data and everything that is wrapped in it."""
    seen: set[bytes] = set()
    waiting = [(data, 0)]
    while waiting:
        layer, depth = waiting.pop()
        if layer in seen:
            continue
        seen.add(layer)
        yield layer
        if depth < DEEPEST:
            waiting.extend((inner, depth + 1) for inner in _unwrapped(layer) if inner)


def _unwrapped(layer: bytes) -> Iterator[bytes]:
    yield from _inflated(layer)
    if b"%" in layer:
        yield urllib.parse.unquote_to_bytes(layer)
    if b"\\u" in layer:
        yield _ESCAPES.sub(_unescaped, layer.decode(errors="replace")).encode(errors="replace")
    for pattern, other in zip(_RUNS, (b"-_", b"+/"), strict=True):
        for run in pattern.findall(layer):
            if len(run) % 4 != 1:
                yield base64.b64decode(run + b"=" * (-len(run) % 4), altchars=other)


def _inflated(layer: bytes) -> Iterator[bytes]:
    for start, window in _CONTAINERS:
        for match in re.finditer(start, layer):
            yield _inflate(layer[match.start() :], window)
    yield _inflate(layer, -15)


def _inflate(layer: bytes, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(layer, _LARGEST_BYTES)
    except zlib.error:
        return b""


def _unescaped(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("\\u", "")).decode("utf-16-be", errors="replace")


def _in_layer(marker: str, layer: bytes) -> Iterator[str]:
    if marker.casefold() in layer.decode(errors="replace").casefold():
        yield "text"
    lower = layer.lower()
    for form, needle in _whatever_the_case(marker):
        if needle.lower() in lower:
            yield form
    for spelt in {marker, marker.lower(), marker.upper(), marker.casefold()}:
        for form, needle in _spelt_exactly(spelt):
            if needle in layer:
                yield form


def _whatever_the_case(marker: str) -> Iterable[tuple[str, bytes]]:
    for text in (marker, marker.lower(), marker.upper()):
        yield "UTF-16 (little)", text.encode("utf-16-le")
        yield "UTF-16 (big)", text.encode("utf-16-be")
        yield "hexadecimal", binascii.hexlify(text.encode())
        yield "hexadecimal UTF-16", binascii.hexlify(text.encode("utf-16-le"))
        yield "SHA-256", hashlib.sha256(text.encode()).hexdigest().encode()
    if "." in marker:
        yield "reversed by its dots", ".".join(reversed(marker.split("."))).encode()


def _spelt_exactly(marker: str) -> Iterable[tuple[str, bytes]]:
    digest = hashlib.sha256(marker.encode()).digest()
    yield "SHA-256 (bytes)", digest
    for what, plain in (
        ("base64", marker.encode()),
        ("base64 of UTF-16", marker.encode("utf-16-le")),
        ("base64 of SHA-256", digest),
    ):
        for alignment in range(3):
            yield f"{what} (alignment {alignment})", _within(base64.b64encode, plain, alignment)
            yield f"{what}url (alignment {alignment})", _within(base64.urlsafe_b64encode, plain, alignment)


def _within(encode: Callable[[bytes], bytes], plain: bytes, alignment: int) -> bytes:
    """Return the digits of base64 that are the same whatever stands before and behind."""
    digits = encode(b"\0" * alignment + plain)
    first = (0, 2, 3)[alignment]
    whole_bits = (alignment + len(plain)) * 8
    return digits[first : whole_bits // 6]
