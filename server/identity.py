"""Who this server is: its tenant, its keys, and the certificates by which the root vouches for them.

The folder `keys` holds one file per key. The root's may be taken away and kept elsewhere; it is needed again only to renew
certificates. A key that is there and cannot be read is an error, never a reason to make a new one.
"""

import contextlib
import json
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from contract import wire
from contract.envelope import EVERY_DEVICE, Address, SealError, SigningKey, VerifyKey, seal, unseal
from contract.errors import MalformedError
from contract.messages import KeyCertificate, PublicKey
from contract.policy import Line
from server import state_folder
from server.errors import RequestError, StateError

TENANT_FILE, KEYS_FOLDER, CERTIFICATES_FILE = "tenant.json", "keys", "certificates.json"
DEFAULT_TENANT, DEFAULT_COMPANY = "main", "Our company"
CERTIFICATE_LIFE = timedelta(days=730)
RENEW_BEFORE = timedelta(days=365)
CLOCKS_APART = timedelta(days=1)
"""A device whose clock is behind by less than this still believes a new certificate."""
_FILE_LIMIT_BYTES = 64 * 1024

Use = Literal["policy", "server", "catalogue"]
USES: tuple[Use, ...] = ("policy", "server", "catalogue")
LATER_USES: tuple[Use, ...] = ("catalogue",)
"""Keys that a server which was set up before there was such a use has not yet: `migrate` makes them, with the root key at hand."""


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """The company that this server serves."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    company: Line
    root: PublicKey


class Certificate(msgspec.Struct, frozen=True):
    """What the root says of one key, read out."""

    use: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    is_working: bool


class Identity(msgspec.Struct, frozen=True):
    """The tenant, the server's working keys, and their certificates."""

    tenant: Tenant
    policy_key: SigningKey
    server_key: SigningKey
    certificates: tuple[str, ...]
    catalogue_key: SigningKey | None = None
    """None until `migrate` has run with the root key at hand."""

    def read_out(self) -> list[Certificate]:
        """Return what the certificates say."""
        address = _certificate_address(self.tenant)
        root = VerifyKey(self.tenant.root)
        keys = (self.policy_key, self.server_key, self.catalogue_key)
        working = {key.public.text for key in keys if key is not None}
        said = [
            wire.decode(KeyCertificate, unseal(text, address, root), limit_bytes=_FILE_LIMIT_BYTES)
            for text in self.certificates
        ]
        return [
            Certificate(
                one.use,
                VerifyKey(one.public_key).fingerprint,
                one.not_before,
                one.not_after,
                one.public_key in working,
            )
            for one in said
        ]

    @property
    def root_fingerprint(self) -> str:
        """The root key's fingerprint (RFC 7638)."""
        return VerifyKey(self.tenant.root).fingerprint


def establish(folder: Path, tenant: str | None, company: str | None, now: datetime) -> Identity:
    """Return the identity, made on the first call and only then.

    Args:
        folder: the state folder.
        tenant: the tenant's short name; None keeps what is there, or takes the default.
        company: the company's name; None alike.
        now: the time.

    Raises:
        RequestError: the tenant is another one already, or its name cannot be used.
        StateError: a key is damaged or cannot be written.
    """
    keys = folder / KEYS_FOLDER
    if state_folder.read(folder / TENANT_FILE) is None:
        # The tenant's file is written last: if this is interrupted, the next call goes on with the keys already made.
        for name in ("root", *USES):
            if state_folder.read(_key_file(keys, name)) is None:
                state_folder.create(_key_file(keys, name), SigningKey.generate().to_text())
        root = _load_key(keys, "root").public.text
        made = _tenant(
            {
                "id": DEFAULT_TENANT if tenant is None else tenant,
                "company": DEFAULT_COMPANY if company is None else company,
                "root": root,
            }
        )
        state_folder.create(folder / TENANT_FILE, wire.encode(made).decode())
    _make_later_keys(folder)
    _certify(folder, now)
    identity = load(folder)
    if tenant not in {None, identity.tenant.id} or company not in {None, identity.tenant.company}:
        raise RequestError(
            f"This server serves {identity.tenant.company} ({identity.tenant.id}) already.",
            "Leave out --tenant and --company, or choose another state folder.",
        )
    return identity


def load(folder: Path) -> Identity:
    """Return the identity.

    Raises:
        StateError: there is none yet, or a file of it is damaged.
    """
    tenant = read_tenant(folder)
    keys = folder / KEYS_FOLDER
    certificates = _read_certificates(keys)
    made = {use: _load_key(keys, use) for use in _uses_there(folder)}
    return Identity(tenant, made["policy"], made["server"], certificates, made.get("catalogue"))


def identity_in(folder: Path | None) -> Identity:
    """Return the identity for a running server, which reads it once, and again after its keys were changed.

    Raises:
        StateError: as `load`.
    """
    if folder is None:
        raise StateError("No state folder is named.", "Set DECORUM_SERVER_STATE.")
    try:
        stamp = (folder / KEYS_FOLDER / CERTIFICATES_FILE).stat()
    except OSError:
        return load(folder)  # which says what is missing
    return _loaded(folder, stamp.st_mtime_ns, stamp.st_ino)


@lru_cache(maxsize=4)
def _loaded(folder: Path, _changed_at: int, _file: int) -> Identity:
    return load(folder)


def rotate(folder: Path, use: Use, now: datetime) -> Identity:
    """Return the identity with a new key for a use, certified beside the old one, which is gone.

    An interrupted call is gone on with by the next. Devices believe the old key until the new one has served them.

    Raises:
        StateError: the root is not at hand, or a key is damaged or cannot be written.
    """
    keys = folder / KEYS_FOLDER
    if state_folder.read(_key_file(keys, "root")) is None:
        raise StateError(
            f"{_key_file(keys, 'root')} is not here.", "Bring the root key to certify the new one."
        )
    following = _key_file(keys, f"{use}.next")
    if state_folder.read(following) is None:
        state_folder.create(following, SigningKey.generate().to_text())
    old, new = _load_key(keys, use).public.text, _load_key(keys, f"{use}.next").public.text
    others: dict[str, Use] = {
        _load_key(keys, one).public.text: one for one in _uses_there(folder) if one != use
    }
    # The old key's certificate begins earlier, so that devices can tell which key is the newer.
    _write_certificates(folder, {new: use, **others}, now, kept=old)
    following.replace(_key_file(keys, use))
    return load(folder)


def forget_old_keys(folder: Path, now: datetime) -> Identity:
    """Return the identity with certificates for its working keys only.

    Raises:
        StateError: as `rotate`.
    """
    keys = folder / KEYS_FOLDER
    wanted: dict[str, Use] = {_load_key(keys, use).public.text: use for use in _uses_there(folder)}
    _write_certificates(folder, wanted, now)
    return load(folder)


def read_tenant(folder: Path) -> Tenant:
    """Return the tenant.

    Raises:
        StateError: there is none yet, or its file is damaged.
    """
    text = state_folder.read(folder / TENANT_FILE)
    if text is None:
        raise StateError(f"{folder} holds no server yet.", "Run `decorum-server migrate` first.")
    try:
        return wire.decode(Tenant, text.encode(), limit_bytes=_FILE_LIMIT_BYTES)
    except MalformedError as error:
        raise StateError(
            f"{folder / TENANT_FILE} is damaged: {error.detail}", "Restore it from its backup."
        ) from error


def _tenant(value: dict[str, str]) -> Tenant:
    try:
        return wire.convert(Tenant, value)
    except MalformedError as error:
        raise RequestError(
            f"The tenant cannot be called so: {error.detail}",
            "Use lower-case letters, digits and hyphens for --tenant, and a name for --company.",
        ) from error


def _key_file(keys: Path, name: str) -> Path:
    return keys / f"{name}.jwk"


def _load_key(keys: Path, name: str) -> SigningKey:
    file = _key_file(keys, name)
    text = state_folder.read(file)
    if text is None:
        raise StateError(f"{file} is missing.", "Restore it from its backup.")
    try:
        return SigningKey.from_text(text)
    except MalformedError as error:
        raise StateError(
            f"{file} is damaged.", "Restore it from its backup; it was left as it is."
        ) from error


def _uses_there(folder: Path) -> tuple[Use, ...]:
    """Return the uses that this server has a key for, or should have."""
    keys = folder / KEYS_FOLDER
    return tuple(
        use
        for use in USES
        if use not in LATER_USES
        or state_folder.read(_key_file(keys, use)) is not None
        or use in _certified_uses(folder)
    )


def _make_later_keys(folder: Path) -> None:
    """Make the keys that no earlier version needed; one that was certified once is missing, not new."""
    keys = folder / KEYS_FOLDER
    if state_folder.read(_key_file(keys, "root")) is None:
        return
    for use in LATER_USES:
        if use not in _uses_there(folder):
            state_folder.create(_key_file(keys, use), SigningKey.generate().to_text())


def _certified_uses(folder: Path) -> frozenset[str]:
    """Return the uses for which the root has ever certified a key that is still named."""
    keys, tenant = folder / KEYS_FOLDER, read_tenant(folder)
    if not (keys / CERTIFICATES_FILE).exists():
        return frozenset()
    address, root = _certificate_address(tenant), VerifyKey(tenant.root)
    found = [_said(text, address, root) for text in _read_certificates(keys)]
    return frozenset(one.use for one in found if one is not None)


def _certify(folder: Path, now: datetime) -> None:
    """Renew the certificates that end within a year, as long as the root is at hand."""
    keys = folder / KEYS_FOLDER
    tenant = read_tenant(folder)
    if state_folder.read(_key_file(keys, "root")) is None:
        return
    root = _load_key(keys, "root")
    if root.public.text != tenant.root:
        raise StateError("keys/root.jwk is not this tenant's root.", "Restore it from its backup.")
    current = _read_certificates(keys) if (keys / CERTIFICATES_FILE).exists() else ()
    address = _certificate_address(tenant)
    wanted: dict[str, Use] = {_load_key(keys, use).public.text: use for use in _uses_there(folder)}
    if {_lasting(text, address, root.public, now) for text in current} >= set(wanted):
        return
    _write_certificates(folder, wanted, now)


def _write_certificates(folder: Path, wanted: dict[str, Use], now: datetime, kept: str = "") -> None:
    """Certify keys anew; a certificate that is there already of a key to be kept stays as it is."""
    keys, tenant = folder / KEYS_FOLDER, read_tenant(folder)
    root = _load_key(keys, "root")
    address = _certificate_address(tenant)
    current = _read_certificates(keys) if (keys / CERTIFICATES_FILE).exists() else ()
    still = [text for text in current if _certified(text, address, root.public) == kept]
    made = [
        KeyCertificate(
            public_key=key, use=use, not_before=now - CLOCKS_APART, not_after=now + CERTIFICATE_LIFE
        )
        for key, use in wanted.items()
    ]
    sealed = [seal(wire.encode(certificate), address, root) for certificate in made]
    state_folder.replace(keys / CERTIFICATES_FILE, json.dumps([*sealed, *still]))


def _certified(text: str, address: Address, root: VerifyKey) -> str | None:
    """Return the key that a certificate vouches for."""
    certificate = _said(text, address, root)
    return None if certificate is None else certificate.public_key


def _lasting(text: str, address: Address, root: VerifyKey, now: datetime) -> str | None:
    """Return the key that a certificate vouches for, if it does so for long enough."""
    certificate = _said(text, address, root)
    lasts = certificate is not None and certificate.not_after - RENEW_BEFORE > now
    return certificate.public_key if certificate is not None and lasts else None


def _said(text: str, address: Address, root: VerifyKey) -> KeyCertificate | None:
    """Return what a certificate says; None if it is not the root's."""
    try:
        return wire.decode(KeyCertificate, unseal(text, address, root), limit_bytes=_FILE_LIMIT_BYTES)
    except (SealError, MalformedError):
        return None


def certified_until(identity: Identity) -> datetime | None:
    """Return when the first of the certificates ends; None where the root vouches for none."""
    root = VerifyKey(identity.tenant.root)
    address = _certificate_address(identity.tenant)
    ends = []
    for text in identity.certificates:
        with contextlib.suppress(SealError, MalformedError):
            payload = unseal(text, address, root)
            ends.append(wire.decode(KeyCertificate, payload, limit_bytes=_FILE_LIMIT_BYTES).not_after)
    return min(ends, default=None)


def _certificate_address(tenant: Tenant) -> Address:
    return Address(type="key-certificate", tenant=tenant.id, device=EVERY_DEVICE, direction="to_device")


def _read_certificates(keys: Path) -> tuple[str, ...]:
    file = keys / CERTIFICATES_FILE
    text = state_folder.read(file)
    if text is None:
        raise StateError(f"{file} is missing.", "Run `decorum-server migrate` with the root key at hand.")
    try:
        return wire.decode(tuple[str, ...], text.encode(), limit_bytes=_FILE_LIMIT_BYTES)
    except MalformedError as error:
        raise StateError(f"{file} is damaged.", "Restore it from its backup.") from error
