"""Check-ins: verified, taken exactly once in one transaction, and answered with sealed acknowledgements.

One that comes alone may be anything: refused, sealed by a new key, a fork. Those that wait at the same moment are taken together, in one
transaction and a handful of statements, as long as each of them is plain; who is not comes alone (decision 0029).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from django.conf import settings
from django.db import transaction

from contract import wire
from contract.capture import ConnectorHeard
from contract.envelope import Address, VerifyKey
from contract.messages import Acknowledgement, CheckIn, CheckInReply, SealedRequest
from contract.observations import ASKED_FOR
from server.access import audit
from server.errors import RefusedError, TooOftenError
from server.fleet import device_keys, intake, revocation, rows
from server.fleet.models import Device
from server.fleet.pace import of_devices
from server.fleet.remembered_keys import Keys, RememberedKeys
from server.fleet.seals import answered, named_device, opened
from server.fleet.spread import spread_seconds
from server.fleet.visits import Visit, take
from server.identity import Identity
from server.policies import catalogues, publishing
from server.policies.models import Publication
from server.records.told import told_of

_ALSO_TAKES = tuple(sorted(ASKED_FOR))
DEVICES = of_devices()
REMEMBERED_KEYS = RememberedKeys()


class _Heard(msgspec.Struct, frozen=True):
    """A check-in whose seal holds."""

    device_id: str
    said: CheckIn
    key: VerifyKey
    message: SealedRequest


class _InForce(msgspec.Struct, frozen=True):
    """What devices are told to go by."""

    policy: Publication | None
    catalogue: int
    """Its version."""
    connectors: tuple[ConnectorHeard, ...]


def check_in(message: SealedRequest, identity: Identity, now: datetime, address: str) -> CheckInReply:
    """Take what a device says, and say what it lacks.

    Raises:
        TooOftenError: the device hurries.
        RefusedError: a device that nobody knows, a seal that does not hold, or bodies that are not those sealed.
    """
    device_id = named_device(message.sealed)
    try:
        heard = _verified(message, identity, device_id, _keys((device_id,)).get(device_id))
        if not DEVICES.take(device_id):
            raise TooOftenError("The device asks too often.", "Wait.")
        intake.check_bodies(heard.said, message.bodies)
        with transaction.atomic(durable=True):
            visit = _let_in(heard, identity, now)
            in_force = _in_force(identity, now)
            with rows.without_waiting():
                take((visit,), now)
    except RefusedError as error:
        known = Device.objects.filter(pk=device_id).exists()
        subject = f"device {device_id}" if known else address
        audit.record_rarely(now, subject[:15], f"check_in.{error.reason}", subject, error.detail, address)
        raise
    return _reply(visit, in_force, identity, now)


def together(
    messages: Sequence[SealedRequest], identity: Identity, now: datetime
) -> list[CheckInReply | None]:
    """Take the plain ones of some check-ins in one transaction; None for each that has to come alone.

    Whatever goes wrong, nothing of any is taken.
    """
    heard = _plain(messages, identity)
    if not heard:
        return [None] * len(messages)
    with transaction.atomic(durable=True), rows.without_waiting():
        # Who is locked by somebody else comes alone and waits there, and nobody here waits for each other in a circle.
        devices = Device.objects.select_for_update(skip_locked=True).filter(pk__in=tuple(heard)).order_by()
        visits = {device.pk: visit for device in devices if (visit := _quiet(device, heard[device.pk]))}
        in_force = _in_force(identity, now)
        take(tuple(visits.values()), now)
    by_message = {heard[device_id].message.sealed: visit for device_id, visit in visits.items()}
    for device_id in visits:
        DEVICES.take(device_id)
    return [
        None
        if (visit := by_message.pop(message.sealed, None)) is None
        else _reply(visit, in_force, identity, now)
        for message in messages
    ]


def _plain(messages: Sequence[SealedRequest], identity: Identity) -> dict[str, _Heard]:
    """Return those whose seal and bodies hold, by device, one of each."""
    named: dict[str, SealedRequest] = {}
    for message in messages:
        try:
            named.setdefault(named_device(message.sealed), message)
        except RefusedError:
            continue
    found, keys = {}, REMEMBERED_KEYS.of(named, _keys)
    for device_id, message in named.items():
        try:
            heard = _verified(message, identity, device_id, keys.get(device_id))
            intake.check_bodies(heard.said, message.bodies)
        except RefusedError:
            REMEMBERED_KEYS.forget(device_id)
            continue
        if DEVICES.has_room(device_id):
            found[device_id] = heard
    return found


def _quiet(device: Device, heard: _Heard) -> Visit | None:
    """Return the visit of a device of which nothing has to be written but what it says; None if there may be more to it."""
    said = heard.said
    if device.revoked_at is not None or heard.key.text != device.public_key or said.next_key is not None:
        return None
    if device.shares_hardware or intake.repeated(device, said):
        return None
    try:
        return Visit(
            device, said, heard.message.sealed, intake.sort_out(device, said, heard.message.bodies, {})
        )
    except RefusedError:
        return None


def _let_in(heard: _Heard, identity: Identity, now: datetime) -> Visit:
    """Return the visit of a device, with all that may come of it, in the caller's transaction."""
    # One check-in of a device at a time: which numbers were taken stands in this row (decision 0013).
    device = Device.objects.select_for_update().get(pk=heard.device_id)
    said, bodies = heard.said, heard.message.bodies
    revocation.refuse(device)
    device_keys.follow(device, heard.key, now)
    if heard.key.text != device.public_key:
        raise RefusedError(401, "seal_signature", "The device's key has changed.", "Send it again.")
    next_key = (
        None if said.next_key is None else device_keys.propose(device, said.next_key, identity.tenant.id)
    )
    if device.shares_hardware:
        revocation.replace_silent(device, now)
    repeated = intake.repeated(device, said)
    stored = intake.known(device, repeated) if repeated else {}
    return Visit(device, said, heard.message.sealed, intake.sort_out(device, said, bodies, stored), next_key)


def _in_force(identity: Identity, now: datetime) -> _InForce:
    policy = publishing.renewed(identity, now)
    return _InForce(policy, catalogues.newest_version(), told_of(policy))


def _reply(visit: Visit, in_force: _InForce, identity: Identity, now: datetime) -> CheckInReply:
    device, taken, policy = visit.device, visit.taken.numbers, in_force.policy
    bundle = policy.sealed if policy is not None and policy.serial != visit.said.policy_serial else None
    acknowledgement = Acknowledgement(
        request=wire.digest(visit.sealed.encode()),
        at=device.acknowledged_at or now,
        current_serial=0 if policy is None else policy.serial,
        catalogue_version=in_force.catalogue,
        taken_up_to=taken.up_to,
        missing=taken.missing,
        forks=visit.taken.forks,
        next_check_in_seconds=settings.CONFIGURATION.check_in_seconds,
        wants_new_key=visit.next_key is None and device_keys.is_change_wanted(device, now),
        next_key=visit.next_key,
        settings=settings.AGENT_SETTINGS,
        also_takes=_ALSO_TAKES,
        spread_seconds=spread_seconds(now),
        connectors=in_force.connectors,
    )
    return CheckInReply(
        sealed=answered(acknowledgement, "acknowledgement", device.pk, identity),
        certificates=identity.certificates,
        bundle=bundle,
        catalogue=catalogues.offered(in_force.catalogue, visit.said.catalogue_version, beside=bundle),
    )


def _keys(device_ids: Iterable[str]) -> Mapping[str, Keys]:
    """Return devices' keys, the present one and the next."""
    found = Device.objects.filter(pk__in=tuple(device_ids)).order_by()
    return {
        pk: (key, next_key) for pk, key, next_key in found.values_list("pk", "public_key", "next_public_key")
    }


def _verified(message: SealedRequest, identity: Identity, device_id: str, keys: Keys | None) -> _Heard:
    if keys is None:
        raise RefusedError(
            401, "device_unknown", "The server does not know this device.", "Enrol the device again."
        )
    address = Address(type="check-in", tenant=identity.tenant.id, device=device_id, direction="to_server")
    key = device_keys.key_of(*keys, message.sealed)
    return _Heard(device_id, opened(CheckIn, message.sealed, address, key), key, message)
