"""The catalogue: the versioned list of known messengers and how each looks on every platform.

An entry is one TOML table. A row of `seen` holds what one source vouches for on one platform; a source names a maker's page, a
manifest or a package, never an address:

>>> catalogue = parse({"demo.toml": '''
... [telegram]
... name = "Telegram"
... maker = "Telegram Messenger"
... kind = "consumer"
... business_account = true
... capture = { orchestration_platform = "LeapXpert's page of channels" }
... seen = [
...   ["linux", "Debian telegram-desktop 4.6.5", { executable = "telegram-desktop", deb = "telegram-desktop" }],
...   ["web", "maker's web client", { origin = ["https://web.telegram.org"] }],
... ]
... '''})
>>> [(one.platform, one.kind, one.value) for one in catalogue.messengers["telegram"].seen]
[('linux', 'executable', 'telegram-desktop'), ('linux', 'deb', 'telegram-desktop'), ('web', 'origin', 'https://web.telegram.org')]
>>> catalogue.web_addresses()[0].value
'https://web.telegram.org'
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal

import msgspec

from contract.errors import MalformedError
from contract.facts import Platform
from contract.toml_text import table_in
from contract.wire import convert

IdentifierKind = Literal[
    "executable",  # base name of the executable, any case, `.exe` left out on Windows
    "script",  # base name of the script that an interpreter runs
    "desktop_id",
    "deb",  # name of the package in Debian and what follows it, or of the maker's own
    "rpm",  # alike in Fedora and what follows it
    "flatpak_id",
    "snap",
    "bundle_id",
    "app_bundle",  # name of the bundle's folder
    "package_family",
    "winget_id",
    "uninstall_name",  # the name under which Windows lists the installed program
    "origin",  # scheme and host; `https://*.example.com` stands for every host below example.com
    "start_url",  # where an installed web application starts; it stands for every page below it
]
MessengerKind = Literal["consumer", "business", "both"]
CaptureWay = Literal[
    "native_export",  # the maker exports what was written
    "orchestration_platform",  # a platform between company and client keeps it
    "archive_api",  # an archive collects it over the maker's interface
]
MessengerId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,47}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
FOLDER = "{folder}"
"""Stands, in the words that a messenger is started with, for the folder that it shall keep its data in."""
Apart = tuple[Platform, Text, Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=8)]]
"""On which system, who says so, and the words behind the program that make it keep its data in a folder of its own."""

KINDS_OF: Mapping[Platform, frozenset[IdentifierKind]] = {
    "linux": frozenset({"executable", "script", "desktop_id", "deb", "rpm", "flatpak_id", "snap"}),
    "macos": frozenset({"executable", "bundle_id", "app_bundle"}),
    "windows": frozenset({"executable", "package_family", "winget_id", "uninstall_name"}),
    "web": frozenset({"origin", "start_url"}),
}
"""What each platform knows an application by."""


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """One way in which a messenger shows itself, and who says so."""

    platform: Platform
    kind: IdentifierKind
    value: Text
    source: Text


class _Described(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry says of a messenger besides how it shows itself."""

    name: Text
    maker: Text
    kind: MessengerKind
    wrapper: bool = False
    """Whether it shows other messengers' web clients side by side, so that what is written in it may be any of theirs."""
    client_of: MessengerId | None = None
    """The messenger that this one is an unofficial client of; policies speak of that one."""
    business_account: bool | None = None
    """Whether its maker offers accounts for businesses beside those for persons; None where that is not known."""
    capture: dict[CaptureWay, Text] = {}
    """How its messages can be retained, each way with its source; empty where no way is known."""
    apart: tuple[Apart, ...] = ()
    """How it is started so that it runs beside itself, with data of its own; empty where no way is known."""


class Messenger(_Described, frozen=True, kw_only=True):
    """One listed messenger."""

    seen: tuple[Identifier, ...]

    def apart_on(self, platform: Platform, folder: str) -> tuple[str, ...] | None:
        """Return the words that make it keep its data in a folder; None where none are known.

        >>> beside = (("linux", "its manual", ("-workdir", FOLDER)),)
        >>> entry = Messenger(name="Telegram", maker="Telegram", kind="consumer", apart=beside, seen=())
        >>> entry.apart_on("linux", "/home/x/w"), entry.apart_on("macos", "/Users/x/w")
        (('-workdir', '/home/x/w'), None)
        """
        words = next((words for where, _, words in self.apart if where == platform), None)
        return None if words is None else tuple(word.replace(FOLDER, folder) for word in words)


class WebAddress(msgspec.Struct, frozen=True, order=True):
    """One place on the web where a messenger is found."""

    value: str
    kind: IdentifierKind
    messenger: str
    """The messenger that policies speak of."""


class Catalogue(msgspec.Struct, frozen=True):
    """Listed messengers by id, and what is none although it looks like one."""

    messengers: dict[str, Messenger]
    never: frozenset[str] = frozenset()
    """Ids of unlisted messengers, `unlisted:<key>`, that are no messengers."""

    def name_of(self, messenger: str) -> str:
        """Return the messenger's name; for an unlisted one, the key behind `unlisted:`."""
        entry = self.messengers.get(messenger)
        return entry.name if entry else messenger.removeprefix("unlisted:")

    def judged_as(self, messenger: str) -> str:
        """Return the id that policies speak of: of an unofficial client the messenger it speaks for, else the same."""
        entry = self.messengers.get(messenger)
        return (entry.client_of if entry else None) or messenger

    def called(self, text: str) -> str | None:
        """Return the id, as policies have it, of the messenger with this id or name in any case; None for none."""
        wanted = text.casefold()
        for messenger, entry in self.messengers.items():
            if wanted in {messenger, entry.name.casefold()}:
                return self.judged_as(messenger)
        return None

    def web_addresses(self) -> tuple[WebAddress, ...]:
        """Return every web origin and start URL, sorted by value."""
        return tuple(
            sorted(
                WebAddress(seen.value, seen.kind, self.judged_as(messenger))
                for messenger, entry in self.messengers.items()
                for seen in entry.seen
                if seen.platform == "web"
            )
        )


Row = tuple[
    Platform, Text, Annotated[dict[IdentifierKind, Text | tuple[Text, ...]], msgspec.Meta(min_length=1)]
]
"""What one source vouches for on one platform."""


class Written(_Described, frozen=True, kw_only=True, omit_defaults=True):
    """An entry as it is written, in files and in what is sealed: each source stands once."""

    seen: Annotated[tuple[Row, ...], msgspec.Meta(min_length=1)]


def parse(texts: Mapping[str, str]) -> Catalogue:
    """Return the catalogue from its TOML files (name to text).

    Raises:
        MalformedError: a file is not TOML, an entry is not of the agreed form or a client of none that is listed, or an id
            stands in two files; the error names the file or the entry.
    """
    return catalogue_of(entries_in(texts))


def entries_in(texts: Mapping[str, str]) -> dict[str, Written]:
    """Return the entries of TOML files (name to text), by id.

    Raises:
        MalformedError: as `parse`, but that clients are not looked at.
    """
    entries: dict[str, Written] = {}
    for file_name, text in texts.items():
        for messenger_id, untrusted_entry in table_in(text, file_name).items():
            if messenger_id in entries:
                raise MalformedError(f"{messenger_id} stands twice; again in {file_name}.", "Keep one entry.")
            try:
                convert(MessengerId, messenger_id)
                entries[messenger_id] = convert(Written, untrusted_entry)
            except MalformedError as error:
                where = f"{file_name}, {messenger_id!r}: "
                raise MalformedError(f"{where}{error.detail}", error.remedy, error.path) from error
    return entries


def catalogue_of(entries: Mapping[str, Written]) -> Catalogue:
    """Return the catalogue that entries make.

    Raises:
        MalformedError: an entry is a client of none that is listed.
    """
    for messenger_id, entry in entries.items():
        service = entry.client_of
        if service and (service not in entries or entries[service].client_of):
            raise MalformedError(
                f"{messenger_id} is a client of {service!r}, which is no messenger of its own.",
                "Name a listed one.",
                f"$.{messenger_id}.client_of",
            )
    return Catalogue({messenger_id: _messenger(entry) for messenger_id, entry in entries.items()})


def identifiers(seen: Iterable[Row]) -> Iterator[Identifier]:
    """Give each way of showing itself that rows tell of."""
    for platform, source, found in seen:
        for kind, values in found.items():
            for value in _each(values):
                yield Identifier(platform, kind, value, source)


def _messenger(entry: Written) -> Messenger:
    return Messenger(
        **{name: getattr(entry, name) for name in _Described.__struct_fields__},
        seen=tuple(identifiers(entry.seen)),
    )


def _each(values: str | tuple[str, ...]) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    else:
        yield from values
