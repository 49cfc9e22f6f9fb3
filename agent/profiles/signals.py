"""What can be learnt of a messenger's instance that speaks for one side or the other, and what comes of it.

Signals live for as long as it takes to classify them. What is kept is a `Side`, which names no account and no domain but the company's.
"""

from typing import Literal

import msgspec

from contract.facts import Platform
from contract.policy import Ownership, Profile
from contract.sides import Assurance, Spoken

LAUNCH_MARKER = "DECORUM_WORK"
"""The environment variable by which Decorum's own work launcher marks what it starts. Its value is the messenger's id: whatever that
messenger starts in turn inherits the variable, and is not meant."""


class OsAccount(msgspec.Struct, frozen=True):
    """Whose a person's account on this system is."""

    kind: Literal["local", "directory"]
    """`directory`: it is not in the machine's own list, a directory service vouches for it."""
    domain: str | None = None
    """The directory's."""


class Instance(msgspec.Struct, frozen=True):
    """What tells one running copy of an application from another."""

    folder: str | None = None
    """Where it was told to keep its data; None for the usual place."""
    name: str | None = None
    """How the profile is called that it was started with."""


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for one side or the other; what could not be learnt is None or empty."""

    ownership: Ownership
    messenger: str | None = None
    platform: Platform = "linux"
    marked_for: str | None = None
    """The messenger that the launch marker names."""
    instance: Instance = Instance()
    data_home: str | None = None
    """The home folder that the application was started with: its data is there unless it was told another place."""
    home: str | None = None
    """The account's own home folder, which `~` in a rule stands for."""
    sandbox: str | None = None
    """The Flatpak application or snap."""
    program: str | None = None
    """Path of the executable."""
    installer: Literal["system", "person", "management"] | None = None
    """Who put it there."""
    browser_domains: frozenset[str] = frozenset()
    """Domains that the browser's profile is signed in to; several where it is not known which profile it is."""
    browser_has_others: bool = False
    """Whether it may also be a profile that is signed in nowhere."""
    browser_is_managed: bool = False
    """Whether an administrator's policy holds for the browser."""
    account_domains: frozenset[str] = frozenset()
    """Domains of the accounts within the application."""
    edition: Literal["work", "personal"] | None = None
    """For whom its maker made this application."""
    os_account: OsAccount | None = None
    work_accounts: frozenset[str] = frozenset()
    """Domains of work or school accounts, and of a management, that the system knows of."""
    is_managed: bool = False
    """Whether a management looks after the device, whosever it is."""


class Side(msgspec.Struct, frozen=True):
    """The profile, why, how sure that is, and all that spoke."""

    profile: Profile
    reason: str
    assurance: Assurance = "low"
    spoke: tuple[Spoken, ...] = ()
