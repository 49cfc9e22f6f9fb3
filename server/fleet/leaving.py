"""A person's own device leaves: everything about it is erased, but for a line of the audit log that says so without a name."""

from datetime import datetime

from django.db import transaction

from contract import wire
from contract.messages import LeaveReply, LeaveRequest, Left, SealedRequest
from server.access import audit
from server.errors import RefusedError
from server.fleet.models import CheckInRecord, Device, ReceivedObservation
from server.fleet.questions import asked_by
from server.fleet.seals import answered
from server.identity import Identity


def leave(message: SealedRequest, identity: Identity, now: datetime, address: str) -> LeaveReply:
    """Erase a device at its owner's wish.

    Raises:
        TooOftenError: the device hurries.
        RefusedError: as `asked_by`, or the device is the company's.
    """
    device, _ = asked_by(LeaveRequest, "leave-request", message, identity, now)
    with transaction.atomic():
        # A check-in that is under way ends first; none begins, since its device is gone then.
        device = Device.objects.select_for_update().get(pk=device.pk)
        if device.ownership != "personal":
            raise RefusedError(
                403, "not_personal", "The device is the company's.", "Ask your administrator to take it out."
            )
        reports, check_ins = _erase(device)
        detail = f"{reports} reports and {check_ins} check-ins erased at its user's own wish"
        audit.record(now, f"device {device.pk[:8]}", "device.left", f"device {device.pk}", detail, address)
    left = Left(request=wire.digest(message.sealed.encode()), at=now, reports=reports, check_ins=check_ins)
    return LeaveReply(sealed=answered(left, "left", device.pk, identity), certificates=identity.certificates)


def _erase(device: Device) -> tuple[int, int]:
    """Erase the device with all that it said and that was made of it; return how many reports and check-ins that were."""
    reports, _ = ReceivedObservation.objects.filter(device=device).delete()
    check_ins, _ = CheckInRecord.objects.filter(device=device).delete()
    device.replaces.update(replaced_by=None)
    Device.objects.filter(pk=device.pk).delete()
    return reports, check_ins
