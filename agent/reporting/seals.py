"""Sealing what goes to the server with the device's key, and opening what the server has sealed in answer."""

from datetime import datetime
from typing import TypeVar

import msgspec

from agent.credentials.interface import CredentialStore
from agent.errors import CredentialError, DistrustError
from agent.reporting.enrolment import Enrolment
from agent.store import Store
from agent.trust import USES, Trust, key_id
from contract import wire
from contract.envelope import Address, MessageType, SealError, SigningKey, seal, unseal
from contract.errors import MalformedError
from contract.messages import (
    REPLY_LIMIT_BYTES,
    Acknowledgement,
    CheckInReply,
    Holdings,
    HoldingsReply,
    KeyCertificate,
    LeaveReply,
    Left,
)

_KEY_SINCE = "key_since:"
Reply = TypeVar("Reply", CheckInReply, HoldingsReply, LeaveReply)
Answer = TypeVar("Answer", Acknowledgement, Holdings, Left)


def reply_in(kind: type[Reply], untrusted_answer: bytes) -> Reply:
    """Return the body of an answer; what is sealed within is for `Seals.opened`.

    Raises:
        DistrustError: it is not of that form.
    """
    try:
        return wire.decode(kind, untrusted_answer, limit_bytes=REPLY_LIMIT_BYTES)
    except MalformedError as error:
        raise DistrustError(error.detail, "answer_malformed") from error


class Seals:
    """Owns the device's key in memory, and the record of the server's keys that have served here."""

    def __init__(self, store: Store, credentials: CredentialStore) -> None:
        self._store, self._credentials = store, credentials
        self._key: SigningKey | None = None

    @property
    def key(self) -> SigningKey:
        """The device's key.

        Raises:
            CredentialError: it cannot be read.
        """
        if self._key is None:
            self._key = self._credentials.load()
        if self._key is None:
            raise CredentialError("The device's key is gone.", "Remove the state folder and enrol anew.")
        return self._key

    def change(self, key: SigningKey) -> None:
        """Go over to another key.

        Raises:
            CredentialError: it cannot be kept; the old one stays.
        """
        self._credentials.keep(key)
        self._key = key

    def sealed(self, message: msgspec.Struct, kind: MessageType, enrolment: Enrolment) -> str:
        """Return a message for the server.

        Raises:
            CredentialError: the key cannot be read.
        """
        address = Address(type=kind, tenant=enrolment.tenant, device=enrolment.device, direction="to_server")
        return seal(wire.encode(message), address, self.key)

    def opened(
        self,
        answer: type[Answer],
        kind: MessageType,
        sealed: str,
        certificates: tuple[str, ...],
        enrolment: Enrolment,
        request: str,
    ) -> tuple[Answer, KeyCertificate]:
        """Return what the server says, and the certificate of the key that it says it with.

        Args:
            answer: its type.
            kind: what it was sealed as.
            sealed: the sealed text.
            certificates: what stood beside it.
            enrolment: with whom this device is enrolled.
            request: digest of the sealed message that it must answer.

        Raises:
            DistrustError: it does not hold, or answers another message.
        """
        trust = self.trust(enrolment)
        address = Address(type=kind, tenant=enrolment.tenant, device=enrolment.device, direction="to_device")
        try:
            key = trust.key_for("server", certificates, key_id(sealed), None)
            said = wire.decode(answer, unseal(sealed, address, key), limit_bytes=REPLY_LIMIT_BYTES)
        except (MalformedError, SealError) as error:
            raise DistrustError(error.detail, "answer_malformed") from error
        certificate = trust.certificate_for("server", certificates, key_id(sealed), said.at)
        if said.request != request:
            raise DistrustError("The answer is to another message.", "answer_replayed")
        return said, certificate

    def trust(self, enrolment: Enrolment) -> Trust:
        """Return whom to believe, the keys that have served here since taken into account."""
        told = {use: self._store.fact(f"{_KEY_SINCE}{use}") for use in USES}
        since = {use: datetime.fromisoformat(text) for use, text in told.items() if text}
        return msgspec.structs.replace(enrolment.trust, since=since)

    def remember(self, certificate: KeyCertificate) -> None:
        """Take note that a key serves here, in the caller's transaction."""
        self._store.remember(f"{_KEY_SINCE}{certificate.use}", certificate.not_before.isoformat())
