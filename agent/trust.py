"""Whom this device believes: the root it was given or met, and the keys that the root has certified.

A key whose certificate began before that of a key which has served here since is believed no more: so a key that was stolen is
worth nothing once another took its place, although its certificate has not run out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from agent.errors import DistrustError
from contract import wire
from contract.catalogue_bundle import CatalogueBundle, unpacked
from contract.envelope import EVERY_DEVICE, Address, SealError, VerifyKey, unseal, untrusted_header
from contract.errors import MalformedError
from contract.messages import REPLY_LIMIT_BYTES, KeyCertificate, PolicyBundle

Use = Literal["policy", "server", "catalogue"]
USES: tuple[Use, ...] = ("policy", "server", "catalogue")


class Trust(msgspec.Struct, frozen=True):
    """The tenant and the root key that everything else is measured against."""

    tenant: str
    root: VerifyKey
    since: Mapping[Use, datetime] = {}
    """When the certificate of the newest key that has served here began."""

    def key_for(
        self, use: Use, certificates: Sequence[str], key_id: object, at: datetime | None
    ) -> VerifyKey:
        """Return the key with this id, if the root has certified it for this use and time.

        Raises:
            DistrustError: as `certificate_for`.
        """
        return VerifyKey(self.certificate_for(use, certificates, key_id, at).public_key)

    def certificate_for(
        self, use: Use, certificates: Sequence[str], key_id: object, at: datetime | None
    ) -> KeyCertificate:
        """Return the certificate of the key with this id, if the root has certified it for this use and time.

        Without a time only the use is checked: the time may stand in what the key has sealed.

        Raises:
            DistrustError: no such certificate, or another key has taken its place.
        """
        address = Address(
            type="key-certificate", tenant=self.tenant, device=EVERY_DEVICE, direction="to_device"
        )
        has_run_out = is_superseded = False
        for untrusted_text in certificates:
            try:
                payload = unseal(untrusted_text, address, self.root)
                certificate = wire.decode(KeyCertificate, payload, limit_bytes=REPLY_LIMIT_BYTES)
                key = VerifyKey(certificate.public_key)
            except (SealError, MalformedError):
                continue  # another root's certificate proves nothing, and does no harm
            if certificate.use == use and key.fingerprint == key_id:
                if use in self.since and certificate.not_before < self.since[use]:
                    is_superseded = True  # a renewed certificate of the same key may follow
                elif at is None or certificate.not_before <= at < certificate.not_after:
                    return certificate
                else:
                    has_run_out = True  # alike
        if is_superseded:
            raise DistrustError(f"Another {use} key has taken this one's place.", "key_superseded")
        if has_run_out:
            raise DistrustError(f"The {use} key's certificate has run out or not begun.", "key_expired")
        raise DistrustError(f"The root of {self.tenant} has not certified this {use} key.", "key_unknown")


def key_id(untrusted_text: str) -> object:
    """Return the id of the key that a message claims to be sealed with.

    Raises:
        DistrustError: not a sealed message.
    """
    try:
        return untrusted_header(untrusted_text).get("kid")
    except SealError as error:
        raise DistrustError(error.detail, "seal_malformed") from error


def verify_bundle(
    untrusted_text: str, certificates: Sequence[str], trust: Trust, at: datetime | None
) -> PolicyBundle:
    """Return a bundle that was sealed by a policy key of the root's; whether it is timely is not asked.

    Raises:
        DistrustError: unsigned, tampered, of another root, or malformed.
    """
    key = trust.key_for("policy", certificates, key_id(untrusted_text), at)
    address = Address(type="policy-bundle", tenant=trust.tenant, device=EVERY_DEVICE, direction="to_device")
    try:
        return wire.decode(PolicyBundle, unseal(untrusted_text, address, key), limit_bytes=REPLY_LIMIT_BYTES)
    except SealError as error:
        raise DistrustError(
            f"The policy's seal does not hold: {error.detail}", f"seal_{error.problem}"
        ) from error
    except MalformedError as error:
        raise DistrustError(f"The policy is malformed: {error.detail}", "malformed") from error


def verify_catalogue(
    untrusted_text: str, certificates: Sequence[str], trust: Trust, at: datetime | None
) -> CatalogueBundle:
    """Return a catalogue that was sealed by a catalogue key of the root's and can be used; whether it is timely is not asked.

    Raises:
        DistrustError: unsigned, tampered, of another root, malformed, or its parts do not fit together.
    """
    key = trust.key_for("catalogue", certificates, key_id(untrusted_text), at)
    address = Address(
        type="catalogue-bundle", tenant=trust.tenant, device=EVERY_DEVICE, direction="to_device"
    )
    try:
        bundle = unpacked(unseal(untrusted_text, address, key))
        bundle.catalogue()
    except SealError as error:
        raise DistrustError(
            f"The catalogue's seal does not hold: {error.detail}", f"seal_{error.problem}"
        ) from error
    except MalformedError as error:
        raise DistrustError(f"The catalogue is malformed: {error.detail}", "malformed") from error
    return bundle


def open_catalogue(
    untrusted_text: str,
    certificates: Sequence[str],
    trust: Trust,
    *,
    newest: int,
    current: int,
    at: datetime,
) -> CatalogueBundle:
    """Return a published catalogue that holds and is timely.

    Args:
        untrusted_text: the sealed catalogue.
        certificates: the certificates that came with it.
        trust: whom this device believes.
        newest: the highest version that was ever taken here; 0 without one.
        current: the newest version, as the server's sealed answer says.
        at: the server's sealed time.

    Raises:
        DistrustError: as `verify_catalogue`, or older by version.
    """
    bundle = verify_catalogue(untrusted_text, certificates, trust, at)
    if bundle.version < newest:
        raise DistrustError(
            f"Version {bundle.version} of the catalogue is older than version {newest}, which was here.",
            "older",
        )
    if bundle.version < current:
        raise DistrustError(
            f"Version {bundle.version} of the catalogue came, although {current} is current.", "frozen"
        )
    return bundle


def open_bundle(
    untrusted_text: str,
    certificates: Sequence[str],
    trust: Trust,
    *,
    in_force: int,
    current: int,
    at: datetime,
) -> PolicyBundle:
    """Return a published policy that holds and is timely.

    Args:
        untrusted_text: the sealed bundle.
        certificates: the certificates that came with it.
        trust: whom this device believes.
        in_force: the serial of the last good bundle; 0 without one.
        current: the newest serial, as the server's sealed answer says.
        at: the server's sealed time, so that a wrong clock here refuses nothing.

    Raises:
        DistrustError: as `verify_bundle`, or expired, or older by serial.
    """
    bundle = verify_bundle(untrusted_text, certificates, trust, at)
    if bundle.serial < in_force:
        raise DistrustError(
            f"Policy number {bundle.serial} is older than number {in_force}, which is in force.", "older"
        )
    if bundle.serial < current:
        raise DistrustError(f"Policy number {bundle.serial} came, although {current} is current.", "frozen")
    if bundle.expires_at <= at:
        raise DistrustError(f"Policy number {bundle.serial} has expired.", "expired")
    return bundle
