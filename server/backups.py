"""Backups: one private file with the keys and, on SQLite, a snapshot of the records, taken while the server serves.

The file is a tar with a manifest that names each member's SHA-256. Neither writing nor reading one ever replaces a file that is there.
"""

import hashlib
import hmac
import io
import os
import re
import secrets
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Literal

import msgspec

from contract import wire
from contract.errors import MalformedError
from contract.messages import Digest
from contract.observations import Short
from contract.version import VERSION
from contract.wire import Moment
from server.errors import RequestError, StateError
from server.identity import KEYS_FOLDER, TENANT_FILE, Identity
from server.state_folder import DATABASE, SECRET_KEY, prepare

MANIFEST = "manifest.json"
_MANIFEST_LIMIT_BYTES = 64 * 1024
_PIECE_BYTES = 1024 * 1024
_MEMBER = (
    rf"^({re.escape(TENANT_FILE)}|{SECRET_KEY}|{re.escape(DATABASE)}|{KEYS_FOLDER}/[a-z]+\.(jwk|json|pem))\Z"
)
Member = Annotated[str, msgspec.Meta(pattern=_MEMBER)]
_DAMAGED = "Use another backup; this one was left as it is."


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself."""

    format: Literal[1] = 1
    made_at: Moment
    version: Short
    tenant: Short
    root_fingerprint: Short
    members: Annotated[dict[Member, Digest], msgspec.Meta(max_length=20)]
    """SHA-256 of each file."""

    @property
    def has_records(self) -> bool:
        """Whether the records are in it; those in PostgreSQL are not."""
        return DATABASE in self.members


def write(target: Path, folder: Path, identity: Identity, now: datetime, *, with_records: bool) -> Manifest:
    """Write a backup of a state folder.

    Raises:
        StateError: the file exists, or cannot be written.
    """
    spare = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    snapshot = spare.with_name(f"{spare.name}.{DATABASE}")
    try:
        members = dict(_kept(folder))
        if with_records:
            _make_private(snapshot)
            with (
                closing(sqlite3.connect(folder / DATABASE)) as records,
                closing(sqlite3.connect(snapshot)) as copy,
            ):
                records.backup(copy)
            members[DATABASE] = snapshot
        manifest = Manifest(
            made_at=now,
            version=VERSION,
            tenant=identity.tenant.id,
            root_fingerprint=identity.root_fingerprint,
            members={name: _digest(file) for name, file in members.items()},
        )
        _pack(spare, manifest, members)
        target.hardlink_to(spare)  # unlike a rename, this fails where the file exists
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StateError(
            f"{target} cannot be written: {cause}.",
            "Choose a name that is not taken, in a folder with space.",
        ) from error
    finally:
        for file in (spare, snapshot):
            file.unlink(missing_ok=True)
    return manifest


def read_manifest(source: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises:
        StateError: it is no backup, or damaged.
    """
    with _opened(source) as archive:
        return _manifest(archive, source)


def unpack(source: Path, folder: Path, *, with_records: bool) -> Manifest:
    """Put what is in a backup into a state folder that holds no server yet: all of it, verified, or nothing.

    Raises:
        StateError: it is no backup, or damaged, or cannot be written.
        RequestError: the folder holds a server.
    """
    prepare(folder)
    taken = [name for name in (TENANT_FILE, SECRET_KEY, KEYS_FOLDER, DATABASE) if (folder / name).exists()]
    if taken:
        raise RequestError(
            f"{folder} holds a server already ({', '.join(taken)}); nothing was restored.",
            "Name an empty folder, or move this one aside.",
        )
    place = folder / f".restore.{secrets.token_hex(4)}"
    try:
        with _opened(source) as archive:
            manifest = _manifest(archive, source)
            place.mkdir(mode=0o700)
            (place / KEYS_FOLDER).mkdir(mode=0o700)
            for name, digest in manifest.members.items():
                if name != DATABASE or with_records:
                    _extract(archive, name, digest, place / name, source)
        # The tenant's file is last: before it is there, the folder counts as holding no server.
        for name in (KEYS_FOLDER, SECRET_KEY, DATABASE, TENANT_FILE):
            if (place / name).exists():
                (place / name).rename(folder / name)
    except OSError as error:
        raise StateError(
            f"{folder} cannot be written: {error.strerror}.", "Check space and rights."
        ) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return manifest


def _kept(folder: Path) -> Iterator[tuple[str, Path]]:
    for name in (TENANT_FILE, SECRET_KEY):
        yield name, folder / name
    for file in sorted((folder / KEYS_FOLDER).iterdir()):
        name = f"{KEYS_FOLDER}/{file.name}"
        if re.match(_MEMBER, name):
            yield name, file


def _make_private(file: Path) -> None:
    """Make an empty file that nobody else can read."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _pack(spare: Path, manifest: Manifest, members: dict[str, Path]) -> None:
    _make_private(spare)
    with spare.open("wb") as out:
        with tarfile.open(fileobj=out, mode="w") as archive:
            text = wire.encode(manifest)
            head = tarfile.TarInfo(MANIFEST)
            head.size, head.mode = len(text), 0o600
            archive.addfile(head, io.BytesIO(text))
            for name, file in members.items():
                head = tarfile.TarInfo(name)
                head.size, head.mode = file.stat().st_size, 0o600
                with file.open("rb") as source:
                    archive.addfile(head, source)
        out.flush()
        os.fsync(out.fileno())


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, mode="r:") as archive:
            yield archive
    except OSError as error:
        raise StateError(f"{source} cannot be read: {error.strerror}.", "Check its path.") from error
    except (tarfile.TarError, EOFError) as error:
        raise StateError(f"{source} is no whole backup: {error}.", _DAMAGED) from error


def _manifest(archive: tarfile.TarFile, source: Path) -> Manifest:
    text = _member(archive, MANIFEST, source).read(_MANIFEST_LIMIT_BYTES + 1)
    try:
        manifest = wire.decode(Manifest, text, limit_bytes=_MANIFEST_LIMIT_BYTES)
    except MalformedError as error:
        raise StateError(
            f"{source} is no backup that this version reads: {error.detail}", _DAMAGED
        ) from error
    return manifest


def _member(archive: tarfile.TarFile, name: str, source: Path) -> IO[bytes]:
    try:
        member = archive.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise StateError(f"{source} lacks {name}.", _DAMAGED)
    return member


def _extract(archive: tarfile.TarFile, name: str, digest: str, file: Path, source: Path) -> None:
    """Write one member; its name is one of those that a manifest may say, so it leads nowhere else."""
    _make_private(file)
    found = hashlib.sha256()
    with _member(archive, name, source) as member, file.open("wb") as out:
        while piece := member.read(_PIECE_BYTES):
            found.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    if not hmac.compare_digest(found.hexdigest(), digest):
        raise StateError(f"{name} in {source} is damaged.", _DAMAGED)
