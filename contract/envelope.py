"""The signed envelope, both ways: JWS (RFC 7515), compact, `alg` Ed25519 (RFC 9864).

The protected header binds a message to its tenant, device, type and direction, so that none can be replayed as another:

>>> key = SigningKey.generate()
>>> address = Address(type="check-in", tenant="acme", device="d1", direction="to_server")
>>> sealed = seal(b'{"x":1}', address, key)
>>> unseal(sealed, address, key.public)
b'{"x":1}'
>>> other = Address(type="check-in", tenant="acme", device="d2", direction="to_server")
>>> unseal(sealed, other, key.public)
Traceback (most recent call last):
contract.envelope.SealError: The seal does not hold: It is meant for another device. Refuse the message.
"""

import base64
import json
from typing import Literal

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from contract.errors import DecorumError, MalformedError

ALGORITHM = "Ed25519"
EVERY_DEVICE = "*"
"""The device named in what is sealed for the whole fleet."""
MessageType = Literal[
    "enrolment",
    "enrolled",
    "check-in",
    "acknowledgement",
    "policy-bundle",
    "catalogue-bundle",
    "key-certificate",
    "device-key",
    "holdings-request",
    "holdings",
    "leave-request",
    "left",
]
Direction = Literal["to_server", "to_device"]
SealProblem = Literal["malformed", "signature", "type", "tenant", "device", "direction"]

LIMIT_BYTES = 1024 * 1024
"""The largest sealed message that is opened: as much as the largest reply of the server carries."""


class _Registry(jws.JWSRegistry):
    """The one algorithm, and room for a whole policy: joserfc's own limits are 512 bytes of header and 128,000 in all."""

    max_header_length = 8 * 1024
    max_payload_length = LIMIT_BYTES


_REGISTRY = _Registry(algorithms=[ALGORITHM], strict_check_header=False)
_Y_OF_SMALL_ORDER = frozenset(
    bytes.fromhex(y)
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""The y of the curve's points of order 1, 2, 4 and 8, the unreduced ones too. OpenSSL takes such a point as a key, and
seals under it can be made by anybody (RFC 8032, section 7, leaves the check to the application)."""


class SealError(DecorumError):
    """A seal that does not hold; `problem` names what is wrong with it."""

    title = "The seal does not hold"

    def __init__(self, detail: str, problem: SealProblem) -> None:
        super().__init__(detail, "Refuse the message.")
        self.problem = problem


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """What a seal is bound to."""

    type: MessageType
    tenant: str
    device: str
    direction: Direction


class VerifyKey:
    """A public Ed25519 key.

    Args:
        text: the raw key, base64url without padding, 43 characters (member `x` of its JWK, RFC 8037).

    Raises:
        MalformedError: the text is no such key.
    """

    def __init__(self, text: str) -> None:
        try:
            self._key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": text})
            self.fingerprint: str = self._key.thumbprint()
        except (ValueError, TypeError, JoseError) as error:
            raise MalformedError(f"{text[:60]!r} is not an Ed25519 key.", "Copy the whole key.") from error
        if _is_of_small_order(text):
            raise MalformedError("Anybody could seal with this key.", "Make a new key.")
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


class SigningKey:
    """A private Ed25519 key; its text is a JWK in JSON and a secret."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.public = VerifyKey(str(key.as_dict(private=False)["x"]))

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key here."""
        return cls(OKPKey.generate_key("Ed25519", private=True))

    @classmethod
    def from_text(cls, text: str) -> "SigningKey":
        """Return the key written by `to_text`.

        Raises:
            MalformedError: the text is no private Ed25519 key.
        """
        try:
            key = OKPKey.import_key(json.loads(text))
            if key.curve_name != "Ed25519" or key.private_key is None:
                raise MalformedError("This is no private Ed25519 key.", "Restore it from its backup.")
            # joserfc believes the public half that stands beside the private one.
            if key.binding.export_private_key(key.private_key)["x"] != key.as_dict(private=False)["x"]:
                raise MalformedError("The two halves of the key do not fit.", "Restore it from its backup.")
            return cls(key)
        except (ValueError, TypeError, KeyError, RecursionError, JoseError) as error:
            raise MalformedError("This is not a key.", "Restore it from its backup.") from error

    def to_text(self) -> str:
        """Return the private key as a JWK; keep it in a credential store only."""
        return json.dumps(self._key.as_dict(private=True), sort_keys=True)


def _is_of_small_order(text: str) -> bool:
    point = bytearray(base64.urlsafe_b64decode(text + "="))
    point[-1] &= 0x7F  # the sign of x
    return bytes(point) in _Y_OF_SMALL_ORDER


def seal(payload: bytes, address: Address, key: SigningKey) -> str:
    """Return the payload sealed, as a compact JWS."""
    header = {
        "alg": ALGORITHM,
        "kid": key.public.fingerprint,
        "typ": f"decorum-{address.type}",
        "tenant": address.tenant,
        "device": address.device,
        "direction": address.direction,
    }
    return jws.serialize_compact(header, payload, key._key, registry=_REGISTRY)  # noqa: SLF001 - same module


def unseal(untrusted_text: str, address: Address, key: VerifyKey) -> bytes:
    """Return the payload of a message that is whole, sealed by this key and meant for this address.

    Raises:
        SealError: anything else.
    """
    try:
        opened = jws.deserialize_compact(untrusted_text, key._key, registry=_REGISTRY)  # noqa: SLF001
    except JoseError as error:
        problem: SealProblem = "signature" if error.error == "bad_signature" else "malformed"
        raise SealError("It was changed, or another key sealed it.", problem) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise SealError("It is not a sealed message.", "malformed") from error
    header = opened.headers()
    if "crit" in header:
        # RFC 7515, section 4.1.11: to be refused unless every extension is understood; none is used here.
        raise SealError("It asks for an extension that does not exist here.", "malformed")
    expected = {"typ": f"decorum-{address.type}", **msgspec.structs.asdict(address)}
    for member, problem_name in _BOUND:
        if header.get(member) != expected[member]:
            raise SealError(f"It is meant for another {problem_name}.", problem_name)
    return opened.payload or b""


def payload_of(sealed: str) -> bytes:
    """Return the payload of a message that `unseal` has taken; nothing is verified here.

    Raises:
        SealError: not a compact JWS.
    """
    try:
        return jws.extract_compact(sealed.encode(), registry=_REGISTRY).payload or b""
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise SealError("It is not a sealed message.", "malformed") from error


_BOUND: tuple[tuple[str, SealProblem], ...] = (
    ("typ", "type"),
    ("tenant", "tenant"),
    ("device", "device"),
    ("direction", "direction"),
)


def untrusted_header(untrusted_text: str) -> dict[str, object]:
    """Return a message's protected header before it was verified: good only for finding the key to verify it with.

    Raises:
        SealError: not a compact JWS.
    """
    try:
        return dict(jws.extract_compact(untrusted_text.encode(), registry=_REGISTRY).headers())
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise SealError("It is not a sealed message.", "malformed") from error
