"""Taking devices in: a secret with a quota and an end, and proof that the device holds the key it brings."""

import hmac
from datetime import datetime

from django.conf import settings
from django.db import transaction

from contract.envelope import Address, VerifyKey
from contract.errors import MalformedError
from contract.messages import Enrolled, EnrolmentReply, EnrolmentRequest, SealedRequest
from server.access import audit
from server.errors import RefusedError
from server.fleet import revocation
from server.fleet.models import Device, EnrolmentSecret
from server.fleet.models.secret import digest_of
from server.fleet.seals import NEW_DEVICE, answered, claimed, opened
from server.identity import Identity
from server.locks import hold

_NEW_SECRET = "Ask your administrator for a new enrolment secret."  # noqa: S105 - a sentence


def enrol(message: SealedRequest, identity: Identity, now: datetime, address: str) -> EnrolmentReply:
    """Take a device in, or know it again by its key.

    Raises:
        RefusedError: a seal that does not hold, or a secret that does not open.
    """
    request, key = _verified(message, identity)
    try:
        with transaction.atomic(durable=True):
            device = _take_in(request, now, address)
    except RefusedError as error:
        subject = _secret_in_words(request.secret) or address
        actor = f"key {key.fingerprint[:8]}"
        audit.record_rarely(now, actor, f"enrolment.{error.reason}", subject, error.detail, address)
        raise
    enrolled = Enrolled(
        device=device.id,
        tenant=identity.tenant.id,
        company=identity.tenant.company,
        public_key=request.public_key,
        check_in_seconds=settings.CONFIGURATION.check_in_seconds,
        at=now,
    )
    return EnrolmentReply(
        sealed=answered(enrolled, "enrolled", NEW_DEVICE, identity),
        root=identity.tenant.root,
        certificates=identity.certificates,
    )


def _verified(message: SealedRequest, identity: Identity) -> tuple[EnrolmentRequest, VerifyKey]:
    """Return the request, proven to be sealed with the very key that it brings."""
    untrusted = claimed(EnrolmentRequest, message.sealed)
    try:
        key = VerifyKey(untrusted.public_key)
    except MalformedError as error:
        raise RefusedError(400, "malformed", error.detail, error.remedy) from error
    if not untrusted.secret.startswith(f"{identity.tenant.id}."):
        raise RefusedError(
            403,
            "secret_of_another_server",
            "This secret belongs to another company's server.",
            "Use the address that came with the secret, or a secret of this server.",
        )
    address = Address(type="enrolment", tenant=identity.tenant.id, device=NEW_DEVICE, direction="to_server")
    return opened(EnrolmentRequest, message.sealed, address, key), key


def _take_in(request: EnrolmentRequest, now: datetime, address: str) -> Device:
    # The same device twice at once, or two with the same hardware, wait for each other; so do all with one secret.
    hold(f"enrol {request.public_key}")
    secret = _secret(request.secret)
    device = Device.objects.select_for_update().filter(public_key=request.public_key).first()
    if device is not None:
        revocation.refuse(device)
    if device is None or device.enrolled_with_id != secret.pk:
        # The same device with the same secret asks again because an answer was lost: that uses nothing up.
        _use(secret, now)
    is_new = device is None
    if device is None:
        device = Device(public_key=request.public_key, key_since=now)
    device.enrolled_at, device.enrolled_with = now, secret
    device.name = request.device_name if request.ownership == "company" else None
    device.ownership, device.assurance = request.ownership, request.assurance
    device.platform, device.version, device.hardware = request.platform, request.version, request.hardware
    device.expect_next(now, settings.CONFIGURATION.check_in_seconds)
    device.save()
    _flag_shared_hardware(device)
    action = "device.enrolled" if is_new else "device.enrolled_again"
    audit.record(now, f"device {device.id[:8]}", action, str(device), f"with {secret}", address)
    return device


def _secret(text: str) -> EnrolmentSecret:
    digest = digest_of(text)
    secret = EnrolmentSecret.objects.select_for_update().filter(digest=digest).first()
    if secret is None or not hmac.compare_digest(secret.digest, digest):
        raise RefusedError(403, "secret_unknown", "Nobody knows this enrolment secret.", _NEW_SECRET)
    return secret


def _use(secret: EnrolmentSecret, now: datetime) -> None:
    if secret.revoked_at is not None:
        raise RefusedError(403, "secret_revoked", "The enrolment secret was taken back.", _NEW_SECRET)
    if secret.expires_at <= now:
        raise RefusedError(403, "secret_expired", "The enrolment secret has run out.", _NEW_SECRET)
    if secret.uses >= secret.uses_at_most:
        raise RefusedError(403, "secret_used_up", "The enrolment secret has been used up.", _NEW_SECRET)
    secret.uses += 1
    secret.save(update_fields=["uses"])


def _flag_shared_hardware(device: Device) -> None:
    """Flag two records that tell the same hardware, and evict neither: one may be a clone, or the machine anew."""
    if device.hardware is None:
        return
    hold(f"hardware {device.hardware}")
    alike = Device.objects.filter(hardware=device.hardware, revoked_at=None)
    if alike.count() > 1:
        alike.update(shares_hardware=True)
        device.shares_hardware = True


def _secret_in_words(text: str) -> str | None:
    secret = EnrolmentSecret.objects.filter(digest=digest_of(text)).first()
    return None if secret is None else f"secret {secret.pk}"
