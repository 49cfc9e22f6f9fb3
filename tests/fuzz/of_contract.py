"""Targets in `contract` and in what the agent does with it first: seals, keys, the catalogue, facts, policies."""

import base64
import contextlib
import importlib
import json
import sys
import zlib
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import get_args

import msgspec

from agent import catalogue as shipped
from agent.catalogue_shelf import laid_over
from agent.errors import DistrustError
from agent.trust import Trust, key_id, open_bundle, open_catalogue
from contract import policy as policies
from contract import wire
from contract.catalogue import Catalogue, Messenger
from contract.catalogue_bundle import CatalogueBundle
from contract.document import render
from contract.envelope import (
    EVERY_DEVICE,
    Address,
    MessageType,
    SealError,
    SigningKey,
    VerifyKey,
    seal,
    unseal,
    untrusted_header,
)
from contract.errors import MalformedError
from contract.facts import ProcessFacts
from contract.hours import Interval, OfficeHours
from contract.judge import Circumstances, Subject, judge
from contract.matching import Matcher
from contract.messages import KeyCertificate, PolicyBundle
from contract.overlay import Correction, Overlay, merge, parse
from contract.policy import ChannelRule, Ownership, Policy, Profile
from server.catalogue import texts as files
from server.catalogue_lint import lint
from tests.fuzz.fixed import AT, CHECK_IN, KEY, NEXT_KEY, TENANT
from tests.fuzz.target import Check, FoundError, Target, head_and_rest, text_of

_PACKAGE = "decorum_made_catalogue"
_FACTS = (
    ProcessFacts(platform="linux", exe="/usr/bin/telegram-desktop", name="telegram-deskto"),
    ProcessFacts(platform="windows", exe="C:\\Program Files\\WindowsApps\\x\\slack.exe"),
    ProcessFacts(platform="macos", bundle_id="org.telegram.desktop", exe="/Applications/A.app/a"),
    ProcessFacts(platform="web", origin="https://web.whatsapp.com/"),
)


def _sealed_text(data: bytes) -> None:
    text = text_of(data)
    with contextlib.suppress(SealError):
        header = untrusted_header(text)
        if not isinstance(header, dict):
            raise FoundError(f"a header that is {type(header)}")
    with contextlib.suppress(SealError):
        unseal(text, CHECK_IN, KEY.public)


def _signed(header: bytes, payload: bytes) -> str:
    """Return what our key has signed, whatever the header says."""
    private = KEY._key.private_key  # the envelope seals no header but its own
    assert private is not None
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, payload)]
    parts.append(base64.urlsafe_b64encode(private.sign(b".".join(parts))).rstrip(b"="))  # type: ignore[union-attr]  # Ed25519
    return b".".join(parts).decode()


def _signed_header(data: bytes) -> None:
    header, payload = head_and_rest(data)
    text = _signed(header, payload)
    try:
        opened = unseal(text, CHECK_IN, KEY.public)
    except SealError:
        return
    said = json.loads(header)
    expected = {"tenant": CHECK_IN.tenant, "device": CHECK_IN.device, "direction": CHECK_IN.direction}
    if opened != payload or any(said[member] != value for member, value in expected.items()):
        raise FoundError("a seal that is not for us was opened")


def _keys(data: bytes) -> None:
    text = text_of(data)
    with contextlib.suppress(MalformedError):
        VerifyKey(text)
    with contextlib.suppress(MalformedError):
        key = SigningKey.from_text(text)
        if unseal(seal(b"x", CHECK_IN, key), CHECK_IN, key.public) != b"x":
            raise FoundError("a key that does not open what it sealed")


@contextlib.contextmanager
def _catalogue(folder: Path) -> Iterator[Check]:
    file = folder / _PACKAGE / shipped.DATA_FOLDER / "made.toml"
    file.parent.mkdir(parents=True)
    (folder / _PACKAGE / "__init__.py").touch()
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()

    def check(data: bytes) -> None:
        file.write_bytes(data)
        try:
            catalogue = shipped.load(_PACKAGE)
        except shipped.CatalogueError:
            return
        matcher = Matcher(catalogue)
        for facts in (*_FACTS, *_facts_of(catalogue)):
            _match(matcher, facts)

    try:
        yield check
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop(_PACKAGE, None)


def _facts_of(catalogue: Catalogue) -> Iterator[ProcessFacts]:
    """Yield facts that point to what the catalogue says itself."""
    for messenger in list(catalogue.messengers.values())[:3]:
        for identifier in messenger.seen[:3]:
            value = identifier.value
            yield ProcessFacts(platform=identifier.platform, exe=f"/usr/bin/{value}", name=value)
            yield ProcessFacts(platform=identifier.platform, desktop_id=value, cmdline=("python3", value))


def _match(matcher: Matcher, facts: ProcessFacts) -> None:
    match = matcher.match(facts)
    if match is not None and not (0 < match.confidence <= 1 and match.evidence and match.messenger):
        raise FoundError(f"a match without grounds: {match}")


@contextlib.contextmanager
def _any_facts(_: Path) -> Iterator[Check]:
    matcher = Matcher(shipped.load())

    def check(data: bytes) -> None:
        with contextlib.suppress(MalformedError):
            _match(matcher, wire.decode(ProcessFacts, data, limit_bytes=64 * 1024))

    yield check


def _policy_text(data: bytes) -> None:
    try:
        policy = policies.parse(data.decode("utf-8", "replace"))
    except MalformedError:
        return
    if wire.decode(Policy, wire.encode(policy), limit_bytes=2**20) != policy:
        raise FoundError("a policy that is another one after its way over the wire")
    _use(policy)


def _use(policy: Policy) -> None:
    """Do with a policy what agent, tray and console do."""
    for language in ("en", *list(policy.title)[:2]):
        render(policy, language, str)
    messengers = ["telegram", "unlisted:x", *[rule.messenger for rule in policy.channels[:2]]]
    for number, messenger in enumerate(messengers):
        profile: Profile = get_args(Profile)[number % 3]
        ownership: Ownership = get_args(Ownership)[number % 2]
        subject = Subject(messenger=messenger, name="Telegram", listed=bool(number % 2), profile=profile)
        at = AT.astimezone(timezone(timedelta(hours=5 * number - 10)))
        verdict = judge(subject, policy, Circumstances(at=at, ownership=ownership))
        if not verdict.reasons:
            raise FoundError("a verdict without a reason")


@contextlib.contextmanager
def _bundle(_: Path) -> Iterator[Check]:
    root, everybody = NEXT_KEY, EVERY_DEVICE
    trust = Trust(TENANT, root.public)

    def sealed(payload: bytes, kind: MessageType, key: SigningKey) -> str:
        address = Address(type=kind, tenant=TENANT, device=everybody, direction="to_device")
        return seal(payload, address, key)

    certificate = KeyCertificate(
        public_key=KEY.public.text,
        use="policy",
        not_before=AT - timedelta(days=1),
        not_after=AT + timedelta(days=1),
    )
    certificates = (sealed(wire.encode(certificate), "key-certificate", root),)

    def check(data: bytes) -> None:
        kind, payload = head_and_rest(data)
        with contextlib.suppress(DistrustError):
            if kind == b"certificate":
                text = sealed(b"{}", "policy-bundle", KEY)
                given = (sealed(payload, "key-certificate", root),)
                trust.key_for("policy", given, key_id(text), AT)
            else:
                text = sealed(payload, "policy-bundle", KEY)
                bundle = open_bundle(text, certificates, trust, in_force=1, current=1, at=AT)
                _use(bundle.policy)

    yield check


@contextlib.contextmanager
def _overlay(_: Path) -> Iterator[Check]:
    listed = shipped.shipped_entries()
    texts = files()

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        faults = lint(texts, ("made.toml", text))
        try:
            merged = merge(listed, parse(text))
        except MalformedError:
            if not faults:
                raise FoundError("what devices refuse, and the lint lets through") from None
            return
        matcher = Matcher(merged)
        for facts in (*_FACTS, *_facts_of(merged)):
            _match(matcher, facts)

    yield check


@contextlib.contextmanager
def _published(_: Path) -> Iterator[Check]:
    def sealed(payload: bytes, kind: MessageType, key: SigningKey) -> str:
        address = Address(type=kind, tenant=TENANT, device=EVERY_DEVICE, direction="to_device")
        return seal(payload, address, key)

    trust = Trust(TENANT, NEXT_KEY.public)
    certificate = KeyCertificate(
        public_key=KEY.public.text,
        use="catalogue",
        not_before=AT - timedelta(days=1),
        not_after=AT + timedelta(days=1),
    )
    certificates = (sealed(wire.encode(certificate), "key-certificate", NEXT_KEY),)

    def check(data: bytes) -> None:
        kind, payload = head_and_rest(data)
        text = sealed(payload if kind == b"raw" else zlib.compress(payload), "catalogue-bundle", KEY)
        with contextlib.suppress(DistrustError):
            bundle = open_catalogue(text, certificates, trust, newest=1, current=1, at=AT)
            for release in ("0.0.1", "99"):
                merged, _ = laid_over(shipped.shipped_entries(), bundle, release)
                matcher = Matcher(merged)
                for facts in (*_FACTS, *_facts_of(merged)):
                    _match(matcher, facts)

    yield check


@contextlib.contextmanager
def _plain(check: Check) -> Iterator[Check]:
    yield check


def _words(*kinds: type) -> tuple[str, ...]:
    return tuple({field.name for kind in kinds for field in msgspec.structs.fields(kind)})


_POLICY_WORDS = (*_words(Policy, ChannelRule, OfficeHours, Interval), "restricted", "Europe/Berlin", "local")
_ENVELOPE_WORDS = (
    "Ed25519",
    "alg",
    "kid",
    "typ",
    "crit",
    "b64",
    "tenant",
    "device",
    "direction",
    "none",
    ".",
)
TARGETS = (
    Target("envelope", "a sealed text", lambda _: _plain(_sealed_text), _ENVELOPE_WORDS),
    Target(
        "envelope-signed",
        "a line of header and a payload, signed by the right key",
        lambda _: _plain(_signed_header),
        _ENVELOPE_WORDS,
    ),
    Target(
        "keys", "a public key, or a private one as JWK", lambda _: _plain(_keys), ("OKP", "crv", "x", "d")
    ),
    Target("catalogue", "a file of the catalogue", _catalogue, (*_words(Messenger), "linux", "executable")),
    Target(
        "facts", "facts about a process, as JSON", _any_facts, (*_words(ProcessFacts), "python3", ".app/")
    ),
    Target("policy", "a policy as TOML", lambda _: _plain(_policy_text), _POLICY_WORDS),
    Target(
        "bundle",
        "what a policy key has sealed, or after a line `certificate` the root",
        _bundle,
        (*_POLICY_WORDS, *_words(PolicyBundle, KeyCertificate)),
    ),
    Target(
        "overlay",
        "a company's overlay as TOML",
        _overlay,
        (*_words(Correction), "never", "unlisted:x", "telegram", "linux", "executable"),
    ),
    Target(
        "published",
        "what a catalogue key has sealed, before it was compressed, or after a line `raw` compressed already",
        _published,
        (*_words(CatalogueBundle, Overlay, Correction), "linux", "executable"),
    ),
)
