"""Publishing: a policy is sealed under the next serial, fleet-wide and only rising, and renewed before it runs out."""

from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from django.db import transaction

from contract import wire
from contract.envelope import EVERY_DEVICE, Address, seal
from contract.errors import MalformedError
from contract.messages import PolicyBundle
from contract.policy import Policy, parse, parse_published
from server.access import audit
from server.fleet.models import Installation
from server.identity import Identity
from server.locks import hold
from server.policies.models import Publication

_SERIAL = "serial"
"""The lock of whoever takes the next serial."""


class Published(msgspec.Struct, frozen=True):
    """What came of publishing."""

    publication: Publication
    is_new: bool
    """False where the very same text is in force already."""


def current() -> Publication | None:
    """Return the publication with the highest serial."""
    newest = Publication.objects.values_list("serial", "issued_at").first()
    return None if newest is None else _read(*newest)


@lru_cache(maxsize=2)
def _read(serial: int, _issued_at: datetime) -> Publication:
    """A publication never changes, so it need not be read again while it is the newest; its text alone may have a hundred kilobytes."""
    return Publication.objects.get(pk=serial)


def publish(text: str, actor: str, identity: Identity, now: datetime, address: str = "") -> Published:
    """Publish a policy written as TOML; the very same text as is in force publishes nothing.

    Raises:
        MalformedError: the text is no valid policy.
    """
    policy = parse(text)
    digest = wire.digest(text.encode())
    with transaction.atomic():
        hold(_SERIAL)
        in_force = renewed(identity, now)
        if in_force is not None and in_force.digest == digest:
            return Published(in_force, is_new=False)
        publication = _write(text, policy, actor, identity, now, is_renewal=False)
        audit.record(
            now,
            actor,
            "policy.published",
            f"Policy number {publication.serial}",
            f"{policy.id} version {policy.version}, SHA-256 {digest}",
            address,
        )
    return Published(publication, is_new=True)


def renewed(identity: Identity, now: datetime) -> Publication | None:
    """Return the publication in force, sealed anew under the next serial once two thirds of its time are over.

    Runs at every check-in, in the caller's transaction, so that a fleet never runs out while its server lives.
    """
    in_force = current()
    if in_force is None or now < _due(in_force):
        return in_force
    hold(_SERIAL)
    in_force = current() or in_force  # somebody else may have renewed it while this one waited
    if now < _due(in_force):
        return in_force
    return _renew(in_force, identity, now) or in_force


def republished(identity: Identity, now: datetime) -> Publication | None:
    """Return the policy in force, sealed anew under the next serial whatever its time; None where that cannot be.

    Runs in the caller's transaction.
    """
    hold(_SERIAL)
    in_force = current()
    return None if in_force is None else _renew(in_force, identity, now)


def _renew(in_force: Publication, identity: Identity, now: datetime) -> Publication | None:
    text = in_force.text
    try:
        policy = parse_published(text)
    except MalformedError as error:
        # This server's version takes less than the one that published it; devices keep what they have.
        subject = f"Policy number {in_force.serial}"
        audit.record_rarely(now, audit.SERVER, "policy.not_renewed", subject, error.detail)
        return None
    publication = _write(text, policy, audit.SERVER, identity, now, is_renewal=True)
    audit.record(
        now, audit.SERVER, "policy.renewed", f"Policy number {publication.serial}", f"was {in_force.serial}"
    )
    return publication


def seal_anew(identity: Identity, actor: str, now: datetime) -> Publication | None:
    """Seal the publication in force with the policy key of today, under the next serial; None without one.

    Raises:
        MalformedError: this version cannot read it; what is published stays.
    """
    with transaction.atomic():
        in_force = current()
        if in_force is None:
            return None
        policy = parse_published(in_force.text)
        publication = _write(in_force.text, policy, actor, identity, now, is_renewal=True)
        subject = f"Policy number {publication.serial}"
        audit.record(now, actor, "policy.renewed", subject, f"was {in_force.serial}; sealed with a new key")
    return publication


def _due(publication: Publication) -> datetime:
    return publication.expires_at - (publication.expires_at - publication.issued_at) / 3


def _write(
    text: str, policy: Policy, actor: str, identity: Identity, now: datetime, *, is_renewal: bool
) -> Publication:
    newest, installation = current(), Installation.objects.first()
    bundle = PolicyBundle(
        serial=max(
            1 if newest is None else newest.serial + 1,
            0 if installation is None else installation.serial_floor,
        ),
        issued_at=now,
        expires_at=now + timedelta(days=policy.valid_days),
        policy=policy,
    )
    address = Address(
        type="policy-bundle", tenant=identity.tenant.id, device=EVERY_DEVICE, direction="to_device"
    )
    sealed = seal(wire.encode(bundle), address, identity.policy_key)
    publication = Publication(
        serial=bundle.serial,
        policy=policy.id,
        version=policy.version,
        title=policy.text(policy.title, policy.language),
        text=text,
        digest=wire.digest(text.encode()),
        sealed=sealed,
        issued_at=bundle.issued_at,
        expires_at=bundle.expires_at,
        published_by=actor,
        is_renewal=is_renewal,
    )
    publication.save(force_insert=True)
    return publication
