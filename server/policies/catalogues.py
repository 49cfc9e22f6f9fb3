"""Publishing the catalogue: the list that came with this server and the company's overlay, under a version that only rises."""

import base64
from datetime import datetime
from functools import lru_cache

import msgspec
from django.db import transaction

from contract import overlay as overlays
from contract import wire
from contract.catalogue import Catalogue, Written, entries_in
from contract.catalogue_bundle import CatalogueBundle, packed, unpacked
from contract.envelope import EVERY_DEVICE, Address, SigningKey, seal
from contract.errors import MalformedError
from contract.messages import REPLY_LIMIT_BYTES
from contract.overlay import Overlay
from contract.version import VERSION
from server.access import audit
from server.catalogue import catalogue, texts
from server.catalogue_lint import lint, refuse_faults
from server.errors import StateError
from server.fleet.models import Installation
from server.identity import Identity
from server.locks import hold
from server.policies.models import CataloguePublication

VERSIONS_LEFT_OUT = 1000
"""How many versions are passed over after a restore: more than can have been published since the backup was made."""
OVERLAY = "overlay"
"""Stands for the overlay's file in what is said of it."""
LOCK = "catalogue"
"""Held by whoever changes what is published."""
_REPLY_ROOM_BYTES = 64 * 1024
"""What else a reply carries: the sealed answer and the certificates."""


class Published(msgspec.Struct, frozen=True):
    """What came of publishing."""

    publication: CataloguePublication
    is_new: bool
    """False where the very same content is published already."""


def current() -> CataloguePublication | None:
    """Return the publication with the highest version."""
    return CataloguePublication.objects.first()


def key_of(identity: Identity) -> SigningKey:
    """Return the key that catalogues are sealed with.

    Raises:
        StateError: there is none yet.
    """
    if identity.catalogue_key is None:
        raise StateError(
            "This server has no key for catalogues yet.",
            "Run `decorum-server migrate` with the root key at hand.",
        )
    return identity.catalogue_key


def publish(overlay: str | None, actor: str, identity: Identity, now: datetime) -> Published:
    """Publish the list that came with this server; the very same content as is published publishes nothing.

    Args:
        overlay: the company's overlay as TOML; empty for none, None for the one that was published before.
        actor: who publishes.
        identity: whose key seals it.
        now: the time.

    Raises:
        CatalogueFaultsError: there is something to correct, with every fault.
        MalformedError: it is too large for devices.
        StateError: there is no key to seal it with.
    """
    key_of(identity)
    with transaction.atomic():
        hold(LOCK)
        before = current()
        text = overlay if overlay is not None else "" if before is None else before.overlay
        refuse_faults(lint(texts(), (OVERLAY, text)))
        listed, parsed = entries_in(texts()), overlays.parse(text)
        overlays.merge(listed, parsed)
        digest = _digest(listed, parsed)
        if before is not None and before.digest == digest:
            return Published(before, is_new=False)
        publication = _write(text, listed, parsed, VERSION, identity, actor, now)
        detail = f"{len(parsed.entries)} entries in the overlay, {len(parsed.never)} never, SHA-256 {digest}"
        audit.record(now, actor, "catalogue.published", str(publication), detail)
    return Published(publication, is_new=True)


def seal_anew(identity: Identity, actor: str, now: datetime, *, leap: int = 1) -> CataloguePublication | None:
    """Seal what is published with the key of today, under a later version; None without a publication.

    Args:
        identity: whose key seals it.
        actor: who wants it.
        now: the time.
        leap: how much later the version is.
    """
    with transaction.atomic():
        hold(LOCK)
        before = current()
        if before is None:
            return None
        said = read(before)
        publication = _write(
            before.overlay, said.listed, said.overlay, said.release, identity, actor, now, leap=leap
        )
        audit.record(now, actor, "catalogue.sealed_anew", str(publication), f"was {before.version}")
    return publication


def newest_version() -> int:
    """Return the highest version that was published; 0 for none."""
    return CataloguePublication.objects.values_list("version", flat=True).first() or 0


def offered(newest: int, held: int | None, beside: str | None) -> str | None:
    """Return the sealed catalogue for a device that has checked in and holds another version; None where it needs or takes none.

    Args:
        newest: the highest version.
        held: the version that it holds; None for an agent that takes no catalogue.
        beside: the sealed policy in the same reply. Where both do not fit, the catalogue waits for the next check-in.
    """
    if newest == 0 or held is None or held == newest:
        return None
    sealed = sealed_under(newest)
    fits = len(sealed) + len(beside or "") <= REPLY_LIMIT_BYTES - _REPLY_ROOM_BYTES
    return sealed if fits else None


@lru_cache(maxsize=2)
def sealed_under(version: int) -> str:
    """Return what was sealed under a version. It never changes, so a fleet that lacks it need not have it read each time."""
    return CataloguePublication.objects.values_list("sealed", flat=True).get(pk=version)


def read(publication: CataloguePublication) -> CatalogueBundle:
    """Return what a publication of this server's says; its seal is for devices to ask about."""
    payload = publication.sealed.split(".")[1]
    return unpacked(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def in_use() -> Catalogue:
    """Return the catalogue that names messengers here: what came with this server, the published overlay laid over it."""
    newest = newest_version()
    return merged(newest) if newest else catalogue()


@lru_cache(maxsize=2)
def merged(version: int) -> Catalogue:
    """Return the list that came with this server under the overlay of a version."""
    text = CataloguePublication.objects.values_list("overlay", flat=True).get(pk=version)
    try:
        return overlays.merge(entries_in(texts()), overlays.parse(text))
    except MalformedError:
        # The list of this version has no place any more for what was written over an older one.
        return catalogue()


def _digest(listed: dict[str, Written], overlay: Overlay) -> str:
    return wire.digest(wire.encode({"listed": listed, "overlay": overlay}))


def _write(
    text: str,
    listed: dict[str, Written],
    overlay: Overlay,
    release: str,
    identity: Identity,
    actor: str,
    now: datetime,
    *,
    leap: int = 1,
) -> CataloguePublication:
    newest, installation = current(), Installation.objects.first()
    # After a restore there may have been publications that nobody here knows of.
    floor = 0 if installation is None else installation.serial_floor
    bundle = CatalogueBundle(
        version=max(leap if newest is None else newest.version + leap, floor),
        issued_at=now,
        release=release,
        listed=listed,
        overlay=overlay,
    )
    address = Address(
        type="catalogue-bundle", tenant=identity.tenant.id, device=EVERY_DEVICE, direction="to_device"
    )
    publication = CataloguePublication(
        version=bundle.version,
        release=release,
        overlay=text,
        digest=_digest(listed, overlay),
        sealed=seal(packed(bundle), address, key_of(identity)),
        issued_at=now,
        published_by=actor,
    )
    publication.save(force_insert=True)
    return publication
