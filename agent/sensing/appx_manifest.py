"""Appx manifests: what a packaged application of Windows says of itself (Microsoft, "App package manifest").

A manifest may be anybody's, so how much is taken of it is bounded, and none may declare entities. It says to which package it belongs: the
family name is made of its identity's name and publisher, so that a manifest in another's place is told from the package's own.
"""

import hashlib

import msgspec

from agent.sensing import untrusted_xml

FILE_NAME = "AppxManifest.xml"
FILE_LIMIT_BYTES = 512 * 1024
WORDS_AT_MOST = 50
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_REFERENCE = "ms-resource:"
"""How a text begins that stands in another file, by language."""
_APPLICATION = "Package/Applications/Application"
_PROTOCOL = f"{_APPLICATION}/Extensions/Extension/Protocol"
_DEEPEST = _PROTOCOL.count("/") + 1
_TEXTS = ("Package/Properties/Description", "Package/Properties/DisplayName")


class Manifest(msgspec.Struct, frozen=True):
    """What a manifest says of one of its package's programs."""

    family: str
    descriptions: tuple[str, ...] = ()
    url_schemes: tuple[str, ...] = ()


def family_of(name: str, publisher: str) -> str:
    """Return the family name of a package (Microsoft, "An overview of Package Identity": name and publisher's id).

    >>> family_of("TelegramMessengerLLP.TelegramDesktop", "CN=536BC709-8EE1-4478-AF22-F0F0F26FF64A")
    'TelegramMessengerLLP.TelegramDesktop_t4vj0pshhgkwm'
    """
    digest = hashlib.sha256(publisher.encode("utf-16-le")).digest()
    number = int.from_bytes(digest[:8], "big") << 1
    return f"{name}_" + "".join(_LETTERS[number >> shift & 31] for shift in range(60, -1, -5))


def parse(content: bytes, executable: str) -> Manifest:
    r"""Return what a manifest says of a program; its family alone where it does not start that one.

    Args:
        content: the file.
        executable: the program's path within the package, as in `app\Foo.exe`, in any case.

    Raises:
        ValueError: it is no XML, or declares entities.
    """
    reader = _Reader(_path(executable))
    untrusted_xml.read(content, reader)
    return reader.manifest()


def _path(executable: str) -> str:
    return executable.replace("/", "\\").lower()


class _Reader:
    """Owns where the parser is, and what was taken so far."""

    def __init__(self, executable: str) -> None:
        self._executable = executable
        self._path: list[str] = []
        self._family = ""
        self._is_listed = False
        self._is_mine = False
        self._own: list[str] = []
        self._packages: list[str] = []
        self._schemes: list[str] = []
        self._text: list[str] | None = None

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(":")[2])
        place = "/".join(self._path) if len(self._path) <= _DEEPEST else ""
        self._text = [] if place in _TEXTS else None
        if place == "Package/Identity":
            self._family = family_of(attributes.get("Name", ""), attributes.get("Publisher", ""))
        elif place == _APPLICATION:
            self._is_mine = _path(attributes.get("Executable", "")) == self._executable
            self._is_listed = self._is_listed or self._is_mine
        elif self._is_mine and place == f"{_APPLICATION}/VisualElements":
            _keep(self._own, attributes.get("Description", ""))
            _keep(self._own, attributes.get("DisplayName", ""))
        elif self._is_mine and place == _PROTOCOL:
            _keep(self._schemes, attributes.get("Name", ""))

    def text(self, text: str) -> None:
        if self._text is not None and len(self._text) < WORDS_AT_MOST:
            self._text.append(text)

    def end(self, _: str) -> None:
        self._path.pop()
        if self._text is not None:
            _keep(self._packages, "".join(self._text))
        self._text = None

    def manifest(self) -> Manifest:
        if not self._is_listed:
            return Manifest(self._family)
        descriptions = tuple(dict.fromkeys((*self._own, *self._packages)))
        return Manifest(self._family, descriptions, tuple(dict.fromkeys(self._schemes)))


def _keep(kept: list[str], text: str) -> None:
    text = text.strip()
    if text and not text.startswith(_REFERENCE) and len(kept) < WORDS_AT_MOST:
        kept.append(text)
