"""A central server in memory, as the agent sees it: it verifies every seal and digest, and seals what it answers.

It takes the place of the transport, so that a test can lose a request, lose an answer, change one on its way, or answer late.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from agent.catalogue import shipped_entries
from agent.errors import RefusedError, UnreachableError
from agent.reporting.transport import HOLDINGS_PATH, LEAVE_PATH
from contract import wire
from contract.capture import ConnectorHeard
from contract.catalogue_bundle import CatalogueBundle, packed
from contract.envelope import (
    EVERY_DEVICE,
    Address,
    MessageType,
    SigningKey,
    VerifyKey,
    seal,
    unseal,
    untrusted_header,
)
from contract.messages import (
    LIMIT_BYTES,
    Acknowledgement,
    CheckIn,
    CheckInReply,
    Enrolled,
    EnrolmentReply,
    EnrolmentRequest,
    HeldCheckIn,
    HeldDevice,
    HeldReport,
    Holdings,
    HoldingsReply,
    HoldingsRequest,
    KeyCertificate,
    KeyProof,
    LeaveReply,
    LeaveRequest,
    Left,
    PolicyBundle,
    SealedRequest,
    salted_digest,
)
from contract.observations import ASKED_FOR, Observation, decode
from contract.overlay import parse as parse_overlay
from contract.policy import Policy

TENANT = "acme"
SECRET = f"{TENANT}.a-secret-for-tests"
URL = "http://server.test"
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class CentralServer:
    """What it has taken is in `taken`, by sequence number, in `order` of arrival."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.root, self.policy_key, self.server_key, self.catalogue_key = (
            SigningKey.generate() for _ in range(4)
        )
        self.certified_from = START - timedelta(days=3650)
        self.device_key: VerifyKey | None = None
        self.device = "d1"
        self.taken: dict[int, Observation] = {}
        self.digests: dict[int, str] = {}
        self.forks: list[int] = []
        self.check_ins: list[CheckIn] = []
        self.held: list[HeldCheckIn] = []
        self.about: HeldDevice | None = None
        self.bundle: str | None = None
        self.serial = 0
        self.catalogue: str | None = None
        self.catalogue_version = 0
        self.next_check_in_seconds = 300
        self.spread_seconds = 0
        self.wishes: dict[str, int | bool | str] = {}
        self.also_takes: tuple[str, ...] = tuple(sorted(ASKED_FOR))
        """The later types of observation that it says it takes; an older server names none."""
        self.connectors: tuple[ConnectorHeard, ...] = ()
        """What it says of capture connectors."""
        self.wants_new_key = False
        self.next_device_key: VerifyKey | None = None
        self.is_down = self.has_left = False
        self.lose_answers = 0
        """So many answers are lost on their way, after the request was taken."""
        self.refusal: RefusedError | None = None
        self.tamper: Callable[[bytes], bytes] = lambda answer: answer

    def post(self, url: str, body: bytes) -> bytes:
        """Answer one request, as `agent.reporting.transport.Transport` says."""
        assert len(body) <= LIMIT_BYTES
        if self.is_down:
            raise UnreachableError("nobody there", "wait")
        if self.refusal is not None:
            raise self.refusal
        request = wire.decode(SealedRequest, body, limit_bytes=LIMIT_BYTES)
        ways = {
            f"{URL}/agent/v1/enrol": self._enrol,
            f"{URL}{HOLDINGS_PATH}": self._tell_holdings,
            f"{URL}{LEAVE_PATH}": self._let_go,
        }
        answer = ways.get(url, self._check_in)(request)
        if self.lose_answers:
            self.lose_answers -= 1
            raise UnreachableError("the answer was lost", "wait")
        return self.tamper(answer)

    def change_keys(self) -> None:
        """Work with new keys from now on."""
        self.policy_key, self.server_key, self.catalogue_key = (SigningKey.generate() for _ in range(3))
        self.certified_from = self.now() - timedelta(days=1)

    def publish(self, policy: Policy, days: int = 90, key: SigningKey | None = None) -> PolicyBundle:
        """Publish a policy under the next serial."""
        self.serial += 1
        bundle = PolicyBundle(
            serial=self.serial,
            issued_at=self.now(),
            expires_at=self.now() + timedelta(days=days),
            policy=policy,
        )
        self.bundle = self.sealed_bundle(bundle, key or self.policy_key)
        return bundle

    def sealed_bundle(self, bundle: PolicyBundle, key: SigningKey) -> str:
        """Return a bundle sealed with a key."""
        return seal(wire.encode(bundle), _address("policy-bundle", EVERY_DEVICE), key)

    def publish_catalogue(self, overlay: str = "", release: str = "0.1.0") -> CatalogueBundle:
        """Publish a catalogue, the list that ships with an overlay, under the next version."""
        self.catalogue_version += 1
        bundle = CatalogueBundle(
            version=self.catalogue_version,
            issued_at=self.now(),
            release=release,
            listed=shipped_entries(),
            overlay=parse_overlay(overlay),
        )
        self.catalogue = self.sealed_catalogue(packed(bundle))
        return bundle

    def sealed_catalogue(self, payload: bytes, key: SigningKey | None = None, tenant: str = TENANT) -> str:
        """Return what claims to be a catalogue, sealed with a key for a tenant."""
        address = Address(type="catalogue-bundle", tenant=tenant, device=EVERY_DEVICE, direction="to_device")
        return seal(payload, address, key or self.catalogue_key)

    def certificates(self) -> tuple[str, ...]:
        """Return what the root says of the other keys."""
        return tuple(
            seal(
                wire.encode(
                    KeyCertificate(
                        public_key=key.public.text,
                        use=use,  # type: ignore[arg-type]  # the literals below
                        not_before=self.certified_from,
                        not_after=START + timedelta(days=3650),
                    )
                ),
                _address("key-certificate", EVERY_DEVICE),
                self.root,
            )
            for key, use in (
                (self.policy_key, "policy"),
                (self.server_key, "server"),
                (self.catalogue_key, "catalogue"),
            )
        )

    def _enrol(self, request: SealedRequest) -> bytes:
        address = Address(type="enrolment", tenant=TENANT, device="new", direction="to_server")
        header = msgspec.json.decode(_payload_unverified(request.sealed), type=EnrolmentRequest)
        key = VerifyKey(header.public_key)
        asked = wire.decode(EnrolmentRequest, unseal(request.sealed, address, key), limit_bytes=LIMIT_BYTES)
        if asked.secret != SECRET:
            raise RefusedError("No such secret.", "Ask for another.", "secret_unknown")
        self.device_key = key
        enrolled = Enrolled(
            device=self.device,
            tenant=TENANT,
            company="Acme",
            public_key=key.text,
            check_in_seconds=self.next_check_in_seconds,
            at=self.now(),
        )
        sealed = seal(wire.encode(enrolled), _address("enrolled", "new"), self.server_key)
        return wire.encode(
            EnrolmentReply(sealed=sealed, root=self.root.public.text, certificates=self.certificates())
        )

    def _tell_holdings(self, request: SealedRequest) -> bytes:
        """Tell a check-in a part, so that whoever asks has to go on."""
        assert self.device_key is not None
        address = Address(type="holdings-request", tenant=TENANT, device=self.device, direction="to_server")
        payload = unseal(request.sealed, address, self.device_key)
        asked = wire.decode(HoldingsRequest, payload, limit_bytes=LIMIT_BYTES)
        later = [one for one in self.held if one.number > asked.after]
        told = Holdings(
            request=wire.digest(request.sealed.encode()),
            at=self.now(),
            about=self.about,
            check_ins=tuple(later[:1]),
            more_after=later[0].number if len(later) > 1 else None,
        )
        sealed = seal(wire.encode(told), _address("holdings", self.device), self.server_key)
        return wire.encode(HoldingsReply(sealed=sealed, certificates=self.certificates()))

    def _let_go(self, request: SealedRequest) -> bytes:
        if self.has_left:
            raise RefusedError("The server does not know this device.", "Enrol it.", "device_unknown")
        assert self.device_key is not None
        address = Address(type="leave-request", tenant=TENANT, device=self.device, direction="to_server")
        wire.decode(LeaveRequest, unseal(request.sealed, address, self.device_key), limit_bytes=LIMIT_BYTES)
        self.has_left = True
        left = Left(
            request=wire.digest(request.sealed.encode()),
            at=self.now(),
            reports=len(self.taken),
            check_ins=len(self.check_ins),
        )
        sealed = seal(wire.encode(left), _address("left", self.device), self.server_key)
        return wire.encode(LeaveReply(sealed=sealed, certificates=self.certificates()))

    def _hold(self, request: SealedRequest) -> None:
        self.held.append(
            HeldCheckIn(
                number=len(self.held) + 1,
                received_at=self.now(),
                sealed=request.sealed,
                reports=tuple(
                    HeldReport(
                        sequence=body.sequence,
                        digest=salted_digest(body.salt, bytes(body.body)),
                        body=bytes(body.body).decode(),
                    )
                    for body in request.bodies
                    if body.sequence not in self.digests
                ),
            )
        )

    def _check_in(self, request: SealedRequest) -> bytes:
        assert self.device_key is not None
        address = Address(type="check-in", tenant=TENANT, device=self.device, direction="to_server")
        if self.next_device_key is not None and self._is_sealed_by(request.sealed, self.next_device_key):
            self.device_key, self.next_device_key = self.next_device_key, None
        payload = unseal(request.sealed, address, self.device_key)
        message = wire.decode(CheckIn, payload, limit_bytes=LIMIT_BYTES)
        self.check_ins.append(message)
        self._hold(request)
        forks = tuple(self._take(message, request))
        top = max(self.digests, default=0)
        missing = tuple((n, n) for n in range(1, top) if n not in self.digests)
        acknowledgement = Acknowledgement(
            request=wire.digest(request.sealed.encode()),
            at=self.now(),
            current_serial=self.serial,
            catalogue_version=self.catalogue_version,
            taken_up_to=missing[0][0] - 1 if missing else top,
            missing=missing,
            forks=forks,
            next_check_in_seconds=self.next_check_in_seconds,
            settings=self.wishes,
            spread_seconds=self.spread_seconds,
            also_takes=self.also_takes,
            connectors=self.connectors,
            wants_new_key=self.wants_new_key,
            next_key=self._take_next_key(message),
        )
        sealed = seal(wire.encode(acknowledgement), _address("acknowledgement", self.device), self.server_key)
        bundle = self.bundle if message.policy_serial != self.serial else None
        catalogue = self.catalogue if message.catalogue_version != self.catalogue_version else None
        reply = CheckInReply(
            sealed=sealed, certificates=self.certificates(), bundle=bundle, catalogue=catalogue
        )
        return wire.encode(reply)

    @staticmethod
    def _is_sealed_by(sealed: str, key: VerifyKey) -> bool:
        return untrusted_header(sealed).get("kid") == key.fingerprint

    def _take_next_key(self, message: CheckIn) -> str | None:
        if message.next_key is None:
            return None
        assert self.device_key is not None
        self.next_device_key = VerifyKey(message.next_key.public_key)
        address = Address(type="device-key", tenant=TENANT, device=self.device, direction="to_server")
        proof = unseal(message.next_key.proof, address, self.next_device_key)
        assert wire.decode(KeyProof, proof, limit_bytes=LIMIT_BYTES).takes_place_of == self.device_key.text
        self.wants_new_key = False
        return message.next_key.public_key

    def _take(self, message: CheckIn, request: SealedRequest) -> list[int]:
        forks = []
        bodies = {body.sequence: body for body in request.bodies}
        for listed in message.observations:
            body = bodies[listed.sequence]
            assert salted_digest(body.salt, bytes(body.body)) == listed.digest
            known = self.digests.get(listed.sequence)
            if known is None:
                self.digests[listed.sequence] = listed.digest
                self.taken[listed.sequence] = decode(bytes(body.body))
            elif known != listed.digest:
                forks.append(listed.sequence)
        self.forks.extend(forks)
        return forks


def _address(kind: MessageType, device: str) -> Address:
    return Address(type=kind, tenant=TENANT, device=device, direction="to_device")


def _payload_unverified(sealed: str) -> bytes:
    import base64

    part = sealed.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
