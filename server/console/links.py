"""Where numbers lead: the list of devices, narrowed by its address."""

from urllib.parse import urlencode

from django.urls import reverse


def devices_link(**query: str) -> str:
    """Return the address of the list of devices that something holds of."""
    return f"{reverse('admin:fleet_device_changelist')}?{urlencode(query)}"
