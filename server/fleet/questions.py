"""What a device asks for besides checking in: verified, of this moment, and not too often."""

from datetime import datetime, timedelta
from typing import TypeVar

from contract.envelope import Address, MessageType
from contract.messages import HoldingsRequest, LeaveRequest, SealedRequest
from server.errors import RefusedError, TooOftenError
from server.fleet import check_ins, device_keys, revocation
from server.fleet.models import Device
from server.fleet.seals import named_device, opened
from server.identity import Identity

Question = TypeVar("Question", HoldingsRequest, LeaveRequest)
TIMELY = timedelta(minutes=10)
"""An older one could have been kept by somebody on its way, and be asked again at a time of their choice."""


def asked_by(
    kind: type[Question], sealed_as: MessageType, message: SealedRequest, identity: Identity, now: datetime
) -> tuple[Device, Question]:
    """Return who asks, and what.

    Raises:
        TooOftenError: the device hurries.
        RefusedError: a device that nobody knows or that was taken out, a seal that does not hold, or an old question.
    """
    device = Device.objects.filter(pk=named_device(message.sealed)).first()
    if device is None:
        raise RefusedError(
            401, "device_unknown", "The server does not know this device.", "Enrol the device again."
        )
    address = Address(type=sealed_as, tenant=identity.tenant.id, device=device.pk, direction="to_server")
    key = device_keys.key_of(device.public_key, device.next_public_key, message.sealed)
    asked = opened(kind, message.sealed, address, key)
    revocation.refuse(device)
    if abs(now - asked.at) > TIMELY:
        raise RefusedError(
            400,
            "not_timely",
            "The request is not of this moment.",
            "Check the device's clock, and ask again.",
        )
    if not check_ins.DEVICES.take(device.pk):
        raise TooOftenError("The device asks too often.", "Wait.")
    return device, asked
