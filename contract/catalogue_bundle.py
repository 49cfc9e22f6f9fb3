"""The published catalogue: what a server knows of messengers, sealed by the catalogue key for every device.

It carries the whole list that came with the server, and the company's overlay beside it, on a version line of its own. A device that
came with a newer list keeps its own; the overlay wins over either. JSON of this kind is compressed to a fifth before it is sealed.

>>> from datetime import UTC, datetime
>>> bundle = CatalogueBundle(version=3, issued_at=datetime(2026, 3, 2, tzinfo=UTC), release="0.2.0", listed={}, overlay=Overlay())
>>> unpacked(packed(bundle)) == bundle
True
>>> is_newer("0.10.0", "0.9.1"), is_newer("0.9.1", "0.9.1")
(True, False)
"""

import re
import zlib
from typing import Annotated

import msgspec

from contract import wire
from contract.catalogue import Catalogue, MessengerId, Written
from contract.errors import MalformedError
from contract.overlay import Overlay, merge
from contract.wire import Dated, Moment

PACKED_BYTES_AT_MOST = 448 * 1024
"""The largest catalogue that is published: sealed it takes three fifths of a reply, so that a large policy has room beside it."""
UNPACKED_BYTES_AT_MOST = 8 * 1024 * 1024
"""The most that a device unpacks, whatever it was sent."""
Release = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}[a-z0-9.+-]{0,20}\Z")]


class CatalogueBundle(Dated, frozen=True, kw_only=True):
    """A published catalogue."""

    version: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    """Only rises; it has nothing to do with the policy's serial."""
    issued_at: Moment
    release: Release
    """The release of Decorum that the list came with."""
    listed: dict[MessengerId, Written]
    overlay: Overlay

    def catalogue(self) -> Catalogue:
        """Return what it says: its list with the overlay laid over it.

        Raises:
            MalformedError: the two do not fit together.
        """
        return merge(self.listed, self.overlay)


def packed(bundle: CatalogueBundle) -> bytes:
    """Return the bundle as it is sealed.

    Raises:
        MalformedError: it is too large for a device to take.
    """
    plain = wire.encode(bundle)
    small = zlib.compress(plain, 9)
    if len(small) > PACKED_BYTES_AT_MOST or len(plain) > UNPACKED_BYTES_AT_MOST:
        raise MalformedError(
            f"The catalogue is too large for devices: {len(small):,} bytes compressed, {len(plain):,} before;"
            f" at most {PACKED_BYTES_AT_MOST:,} and {UNPACKED_BYTES_AT_MOST:,} are taken.",
            "Take out what your company does not need.",
        )
    return small


def unpacked(untrusted_bytes: bytes) -> CatalogueBundle:
    """Return the bundle.

    Raises:
        MalformedError: not of the agreed form, or too large once it is unpacked.
    """
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(untrusted_bytes, UNPACKED_BYTES_AT_MOST + 1)
    except zlib.error as error:
        raise MalformedError(
            f"This is not compressed ({error}).", "Check that the data is complete."
        ) from error
    if not unpacking.eof and len(plain) <= UNPACKED_BYTES_AT_MOST:
        raise MalformedError("The compressed data ends too early.", "Check that the data is complete.")
    return wire.decode(CatalogueBundle, plain, limit_bytes=UNPACKED_BYTES_AT_MOST)


def is_newer(release: str, than: str) -> bool:
    """Tell whether a release came after another; what follows its numbers does not count."""
    return _numbers(release) > _numbers(than)


def _numbers(release: str) -> tuple[int, ...]:
    found = re.match(r"[0-9]+(\.[0-9]+)*", release)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
