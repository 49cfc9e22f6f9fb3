"""Packages: a zip that is the same for the same files, and around it, for Chromium browsers, a signature by the company's key.

A `.crx` is `Cr24`, the format's number 3, the length of a header, the header and the zip. The header is a protocol buffer that holds the public
key, the signature and, signed with the zip, the extension's id (Chromium 150, components/crx_file/crx3.proto; the id is that of the key).
"""

import hashlib
import io
import struct
import zipfile
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_BITS = 2048
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can tell: the same files make the same bytes."""
_MAGIC, _FORMAT = b"Cr24", 3
_CONTEXT = b"CRX3 SignedData\0"
_RSA_PROOFS, _SIGNED_DATA = 2, 10_000
_PUBLIC_KEY, _SIGNATURE, _ID = 1, 2, 1
"""Numbers of the header's fields."""
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return the files as a zip; for Firefox that is the package."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), files[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def new_key() -> str:
    """Return a new key as PEM (PKCS 8)."""
    key = rsa.generate_private_key(65_537, KEY_BITS)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def extension_id(key_text: str) -> str:
    """Return the id that Chromium browsers give what is signed with a key.

    Raises:
        ValueError: it is no such key.
    """
    return _id(_public(_key(key_text))).hex().translate(_LETTERS)


def signed(archive: bytes, key_text: str) -> bytes:
    """Return a zip as a package for Chromium browsers.

    Raises:
        ValueError: it is no such key.
    """
    key = _key(key_text)
    public = _public(key)
    told = _field(_ID, _id(public))
    signature = key.sign(
        _CONTEXT + struct.pack("<I", len(told)) + told + archive, padding.PKCS1v15(), hashes.SHA256()
    )
    proof = _field(_PUBLIC_KEY, public) + _field(_SIGNATURE, signature)
    header = _field(_RSA_PROOFS, proof) + _field(_SIGNED_DATA, told)
    return _MAGIC + struct.pack("<II", _FORMAT, len(header)) + header + archive


def _key(text: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(text.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("it is no RSA key")  # noqa: TRY004 - the text is wrong, not its type
    return key


def _public(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _id(public: bytes) -> bytes:
    return hashlib.sha256(public).digest()[:16]


def _field(number: int, content: bytes) -> bytes:
    """Return a protocol buffer's field of bytes (protobuf.dev, "Encoding")."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
