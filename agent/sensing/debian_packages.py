"""Debian's packages: section and short description of the one that a desktop entry came with, from dpkg's own files.

dpkg keeps no way from a file to its package but the lists of all packages, which take long to read. So only the lists of those are looked
into whose name begins as the application's does, and a package counts once its list has the entry's very path (dpkg-query(1), deb-control(5)).
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

LISTS_AT_MOST = 40
LIST_LIMIT_BYTES = 512 * 1024
STATUS_LIMIT_BYTES = 64 * 1024 * 1024
LINE_LIMIT = 200
ALIKE_LETTERS = 4
"""With how many letters a package's name has to begin as the application's does, or with all where it has fewer."""


class Package(msgspec.Struct, frozen=True):
    """What Debian says of a package."""

    section: str
    description: str
    """The short one, a single line."""


class DebianPackages:
    """Owns nothing but the place; each question reads anew, so it is for whoever asks seldom.

    Args:
        dpkg: dpkg's folder.
        below: where files of packages lie; what lies elsewhere came with none.
    """

    def __init__(self, dpkg: Path = Path("/var/lib/dpkg"), below: str = "/usr/") -> None:
        self._dpkg, self._below = dpkg, below

    def of_file(self, file: str, names: tuple[str, ...]) -> Package | None:
        """Return the package that a file came with, None where none is found.

        Args:
            file: its path.
            names: what the application is called, the likeliest first.
        """
        if not file.startswith(self._below):
            return None
        try:
            return next(
                (self._package(name) for name in self._candidates(names) if self._has(name, file)), None
            )
        except (OSError, ValueError):
            return None

    def _candidates(self, names: tuple[str, ...]) -> Iterator[str]:
        beginnings = tuple(name.lower()[:ALIKE_LETTERS] for name in names if name)
        if not beginnings:
            return
        with os.scandir(self._dpkg / "info") as found:
            alike = sorted(
                file.name.removesuffix(".list")
                for file in found
                if file.name.endswith(".list") and file.name.startswith(beginnings)
            )
        wanted = {name.lower() for name in names}
        alike.sort(key=lambda name: name.partition(":")[0] not in wanted)
        yield from islice(alike, LISTS_AT_MOST)

    def _has(self, name: str, file: str) -> bool:
        with (self._dpkg / "info" / f"{name}.list").open("rb") as opened:
            return os.fsencode(file) in opened.read(LIST_LIMIT_BYTES).split(b"\n")

    def _package(self, name: str) -> Package | None:
        wanted = f"Package: {name.partition(':')[0]}\n".encode()
        with (self._dpkg / "status").open("rb") as opened:
            lines = islice(opened, STATUS_LIMIT_BYTES // LINE_LIMIT)
            for line in lines:
                if line == wanted:
                    return _paragraph(lines)
        return None


def _paragraph(lines: Iterator[bytes]) -> Package:
    told = {"Section": "", "Description": ""}
    for line in lines:
        if line == b"\n":
            break
        key, colon, value = line.decode().partition(":")
        if colon and key in told:
            told[key] = value.strip()[:LINE_LIMIT]
    return Package(told["Section"], told["Description"])
