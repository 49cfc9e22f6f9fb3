"""What messengers have saved in the download folders of their work profiles: size, type and name of each file, never its content.

The folders lie below one folder (`work/MESSENGER/Downloads`) that `decorum open` makes; nothing else of a person's is looked into.
"""

import mimetypes
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from contract.observations import FileType

DOWNLOADS = "Downloads"
FILES_AT_MOST = 5_000
FOLDERS_AT_MOST = 200
DEPTH_AT_MOST = 3
_UNFINISHED = frozenset({".part", ".partial", ".crdownload", ".download", ".opdownload", ".tmp"})
_ARCHIVES = frozenset({
    "application/zip", "application/gzip", "application/x-tar", "application/x-7z-compressed", "application/vnd.rar",
    "application/x-rar-compressed", "application/x-bzip2", "application/x-xz", "application/zstd",
})  # fmt: skip
_DOCUMENTS = ("text/", "application/pdf", "application/msword", "application/rtf", "application/vnd.")


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was saved."""

    messenger: str
    path: str
    size: int
    """Bytes."""
    changed: int
    """Nanoseconds since 1970: another file under the same name is another download."""
    type: FileType


def downloads(work: Path) -> Iterator[Download]:
    """Give every finished file in the download folders, links and hidden ones left out; what cannot be read is passed over.

    Args:
        work: the folder of all work profiles.
    """
    for messenger, folder in _profiles(work):
        files = (
            file for one in _below(folder) for file in _entries(one) if file.is_file(follow_symlinks=False)
        )
        for file in islice(files, FILES_AT_MOST):
            if file.name.startswith(".") or Path(file.name).suffix.lower() in _UNFINISHED:
                continue
            try:
                told = file.stat(follow_symlinks=False)
            except OSError:
                continue
            yield Download(
                messenger=messenger,
                path=file.path,
                size=told.st_size,
                changed=told.st_mtime_ns,
                type=type_of(file.name),
            )


def folders(work: Path) -> tuple[Path, ...]:
    """Return the folders in which something changes when a messenger is opened for work or saves a file."""
    if not work.is_dir():
        return ()
    found = (one for _, folder in _profiles(work) for one in (folder.parent, *_below(folder)))
    return (work, *islice(found, FOLDERS_AT_MOST))


def type_of(name: str) -> FileType:
    """Return what kind of file a name stands for.

    >>> type_of("offer.pdf"), type_of("IMG_1.HEIC"), type_of("all.tar.gz"), type_of("x")
    ('document', 'image', 'archive', 'other')
    """
    kind, encoding = mimetypes.guess_type(name.lower(), strict=False)
    if encoding is not None or kind in _ARCHIVES:
        return "archive"
    if kind is None:
        return "image" if name.lower().endswith((".heic", ".webp")) else "other"
    whole = kind.partition("/")[0]
    if whole == "image":
        return "image"
    if whole == "audio":
        return "audio"
    if whole == "video":
        return "video"
    return "document" if kind.startswith(_DOCUMENTS) else "other"


def _profiles(work: Path) -> Iterator[tuple[str, Path]]:
    for entry in _entries(work):
        folder = Path(entry.path) / DOWNLOADS
        if entry.is_dir(follow_symlinks=False) and folder.is_dir() and not folder.is_symlink():
            yield entry.name, folder


def _below(folder: Path, depth: int = DEPTH_AT_MOST) -> Iterator[Path]:
    yield folder
    if depth > 0:
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from _below(Path(entry.path), depth - 1)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda one: one.name)
    except OSError:
        return []
