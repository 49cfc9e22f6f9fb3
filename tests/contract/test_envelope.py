import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.envelope import (
    LIMIT_BYTES,
    Address,
    SealError,
    SigningKey,
    VerifyKey,
    seal,
    unseal,
    untrusted_header,
)
from contract.errors import MalformedError
from contract.observations import SHORT_CHARACTERS


def key_of(secret: str, public: str) -> SigningKey:
    jwk = {"d": text_of(bytes.fromhex(secret)), "x": text_of(bytes.fromhex(public))}
    return SigningKey.from_text(json.dumps({"kty": "OKP", "crv": "Ed25519", **jwk}))


def text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# RFC 8032, section 7.1, tests 1 and 2: always the same, so that each test has the same name in every run.
KEY = key_of(
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
)
OTHER_KEY = key_of(
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
)
HERE = Address(type="check-in", tenant="acme", device="d1", direction="to_server")
HEADER = {
    "alg": "Ed25519",
    "kid": KEY.public.fingerprint,
    "typ": "decorum-check-in",
    "tenant": "acme",
    "device": "d1",
    "direction": "to_server",
}
PAYLOAD = b'{"x":1}'
SEALED = seal(PAYLOAD, HERE, KEY)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def sealed_by_hand(header: bytes | dict[str, object], payload: str = text_of(PAYLOAD)) -> str:
    """Seal correctly over any header and any payload text, as an attacker with the right key, or a bug, could."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{text_of(raw)}.{payload}"
    private = KEY._key.private_key
    assert private is not None
    signature = private.sign(signed.encode())  # type: ignore[union-attr]  # it is an Ed25519 key
    return f"{signed}.{text_of(signature)}"


def refusal(untrusted: str, address: Address = HERE, key: VerifyKey = KEY.public) -> SealError:
    with pytest.raises(SealError) as refused:
        unseal(untrusted, address, key)
    return refused.value


def test_the_message_made_by_hand_is_like_the_one_that_seal_makes() -> None:
    assert unseal(sealed_by_hand(dict(HEADER)), HERE, KEY.public) == PAYLOAD
    assert untrusted_header(SEALED) == HEADER


addresses = st.builds(
    Address,
    type=st.sampled_from(["check-in", "policy-bundle"]),
    tenant=st.text(st.characters(codec="utf-8"), max_size=SHORT_CHARACTERS),
    device=st.text(st.characters(codec="utf-8"), max_size=SHORT_CHARACTERS),
    direction=st.sampled_from(["to_server", "to_device"]),
)


@given(st.binary(max_size=2000), addresses)
def test_what_was_sealed_comes_back_byte_for_byte(payload: bytes, address: Address) -> None:
    sealed = seal(payload, address, KEY)
    assert unseal(sealed, address, KEY.public) == payload
    assert untrusted_header(sealed)["device"] == address.device


def test_the_longest_names_fit_into_the_header() -> None:
    # JSON writes each of these in twelve characters, base64 in sixteen.
    address = Address(type="check-in", tenant="💬" * 200, device="💬" * 200, direction="to_server")
    assert unseal(seal(PAYLOAD, address, KEY), address, KEY.public) == PAYLOAD


def test_a_whole_reply_can_be_carried_and_nothing_larger_is_opened() -> None:
    room = LIMIT_BYTES * 3 // 4
    payload = b"x" * room
    sealed = seal(payload, HERE, KEY)
    assert unseal(sealed, HERE, KEY.public) == payload
    assert untrusted_header(sealed) == HEADER
    too_large = seal(b"x" * (room + 1), HERE, KEY)
    assert refusal(too_large).problem == "malformed"
    with pytest.raises(SealError):
        untrusted_header(too_large)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"type": "enrolment"}, "type"),
        ({"tenant": "acme2"}, "tenant"),
        ({"tenant": "Acme"}, "tenant"),
        ({"tenant": ""}, "tenant"),
        ({"device": "d2"}, "device"),
        ({"device": "*"}, "device"),
        ({"direction": "to_device"}, "direction"),
    ],
)
def test_a_message_for_another_address_is_refused_and_said_which_part(
    change: dict[str, str], problem: str
) -> None:
    other = msgspec.structs.replace(HERE, **change)
    assert refusal(SEALED, other).problem == problem
    assert refusal(seal(PAYLOAD, other, KEY)).problem == problem


@pytest.mark.parametrize("member", ["typ", "tenant", "device", "direction"])
@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["acme"], ""])
def test_a_header_without_a_bound_member_is_meant_for_nobody(member: str, value: object) -> None:
    without = {name: text for name, text in HEADER.items() if name != member}
    refusal(sealed_by_hand(dict(without)))
    refusal(sealed_by_hand({**without, member: value}))


def test_the_seal_of_another_key_is_refused_as_a_wrong_signature() -> None:
    assert refusal(SEALED, key=OTHER_KEY.public).problem == "signature"
    assert refusal(seal(PAYLOAD, HERE, OTHER_KEY)).problem == "signature"


def test_no_character_can_be_changed_dropped_or_added() -> None:
    for place, character in enumerate(SEALED):
        other = ALPHABET[(ALPHABET.index(character) + 1) % 64] if character != "." else "A"
        refusal(SEALED[:place] + other + SEALED[place + 1 :])
        refusal(SEALED[:place] + SEALED[place + 1 :])
        refusal(SEALED[:place] + other + SEALED[place:])


@settings(max_examples=200)
@given(st.integers(0, len(SEALED) * 6 - 1))
def test_no_bit_of_header_payload_or_signature_can_be_turned(bit: int) -> None:
    place, mask = bit // 6, 1 << bit % 6
    if SEALED[place] == ".":
        return
    turned = ALPHABET[ALPHABET.index(SEALED[place]) ^ mask]
    refusal(SEALED[:place] + turned + SEALED[place + 1 :])


def test_parts_of_two_good_messages_make_no_good_message() -> None:
    other = seal(b'{"x":2}', HERE, KEY).split(".")
    for part in (1, 2):
        mixed = SEALED.split(".")
        mixed[part] = other[part]
        assert refusal(".".join(mixed)).problem == "signature"


def hmac_with_the_public_key() -> str:
    header = text_of(json.dumps({**HEADER, "alg": "HS256"}).encode())
    signed = f"{header}.{text_of(PAYLOAD)}"
    digest = hmac.new(KEY.public.text.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{text_of(digest)}"


def unsigned() -> str:
    header = text_of(json.dumps({**HEADER, "alg": "none"}).encode())
    return f"{header}.{text_of(PAYLOAD)}."


@pytest.mark.parametrize("forged", [hmac_with_the_public_key, unsigned])
def test_a_message_cannot_choose_a_weaker_algorithm(forged: Callable[[], str]) -> None:
    refusal(forged())


@pytest.mark.parametrize(
    "algorithm", ["EdDSA", "Ed448", "ES256", "ed25519", "", "none", "HS256", None, 1, ["Ed25519"]]
)
def test_only_ed25519_by_its_own_name_is_taken_even_with_a_right_signature(algorithm: object) -> None:
    refusal(sealed_by_hand({**HEADER, "alg": algorithm}))


@pytest.mark.parametrize(
    "extension",
    [
        {"crit": ["b64"], "b64": False},
        {"crit": ["b64"], "b64": True},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["tenant"]},
        {"crit": []},
        {"crit": "b64"},
        {"b64": False},
    ],
)
def test_no_extension_is_understood_so_each_that_must_be_is_refused(extension: dict[str, object]) -> None:
    assert refusal(sealed_by_hand({**HEADER, **extension})).problem in {"malformed", "signature"}
    refusal(sealed_by_hand({**HEADER, **extension}, payload="hello"))


def test_a_key_that_the_message_brings_along_is_never_used() -> None:
    forger = json.loads(OTHER_KEY.to_text())
    header = {**HEADER, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": forger["x"]}, "kid": "anything"}
    signed = f"{text_of(json.dumps(header).encode())}.{text_of(PAYLOAD)}"
    private = OTHER_KEY._key.private_key
    assert private is not None
    forged = f"{signed}.{text_of(private.sign(signed.encode()))}"  # type: ignore[union-attr]  # as above
    assert refusal(forged).problem == "signature"
    assert unseal(sealed_by_hand({**HEADER, "jwk": header["jwk"]}), HERE, KEY.public) == PAYLOAD


def test_of_a_member_written_twice_the_last_counts_and_is_checked() -> None:
    twice = json.dumps(HEADER)[:-1].encode()
    assert refusal(sealed_by_hand(twice + b',"device":"d2"}')).problem == "device"
    assert refusal(sealed_by_hand(twice + b',"alg":"none"}')).problem in {"malformed", "signature"}


@pytest.mark.parametrize(
    "untrusted",
    [
        "",
        ".",
        "..",
        "...",
        SEALED + "\n",
        "\n" + SEALED,
        SEALED + "=",
        SEALED + ".",
        SEALED.replace(".", ". "),
        SEALED.rsplit(".", 1)[0],
        SEALED.rsplit(".", 1)[0] + ".",
        "é" + SEALED,
        "\ud800" + SEALED,
        "\x00" + SEALED,
        "x" * 3_000_000,
        "." * 100_000,
        sealed_by_hand(b""),
        sealed_by_hand(b"[]"),
        sealed_by_hand(b'"Ed25519"'),
        sealed_by_hand(b"null"),
        sealed_by_hand(b"{}"),
        sealed_by_hand(b"[" * 5000),
        sealed_by_hand(b'{"alg":' * 900),
        sealed_by_hand(b'{"alg":' + b"1" * 5000 + b"}"),
        sealed_by_hand(b"\xff"),
        sealed_by_hand(dict(HEADER), payload="A"),
        sealed_by_hand(dict(HEADER), payload="AB"),
        sealed_by_hand(dict(HEADER), payload="AAA="),
        sealed_by_hand(dict(HEADER), payload="AA+A"),
        sealed_by_hand(dict(HEADER), payload="AA A"),
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode() + f"..{len(text)}",
)
def test_what_is_no_sealed_message_is_refused_and_never_fails_otherwise(untrusted: str) -> None:
    refusal(untrusted)


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_refused(untrusted: str) -> None:
    refusal(untrusted)
    with pytest.raises(SealError):
        untrusted_header(untrusted)


def test_base64_has_one_spelling() -> None:
    # The last of 86 characters carries four bits that the signature does not use; so has a payload of one byte.
    last = ALPHABET.index(SEALED[-1])
    for spare in range(1, 16):
        refusal(SEALED[:-1] + ALPHABET[last ^ spare])
    assert unseal(sealed_by_hand(dict(HEADER), payload="eA"), HERE, KEY.public) == b"x"
    refusal(sealed_by_hand(dict(HEADER), payload="eB"))


def test_an_empty_payload_is_a_payload() -> None:
    assert unseal(seal(b"", HERE, KEY), HERE, KEY.public) == b""


ORDER_OF_THE_CURVE = 2**252 + 27742317777372353535851937790883648493


def test_a_signature_has_one_form() -> None:
    # RFC 8032, section 5.1.7: S counts modulo the order, and only the smallest is taken.
    head, _, tail = SEALED.rpartition(".")
    signature = base64.urlsafe_b64decode(tail + "==")
    s = int.from_bytes(signature[32:], "little") + ORDER_OF_THE_CURVE
    refusal(f"{head}.{text_of(signature[:32] + s.to_bytes(32, 'little'))}")


PRIME = 2**255 - 19
ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", [0, 1, ORDER_8, PRIME - ORDER_8, PRIME - 1, PRIME, PRIME + 1])
def test_a_key_under_which_anybody_can_seal_is_refused(y: int, sign: int) -> None:
    raw = (y | sign << 255).to_bytes(32, "little")
    with pytest.raises(MalformedError):
        VerifyKey(text_of(raw))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        KEY.public.text[:-1],
        KEY.public.text + "A",
        KEY.public.text + "=",
        KEY.public.text + "\n",
        " " + KEY.public.text[1:],
        "+" + KEY.public.text[1:],
        "é" * 43,
        "\ud800" * 43,
        "A" * 100_000,
        KEY.public.text[:-1] + ALPHABET[ALPHABET.index(KEY.public.text[-1]) ^ 1],
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode() + f"..{len(text)}",
)
def test_a_text_that_is_no_public_key_is_refused_in_a_short_sentence(text: str) -> None:
    with pytest.raises(MalformedError) as refused:
        VerifyKey(text)
    assert len(str(refused.value).encode()) < 600


def test_a_public_key_is_known_by_the_thumbprint_of_rfc_7638() -> None:
    # The example of RFC 8037, appendix A.3.
    key = VerifyKey("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert key.fingerprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    assert key == VerifyKey(key.text)
    assert hash(key) == hash(VerifyKey(key.text))
    assert key != OTHER_KEY.public
    assert key != key.text


def test_a_private_key_comes_back_from_its_text() -> None:
    again = SigningKey.from_text(KEY.to_text())
    assert again.public == KEY.public
    assert unseal(seal(PAYLOAD, HERE, again), HERE, KEY.public) == PAYLOAD


def private_key(**changes: object) -> str:
    return json.dumps({**json.loads(KEY.to_text()), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        "5",
        "[" * 100_000,
        "1" * 5000,
        private_key(d="AAAA"),
        private_key(d=5),
        private_key(d=None),
        private_key(x=OTHER_KEY.public.text),
        private_key(crv="Ed448"),
        private_key(crv="X25519"),
        private_key(crv=[]),
        json.dumps({"kty": "oct", "k": "AAAA"}),
        private_key(kty=["OKP"]),
        json.dumps({"kty": "OKP", "crv": "Ed25519", "x": KEY.public.text}),
    ],
    ids=lambda text: text[:12] + f"..{len(text)}",
)
def test_a_text_that_is_no_private_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(MalformedError) as refused:
        SigningKey.from_text(text)
    assert json.loads(KEY.to_text())["d"] not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_two_keys_are_never_the_same() -> None:
    assert len({SigningKey.generate().public.text for _ in range(50)}) == 50
