"""What is asked of a system about one instance of a messenger, once, and what it answers."""

from collections.abc import Collection
from typing import Protocol

import msgspec

from agent.profiles.signals import Signals
from agent.sensing.process_source import Reading
from contract.catalogue import MessengerKind
from contract.policy import Ownership
from contract.sides import SignalName


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One instance, and what is known of it already."""

    reading: Reading
    """Of the instance's first process; of a page, of its browser's."""
    uid: int
    ownership: Ownership
    messenger: str
    kind: MessengerKind | None = None
    """The messenger's, if it is listed."""
    of_page: bool = False
    """Whether it is a page in a browser."""
    browser_profile: str = ""
    """The number that the extension made up in the browser's profile in which a page is open."""
    web_extension: str | None = None
    """The extension's id in Chromium browsers."""
    off: Collection[SignalName] = ()
    """Signals that are not to be read."""


class SignalSource(Protocol):
    """Reads what speaks for a side; what cannot be read is absent, and nothing is raised but GoneError."""

    def read(self, asked: Asked) -> Signals:
        """Return what was learnt; raise GoneError if the process ended meanwhile."""
