"""What a device and the server say to each other.

Enrolment, once: the device makes its key, sends `EnrolmentRequest`, and gets `EnrolmentReply` with its id and the root key.

Check-in, again and again: the device seals a `CheckIn`, which lists the salted digests of the observations it reports, and
puts their bodies beside the seal, so that one body can be erased later without breaking it. The server takes each sequence
number once and answers with a sealed `Acknowledgement`; if the device's policy is older than the current serial, the sealed
`PolicyBundle` stands beside it, and alike the sealed catalogue (`contract.catalogue_bundle`). All keys but the root's come as `KeyCertificate`s sealed by the root.
"""

from typing import Annotated, Literal

import msgspec

from contract import wire
from contract.capture import ConnectorHeard
from contract.observations import Short
from contract.policy import Ownership, Policy
from contract.wire import Dated, Moment

LIMIT_BYTES = 64 * 1024
"""The largest request that the server takes."""
REPLY_LIMIT_BYTES = 1024 * 1024
"""The largest reply that a device takes; a bundle carries the whole policy."""
OBSERVATIONS_AT_MOST = 50
"""How many observations one check-in may carry."""

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Salt = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Sequence = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
PublicKey = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}\Z")]
Assurance = Literal["managed", "self_attested"]


class EnrolmentRequest(Dated, frozen=True, kw_only=True):
    """A device asks to be taken in; sealed with the key it brings, for the secret's tenant and device `new`.

    An enrolment secret is written `tenant.random`, so that the tenant is known before the server is asked.
    """

    secret: Short
    public_key: PublicKey
    ownership: Ownership
    assurance: Assurance
    platform: Literal["linux", "macos", "windows"]
    version: Short
    device_name: Short | None
    """The host name on a company-owned device; never sent from a personal one."""
    hardware: Digest | None
    """HMAC-SHA256 of the machine's identity, keyed with the tenant, so that no two tenants can compare; None where
    unknown."""
    at: Moment


class SealedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an HTTP request from a device: a sealed message and what stands beside it."""

    sealed: str
    bodies: Annotated[tuple["ObservationBody", ...], msgspec.Meta(max_length=OBSERVATIONS_AT_MOST)] = ()


class KeyCertificate(Dated, frozen=True, kw_only=True):
    """The root says that a key may be used for one purpose; sealed by the root for every device."""

    public_key: PublicKey
    use: Literal["policy", "server", "catalogue"]
    not_before: Moment
    not_after: Moment


class Enrolled(Dated, frozen=True, kw_only=True):
    """The server has taken the device in; sealed by the server's key for device `new`, answering the device's key."""

    device: Short
    tenant: Short
    company: Short
    public_key: PublicKey
    """The device's own key, given back: the answer is to this request."""
    check_in_seconds: Annotated[int, msgspec.Meta(ge=5, le=86_400)]
    at: Moment


class EnrolmentReply(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the HTTP reply to an enrolment."""

    sealed: str
    root: PublicKey
    certificates: tuple[str, ...]


class ObservationDigest(msgspec.Struct, frozen=True, array_like=True):
    """One reported observation, inside the seal."""

    sequence: Sequence
    digest: Digest
    """SHA-256 over salt and body, see `salted_digest`."""


class ObservationBody(msgspec.Struct, frozen=True, kw_only=True):
    """One reported observation, beside the seal."""

    sequence: Sequence
    salt: Salt
    body: msgspec.Raw
    """Canonical JSON of a `contract.observations.Observation`, byte for byte as it was digested."""


class Clock(Dated, frozen=True, kw_only=True):
    """The device's clocks when it spoke."""

    wall: Moment
    monotonic_seconds: Annotated[float, msgspec.Meta(ge=0, le=1e12)]
    boot_id: Short


class ChainHead(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entry of the journal; a rewritten journal shows by it.

    No count goes with it, and each check-in is an entry itself, so that the head tells nothing of what was not reported.
    """

    digest: Digest


class NextKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key that a device will seal with as soon as the server knows it; the check-in that brings it is sealed by the old one."""

    public_key: PublicKey
    proof: Annotated[str, msgspec.Meta(max_length=2000)]
    """A `KeyProof` sealed by the new key: the device holds it."""


class KeyProof(msgspec.Struct, frozen=True, kw_only=True):
    """What the new key seals: whose place it takes."""

    takes_place_of: PublicKey


class CheckIn(msgspec.Struct, frozen=True, kw_only=True):
    """The heartbeat, and what is reported with it; sealed by the device."""

    protocol: Literal[1] = 1
    version: Short
    platform: Literal["linux", "macos", "windows"]
    ownership: Ownership
    clock: Clock
    policy_serial: Count
    """0 without a policy."""
    catalogue_version: Count | None = None
    """The version of the published catalogue in use, 0 without one; None from an agent that takes none."""
    journal: ChainHead
    waiting: Count
    """Observations that are due and wait on the device, those in this message included."""
    observations: Annotated[tuple[ObservationDigest, ...], msgspec.Meta(max_length=OBSERVATIONS_AT_MOST)] = ()
    next_key: NextKey | None = None


class Acknowledgement(Dated, frozen=True, kw_only=True):
    """The server's answer, which the device keeps; sealed by the server's key."""

    request: Digest
    """SHA-256 of the sealed check-in that it answers."""
    at: Moment
    current_serial: Count
    """The newest published serial at this time, so that an old policy cannot be frozen in place."""
    catalogue_version: Count = 0
    """The newest published version of the catalogue at this time, alike; 0 where none was ever published."""
    taken_up_to: Count
    """Every sequence number up to here has been taken."""
    missing: tuple[tuple[Sequence, Sequence], ...] = ()
    """Ranges, both ends included, that the server lacks although it has a later number."""
    forks: tuple[Sequence, ...] = ()
    """Numbers of this message that had been taken before with another digest."""
    next_check_in_seconds: Annotated[int, msgspec.Meta(ge=5, le=86_400)]
    wants_new_key: bool = False
    """The device is asked to change its key."""
    next_key: PublicKey | None = None
    """The key that the server knows now beside the present one: what comes next may be sealed with it."""
    settings: dict[Short, int | bool | Short] = msgspec.field(default_factory=dict)
    """The server's wishes for the device's settings; heard only for the keys that a server may change, and within their bounds."""
    also_takes: tuple[Short, ...] = ()
    """The types of observation in `contract.observations.ASKED_FOR` that this server takes; an older server names none."""
    spread_seconds: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0
    """Up to this, at random, a device waits before it comes back after a start or an outage, so that a fleet does not come at once."""
    connectors: tuple[ConnectorHeard, ...] = ()
    """What was heard of the capture connectors that the policy in force names; an older server tells of none."""


class CheckInReply(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the HTTP reply to a check-in."""

    sealed: str
    certificates: tuple[str, ...] = ()
    bundle: str | None = None
    """The sealed `PolicyBundle`, if the device's serial is not the current one."""
    catalogue: str | None = None
    """The sealed `CatalogueBundle`, if the device takes one and its version is not the current one."""


class HoldingsRequest(Dated, frozen=True, kw_only=True):
    """A device asks what the server holds of it; sealed by the device."""

    after: Count = 0
    """Only check-ins that the server numbered higher."""
    at: Moment
    """When it asks, as well as it knows the time; an old request is not answered."""


class HeldReport(msgspec.Struct, frozen=True, kw_only=True):
    """An observation as it is kept."""

    sequence: Sequence
    digest: Digest
    body: str | None
    """Byte for byte as it was sent; None where it was erased and only the digest is left."""


class HeldCheckIn(Dated, frozen=True, kw_only=True):
    """A check-in as it is kept, with what is left of its observations."""

    number: Count
    received_at: Moment
    sealed: str
    reports: tuple[HeldReport, ...]


class HeldDevice(Dated, frozen=True, kw_only=True):
    """What is kept of the device itself, and how much is kept that was made of its reports or names it."""

    name: str | None
    ownership: str
    assurance: str
    platform: str
    version: str
    public_key: PublicKey
    hardware: str | None
    enrolled_at: Moment
    last_check_in_at: Moment | None
    sightings: Count
    """Rows that say how its sightings read now, each made of its reports."""
    installed: Count = 0
    """Rows that say which messengers are installed on it, alike."""
    requests: Count = 0
    """Rows that say what was asked on it, alike."""
    exposure: Count = 0
    """Rows that say for how long they were open at work, alike."""
    audit_entries: Count
    """Entries of the audit log that name it."""


class Holdings(Dated, frozen=True, kw_only=True):
    """What the server holds of a device, oldest first, a part at a time; sealed by the server's key."""

    request: Digest
    """SHA-256 of the sealed request that it answers."""
    at: Moment
    about: HeldDevice | None
    """Told with the first part."""
    check_ins: tuple[HeldCheckIn, ...]
    more_after: Count | None
    """Where the next part begins; None after the last."""


class HoldingsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the HTTP reply to that."""

    sealed: str
    certificates: tuple[str, ...] = ()


class LeaveRequest(Dated, frozen=True, kw_only=True):
    """The owner of a device takes it out for good and has everything about it erased; sealed by the device."""

    at: Moment
    """When, as well as the device knows the time; an old request is not heard."""


class Left(Dated, frozen=True, kw_only=True):
    """The server has erased what it held of the device; sealed by the server's key."""

    request: Digest
    """SHA-256 of the sealed request that it answers."""
    at: Moment
    reports: Count
    """How many reports were erased."""
    check_ins: Count


class LeaveReply(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the HTTP reply to that."""

    sealed: str
    certificates: tuple[str, ...] = ()


class PolicyBundle(Dated, frozen=True, kw_only=True):
    """A published policy; sealed by a policy key for every device."""

    serial: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    issued_at: Moment
    expires_at: Moment
    policy: Policy


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an HTTP error: what was wrong and what to do."""

    reason: Short
    """A short code, stable across versions, such as `secret_expired`."""
    detail: str
    remedy: str


def salted_digest(salt: str, body: bytes) -> str:
    """Return the digest that stands for an observation or journal entry.

    >>> salted_digest("00" * 16, b"{}")
    '333b13ff02f57ae18049b82ca66f37592c5a3d8fd54e44e23ae5c7085c24fd2a'
    """
    return wire.digest(bytes.fromhex(salt) + body)
