"""What the administrator or MDM has set on this device: one small module for each system's own place, chosen here."""

import sys
from pathlib import Path

from agent.managed.files import Files
from agent.managed.interface import ManagedSource
from agent.managed.layers import Layers
from contract.places import places_on


def managed_source() -> ManagedSource:
    """Return where this system keeps what its administrator has set."""
    if sys.platform == "win32":
        from agent.managed.registry import Registry  # noqa: PLC0415 - Windows only

        return Registry()
    elif sys.platform == "darwin":  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        from agent.managed.preferences import Preferences  # noqa: PLC0415 - macOS only

        return Layers(Files(Path(places_on("macos").settings or "")), Preferences())
    else:
        return Files()
