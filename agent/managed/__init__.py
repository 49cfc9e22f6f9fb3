"""What the administrator or MDM has set on this device: one small module for each system's own place, chosen here."""

import sys

from agent.managed.files import Files
from agent.managed.interface import ManagedSource


def managed_source() -> ManagedSource:
    """Return where this system keeps what its administrator has set."""
    if sys.platform == "win32":
        from agent.managed.registry import Registry  # noqa: PLC0415 - Windows only

        return Registry()
    if sys.platform == "darwin":
        from agent.managed.preferences import Preferences  # noqa: PLC0415 - macOS only

        return Preferences()
    return Files()
