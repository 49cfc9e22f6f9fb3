"""One check-in: verified, taken exactly once in one transaction, and answered with a sealed acknowledgement."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from contract import wire
from contract.envelope import Address, VerifyKey
from contract.messages import Acknowledgement, CheckIn, CheckInReply, SealedRequest
from server.access import audit
from server.errors import RefusedError, TooOftenError
from server.fleet import device_keys, intake, projection, revocation
from server.fleet.models import CheckInRecord, Device
from server.fleet.pace import of_devices
from server.fleet.seals import answered, named_device, opened
from server.fleet.spread import spread_seconds
from server.identity import Identity
from server.policies import catalogues, publishing

DEVICES = of_devices()


def check_in(message: SealedRequest, identity: Identity, now: datetime, address: str) -> CheckInReply:
    """Take what a device says, and say what it lacks.

    Raises:
        TooOftenError: the device hurries.
        RefusedError: a device that nobody knows, a seal that does not hold, or bodies that are not those sealed.
    """
    device_id = named_device(message.sealed)
    try:
        said, key = _verified(message, identity, device_id)
        if not DEVICES.take(device_id):
            raise TooOftenError("The device asks too often.", "Wait.")
        intake.check_bodies(said, message.bodies)
        with transaction.atomic(durable=True):
            return _take(said, key, message, identity, now)
    except RefusedError as error:
        known = Device.objects.filter(pk=device_id).exists()
        subject = f"device {device_id}" if known else address
        audit.record_rarely(now, subject[:15], f"check_in.{error.reason}", subject, error.detail, address)
        raise


def _verified(message: SealedRequest, identity: Identity, device_id: str) -> tuple[CheckIn, VerifyKey]:
    device = Device.objects.filter(pk=device_id).only("public_key", "next_public_key").first()
    if device is None:
        raise RefusedError(
            401, "device_unknown", "The server does not know this device.", "Enrol the device again."
        )
    address = Address(type="check-in", tenant=identity.tenant.id, device=device.id, direction="to_server")
    key = device_keys.key_of(device, message.sealed)
    return opened(CheckIn, message.sealed, address, key), key


def _take(
    said: CheckIn, key: VerifyKey, message: SealedRequest, identity: Identity, now: datetime
) -> CheckInReply:
    device_id = named_device(message.sealed)
    # One check-in of a device at a time: which numbers were taken stands in this row (decision 0013).
    device = Device.objects.select_for_update().get(pk=device_id)
    revocation.refuse(device)
    device_keys.follow(device, key, now)
    if key.text != device.public_key:
        raise RefusedError(401, "seal_signature", "The device's key has changed.", "Send it again.")
    next_key = (
        None if said.next_key is None else device_keys.propose(device, said.next_key, identity.tenant.id)
    )
    if device.shares_hardware:
        revocation.replace_silent(device, now)
    record = _keep(device, said, message.sealed, now)
    taken = intake.take(device, record, said, message.bodies, now)
    projection.project(device, taken.fresh, now)
    policy = publishing.renewed(identity, now)
    current_serial = 0 if policy is None else policy.serial
    # A server's clock may be set back; the device would refuse a time before the last one it was told.
    at = now if device.acknowledged_at is None else max(now, device.acknowledged_at)
    bundle = policy.sealed if policy is not None and policy.serial != said.policy_serial else None
    catalogue = catalogues.offered(said.catalogue_version, beside=bundle)
    interval_seconds = settings.CONFIGURATION.check_in_seconds
    _note(device, said, now)
    device.acknowledged_at = at
    device.expect_next(now, interval_seconds)
    device.state = projection.state_of(device)
    device.save()
    acknowledgement = Acknowledgement(
        request=wire.digest(message.sealed.encode()),
        at=at,
        current_serial=current_serial,
        catalogue_version=catalogue.version,
        taken_up_to=device.taken.up_to,
        missing=device.taken.missing,
        forks=taken.forks,
        next_check_in_seconds=interval_seconds,
        wants_new_key=next_key is None and device_keys.is_change_wanted(device, now),
        next_key=next_key,
        settings=settings.AGENT_SETTINGS,
        spread_seconds=spread_seconds(now),
    )
    return CheckInReply(
        sealed=answered(acknowledgement, "acknowledgement", device.id, identity),
        certificates=identity.certificates,
        bundle=bundle,
        catalogue=catalogue.sealed,
    )


def _keep(device: Device, said: CheckIn, sealed: str, now: datetime) -> CheckInRecord:
    """Keep the sealed text; a heartbeat that reports nothing takes the place of the one before."""
    values = {"received_at": now, "sealed": sealed}
    if said.observations:
        return CheckInRecord.objects.create(device=device, reported=len(said.observations), **values)
    return CheckInRecord.objects.update_or_create(device=device, reported=0, defaults=values)[0]


def _note(device: Device, said: CheckIn, now: datetime) -> None:
    device.last_check_in_at = now
    device.version, device.platform, device.ownership = said.version, said.platform, said.ownership
    device.clock_behind_seconds = (now - said.clock.wall).total_seconds()
    device.policy_serial, device.journal_head = said.policy_serial, said.journal.digest
    device.waiting = said.waiting
