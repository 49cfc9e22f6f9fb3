"""What the pages of one device and of a new secret show."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from server.addresses import client_address
from server.console import present
from server.fleet import exposure, installed, revocation, secrets, unretained
from server.fleet.flags import flags
from server.fleet.models import Device
from server.fleet.standing import standing_of
from server.fleet.story import story
from server.identity import identity_in
from server.moments import utc_now
from server.numbers import number_in
from server.policies import publishing
from server.policies.catalogues import newest_version
from server.policies.models import Publication


def device_page(request: HttpRequest, device: Device) -> dict[str, Any]:
    """Return what the page of one device shows."""
    newest, now = publishing.current(), utc_now()
    current_serial = 0 if newest is None else newest.serial
    whole, exposed = exposure.on_device(device, now)
    return {
        "title": "Device",
        "zone": settings.TIME_ZONE,
        "device": device,
        "standing_name": standing_of(device, now),
        "flags": flags(device, current_serial),
        "same_hardware": revocation.same_machine(device)[:10],
        "may_change": request.user.has_perm("fleet.change_device"),
        "newest_catalogue": newest_version(),
        "policy_is_published": Publication.objects.filter(pk=device.policy_serial).exists(),
        "ownership": present.OWNERSHIPS.get(device.ownership, device.ownership),
        "platform": present.PLATFORMS.get(device.platform, device.platform),
        "open": list(device.sightings.filter(is_open=True)[:50]),
        "exposure": whole,
        "exposed": exposed,
        "exposure_days": exposure.DAYS,
        "installed": installed.installed_on(device),
        "unretained": unretained.unretained_on(device),
        "story": story(device, number_in(request.GET.get("before", ""))),
    }


def made_secret(request: HttpRequest, wish: secrets.Wish) -> dict[str, Any]:
    """Make a secret; return what the page shows that shows it this once."""
    identity = identity_in(settings.STATE)
    actor, address = request.user.get_username(), client_address(request)
    return {
        "secret": secrets.issue(wish, actor, identity.tenant.id, utc_now(), address),
        "wish": wish,
        "server_url": settings.CONFIGURATION.url,
        "fingerprint": identity.root_fingerprint,
    }
