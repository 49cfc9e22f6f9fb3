"""After a restore: the records are older than what devices were told, so nothing may go on as if nothing had happened."""

from datetime import datetime

import msgspec
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, Max

from server.access import audit
from server.access.models import LoginLink
from server.fleet.models import Device, EnrolmentSecret, Installation
from server.identity import Identity
from server.locks import hold
from server.policies import catalogues, publishing
from server.policies.models import Publication

SERIALS_LEFT_OUT = 1000
"""How many serials are passed over: more than can have been published since the backup was made."""
SERIALS_BELIEVED = 100_000
"""How much newer a policy may be that a device says it holds."""


class Recovered(msgspec.Struct, frozen=True):
    """What was done."""

    devices: int
    serial: int
    """The serial in force now, or the least that the next policy gets."""
    is_published: bool
    """Whether there was a policy to publish anew."""
    secrets: int
    """How many enrolment secrets were taken back."""


def recover(identity: Identity, now: datetime, actor: str) -> Recovered:
    """Make the records fit for devices that have seen newer ones; doing it twice does no harm.

    * Serials leap, and the policy in force is sealed anew: the sealed current serial never goes back. The catalogue's version alike.
    * With each device stands how far it had come, so that what is lost is told apart from what is only late.
    * Sessions, login links and enrolment secrets end: they may have been ended since the backup was made.
    """
    with transaction.atomic():
        hold("serial")
        newest = Publication.objects.aggregate(most=Max("serial"))["most"] or 0
        # A device may say any number; one that cannot be so would leave none for later.
        believed = Device.objects.filter(policy_serial__lte=newest + SERIALS_BELIEVED)
        held = believed.aggregate(most=Max("policy_serial"))["most"] or 0
        serial = max(newest, held) + SERIALS_LEFT_OUT
        Installation.objects.update(restored_at=now, serial_floor=serial)
        published = publishing.republished(identity, now)
        catalogues.seal_anew(identity, actor, now, leap=catalogues.VERSIONS_LEFT_OUT)
        devices = Device.objects.update(highest_at_restore=F("taken_highest"), lost_in_restore=0)
        still_open = EnrolmentSecret.objects.filter(revoked_at=None, expires_at__gt=now)
        secrets = still_open.update(revoked_at=now)
        Session.objects.all().delete()
        LoginLink.objects.all().delete()
        audit.record(
            now,
            actor,
            "records.restored",
            f"Policy number {serial}",
            f"{devices} devices, {secrets} enrolment secrets taken back",
        )
    return Recovered(devices, serial, published is not None, secrets)
