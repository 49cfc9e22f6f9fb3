"""A device as the server sees one: it enrols, numbers what it reports, seals, and verifies what comes back."""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from contract import wire
from contract.catalogue_bundle import CatalogueBundle, unpacked
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
    Acknowledgement,
    ChainHead,
    CheckIn,
    CheckInReply,
    Clock,
    Enrolled,
    EnrolmentReply,
    EnrolmentRequest,
    KeyCertificate,
    ObservationBody,
    ObservationDigest,
    PolicyBundle,
    SealedRequest,
    salted_digest,
)

LIMIT = 2**20
Post = Callable[[str, bytes], tuple[int, bytes]]
"""Sends a body to a path and returns status and body of the answer."""


class RefusedError(Exception):
    """The server's refusal."""

    def __init__(self, status: int, body: bytes) -> None:
        answer = json.loads(body)
        super().__init__(f"{status} {answer}")
        self.status, self.answer = status, answer
        self.reason = str(answer["reason"])


class Report(msgspec.Struct, frozen=True):
    """An observation with its number and salt, ready to be sent again and again."""

    sequence: int
    salt: str
    body: bytes

    @property
    def digest(self) -> str:
        """What stands for it inside the seal."""
        return salted_digest(self.salt, self.body)


class SimulatedDevice:
    """One device with a key of its own."""

    def __init__(self, post: Post, tenant: str = "acme", key: SigningKey | None = None) -> None:
        self.post, self.tenant = post, tenant
        self.key = key or SigningKey.generate()
        self.id = ""
        self.root: VerifyKey | None = None
        self.sequence = 0
        self.serial = 0
        self.ownership, self.platform = "company", "linux"

    def enrol(self, secret: str, **changes: Any) -> Enrolled:
        """Enrol; `changes` are fields of the request."""
        request = EnrolmentRequest(
            **{
                "secret": secret,
                "public_key": self.key.public.text,
                "ownership": "company",
                "assurance": "managed",
                "platform": "linux",
                "version": "0.1.0",
                "device_name": "desk-1",
                "hardware": secrets.token_hex(32),
                "at": datetime.now(UTC),
                **changes,
            }
        )
        self.ownership, self.platform = request.ownership, request.platform
        sealed = SealedRequest(sealed=self._sealed(wire.encode(request), "enrolment", "new"))
        reply = wire.decode(EnrolmentReply, self._ask("enrol", wire.encode(sealed)), limit_bytes=LIMIT)
        self.root = VerifyKey(reply.root)
        enrolled = wire.decode(
            Enrolled,
            unseal(
                reply.sealed,
                self._from_server("enrolled", "new"),
                self._key("server", reply.certificates, reply.sealed),
            ),
            limit_bytes=LIMIT,
        )
        self.id = enrolled.device
        return enrolled

    def report(self, observation: Any, sequence: int | None = None, salt: str | None = None) -> Report:
        """Give an observation, or the bytes of one, its number and salt."""
        self.sequence = self.sequence + 1 if sequence is None else max(sequence, self.sequence)
        body = observation if isinstance(observation, bytes) else wire.encode(observation)
        number = self.sequence if sequence is None else sequence
        return Report(number, secrets.token_hex(16) if salt is None else salt, body)

    def check_in(self, *reports: Report, **changes: Any) -> tuple[Acknowledgement, CheckInReply]:
        """Check in and verify the answer; `changes` are fields of the message."""
        request = self.request(*reports, **changes)
        return self.answered(request, self.send(request))

    def answered(self, request: SealedRequest, answer: bytes) -> tuple[Acknowledgement, CheckInReply]:
        """Verify the answer to a check-in."""
        reply = wire.decode(CheckInReply, answer, limit_bytes=LIMIT)
        payload = unseal(
            reply.sealed,
            self._from_server("acknowledgement", self.id),
            self._key("server", reply.certificates, reply.sealed),
        )
        acknowledgement = wire.decode(Acknowledgement, payload, limit_bytes=LIMIT)
        assert acknowledgement.request == wire.digest(request.sealed.encode())
        if reply.bundle is not None:
            self.serial = self.bundle(reply).serial
        return acknowledgement, reply

    def request(self, *reports: Report, **changes: Any) -> SealedRequest:
        """Return a sealed check-in; `changes` are fields of the message."""
        message = CheckIn(
            **{
                "version": "0.1.0",
                "platform": self.platform,
                "ownership": self.ownership,
                "clock": Clock(wall=datetime.now(UTC), monotonic_seconds=1.0, boot_id="boot"),
                "policy_serial": self.serial,
                "journal": ChainHead(digest="0" * 64),
                "waiting": len(reports),
                "observations": tuple(ObservationDigest(one.sequence, one.digest) for one in reports),
                **changes,
            }
        )
        return SealedRequest(
            sealed=self._sealed(wire.encode(message), "check-in", self.id),
            bodies=tuple(
                ObservationBody(sequence=one.sequence, salt=one.salt, body=msgspec.Raw(one.body))
                for one in reports
            ),
        )

    def bundle(self, reply: CheckInReply) -> PolicyBundle:
        """Return the verified policy of an answer that has one."""
        assert reply.bundle is not None
        key = self._key("policy", reply.certificates, reply.bundle)
        payload = unseal(reply.bundle, self._from_server("policy-bundle", EVERY_DEVICE), key)
        return wire.decode(PolicyBundle, payload, limit_bytes=LIMIT)

    def catalogue(self, reply: CheckInReply) -> CatalogueBundle:
        """Return the verified catalogue of an answer that has one."""
        assert reply.catalogue is not None
        key = self._key("catalogue", reply.certificates, reply.catalogue)
        return unpacked(unseal(reply.catalogue, self._from_server("catalogue-bundle", EVERY_DEVICE), key))

    def send(self, request: SealedRequest) -> bytes:
        """Send a check-in and return the answer, not verified."""
        return self._ask("check-in", wire.encode(request))

    def _ask(self, what: str, body: bytes) -> bytes:
        status, answer = self.post(f"/agent/v1/{what}", body)
        if status != 200:
            raise RefusedError(status, answer)
        return answer

    def _sealed(self, payload: bytes, kind: MessageType, device: str) -> str:
        address = Address(type=kind, tenant=self.tenant, device=device, direction="to_server")
        return seal(payload, address, self.key)

    def _from_server(self, kind: MessageType, device: str) -> Address:
        return Address(type=kind, tenant=self.tenant, device=device, direction="to_device")

    def _key(self, use: str, certificates: tuple[str, ...], sealed: str) -> VerifyKey:
        assert self.root is not None
        wanted = untrusted_header(sealed)["kid"]
        for text in certificates:
            certificate = _certified(text, self.tenant, self.root)
            key = VerifyKey(certificate.public_key)
            if certificate.use == use and key.fingerprint == wanted:
                return key
        raise AssertionError(f"the root has not certified this {use} key")


@lru_cache(maxsize=100)
def _certified(text: str, tenant: str, root: VerifyKey) -> KeyCertificate:
    """Return what the root says of a key; a fleet is told the same few things again and again."""
    address = Address(type="key-certificate", tenant=tenant, device=EVERY_DEVICE, direction="to_device")
    return wire.decode(KeyCertificate, unseal(text, address, root), limit_bytes=LIMIT)
