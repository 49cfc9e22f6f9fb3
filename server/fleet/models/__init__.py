"""What is kept of the fleet."""

from server.fleet.models.channel import ChannelSeen
from server.fleet.models.device import Device, FormerKey
from server.fleet.models.exposure import ExposureDay
from server.fleet.models.installation import Installation
from server.fleet.models.installed import InstalledMessenger
from server.fleet.models.records import CheckInRecord, ReceivedObservation
from server.fleet.models.secret import EnrolmentSecret
from server.fleet.models.sighting import Sighting
from server.fleet.models.unlisted import UnlistedMessenger

__all__ = [
    "ChannelSeen",
    "CheckInRecord",
    "Device",
    "EnrolmentSecret",
    "ExposureDay",
    "FormerKey",
    "Installation",
    "InstalledMessenger",
    "ReceivedObservation",
    "Sighting",
    "UnlistedMessenger",
]
