"""Enrolment: the device makes its key, shows a secret, and learns whom to believe."""

import hmac
import sys
from typing import Literal

import msgspec

from agent.clock import Clock
from agent.credentials.interface import CredentialStore
from agent.errors import AlreadyEnrolledError, DistrustError, EnrolmentError, UnreachableError
from agent.identity import device_name, hardware_digest
from agent.journal import Journal
from agent.privacy import WITHHELD
from agent.reporting.ledger import Ledger
from agent.reporting.transport import ENROL_PATH, Transport
from agent.rescue import ENROLMENT_FACT, keep_beside
from agent.settings import Settings
from agent.store import Store
from agent.trust import Trust, key_id
from contract import wire
from contract.envelope import Address, SealError, SigningKey, VerifyKey, seal, unseal
from contract.errors import MalformedError
from contract.messages import (
    REPLY_LIMIT_BYTES,
    Assurance,
    Enrolled,
    EnrolmentReply,
    EnrolmentRequest,
    SealedRequest,
)
from contract.places import Scope
from contract.version import VERSION

NEW_DEVICE = "new"


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What an enrolled device remembers."""

    server_url: str
    device: str
    tenant: str
    company: str
    root: str
    pinned: Literal["given", "met"]
    """Whether the root's fingerprint came with the settings, or the key was believed when it was first met."""

    @property
    def trust(self) -> Trust:
        """Whom to believe."""
        return Trust(self.tenant, VerifyKey(self.root))


def platform() -> Literal["linux", "macos", "windows"]:
    """Return this system's name in our words."""
    return {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")  # type: ignore[return-value]


def current_enrolment(store: Store) -> Enrolment | None:
    """Return the device's enrolment, if there is one."""
    text = store.fact(ENROLMENT_FACT)
    return None if text is None else wire.decode(Enrolment, text.encode(), limit_bytes=REPLY_LIMIT_BYTES)


class PreparedEnrolment(msgspec.Struct, frozen=True):
    """A request to be taken in, and what is needed to check the answer."""

    number: int
    """Its row in the ledger."""
    tenant: str
    key: SigningKey
    server_url: str
    fingerprint: str | None
    request: bytes

    @property
    def url(self) -> str:
        """Where it is sent."""
        return self.server_url + ENROL_PATH


def assurance_of(scope: Scope, settings: Settings) -> Assurance:
    """Return how far reports can be trusted: a system's service under an administrator's ceiling, or the user's word."""
    is_managed = scope == "system" and settings.values["ceiling"].origin == "managed"
    return "managed" if is_managed else "self_attested"


class Enroller:
    """Takes this device in at a server, once."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        ledger: Ledger,
        credentials: CredentialStore,
        transport: Transport,
        clock: Clock,
    ) -> None:
        self._store, self._journal, self._ledger = store, journal, ledger
        self._credentials, self._transport, self._clock = credentials, transport, clock

    def enrol(self, server_url: str, secret: str, settings: Settings, assurance: Assurance) -> Enrolment:
        """Enrol and remember it. Asked again with the same key, the server knows the device again.

        Raises:
            EnrolmentError: enrolled already, a wrong secret, or a server that cannot be believed.
            UnreachableError: no answer.
            StateError: nothing can be written.
            RefusedError: the server's own refusal.
            CredentialError: the key cannot be kept.
        """
        prepared = self.prepare(server_url, secret, settings, assurance)
        try:
            answer = self._transport.post(prepared.url, prepared.request)
        except UnreachableError as error:
            raise UnreachableError(
                error.detail, "Check the address and the network, then run it again."
            ) from error
        return self.complete(prepared, answer)

    def prepare(
        self, server_url: str, secret: str, settings: Settings, assurance: Assurance
    ) -> PreparedEnrolment:
        """Return the request, sealed and in the ledger; sending it is the caller's.

        Raises:
            EnrolmentError: enrolled already, or no secret.
            CredentialError: the key cannot be kept.
        """
        present = current_enrolment(self._store)
        if present is not None:
            raise AlreadyEnrolledError(
                f"It belongs to {present.server_url}.", "Remove its state folder to begin anew."
            )
        tenant, _, rest = secret.partition(".")
        if not tenant or not rest:
            raise EnrolmentError("This is no enrolment secret.", "Copy the whole secret, as in acme.x7f….")
        key = self._credentials.load()
        if key is None:
            key = SigningKey.generate()
            self._credentials.keep(key)
        request = self._request(secret, tenant, key, settings, assurance)
        literal = wire.encode(msgspec.structs.replace(request, secret=WITHHELD))
        with self._store.transaction():
            number = self._ledger.write_enrolment(literal, self._clock.now())
        address = Address(type="enrolment", tenant=tenant, device=NEW_DEVICE, direction="to_server")
        sealed = SealedRequest(sealed=seal(wire.encode(request), address, key))
        return PreparedEnrolment(
            number, tenant, key, server_url, settings.root_fingerprint, wire.encode(sealed)
        )

    def complete(self, prepared: PreparedEnrolment, answer: bytes) -> Enrolment:
        """Check the answer to a request and remember the enrolment.

        Raises:
            EnrolmentError: a server that cannot be believed.
        """
        enrolment = self._believe(
            answer, prepared.tenant, prepared.key, prepared.server_url, prepared.fingerprint
        )
        now = self._clock.now()
        with self._store.transaction():
            self._store.remember(ENROLMENT_FACT, wire.encode(enrolment).decode())
            self._ledger.acknowledge(prepared.number, now)
            self._journal.append("enrolment", enrolment, now)
        keep_beside(self._store.file, wire.encode(enrolment).decode())
        return enrolment

    def _request(
        self, secret: str, tenant: str, key: SigningKey, settings: Settings, assurance: Assurance
    ) -> EnrolmentRequest:
        return EnrolmentRequest(
            secret=secret,
            public_key=key.public.text,
            ownership=settings.ownership,
            assurance=assurance,
            platform=platform(),
            version=VERSION,
            device_name=device_name(settings.ownership),
            hardware=hardware_digest(tenant),
            at=self._clock.now(),
        )

    def _believe(
        self, answer: bytes, tenant: str, key: SigningKey, server_url: str, fingerprint: str | None
    ) -> Enrolment:
        """Check an answer against the root that was given, or pin the one that was met."""
        try:
            reply = wire.decode(EnrolmentReply, answer, limit_bytes=REPLY_LIMIT_BYTES)
            root = VerifyKey(reply.root)
            if fingerprint is not None and not hmac.compare_digest(fingerprint, root.fingerprint):
                raise EnrolmentError(
                    "The server's root key is not the one that the settings name.",
                    "Check server_url and root_fingerprint; somebody may stand in between.",
                )
            trust = Trust(tenant, root)
            server_key = trust.key_for("server", reply.certificates, key_id(reply.sealed), self._clock.now())
            address = Address(type="enrolled", tenant=tenant, device=NEW_DEVICE, direction="to_device")
            enrolled = wire.decode(
                Enrolled, unseal(reply.sealed, address, server_key), limit_bytes=REPLY_LIMIT_BYTES
            )
        except (MalformedError, SealError, DistrustError) as error:
            raise EnrolmentError(
                f"The server's answer does not hold: {error.detail}", "Check the server's address."
            ) from error
        if enrolled.public_key != key.public.text or enrolled.tenant != tenant:
            raise EnrolmentError("The server answered somebody else's request.", "Try again.")
        return Enrolment(
            server_url=server_url,
            device=enrolled.device,
            tenant=tenant,
            company=enrolled.company,
            root=reply.root,
            pinned="met" if fingerprint is None else "given",
        )
