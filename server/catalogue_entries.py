"""Reading catalogue files with everything that is wrong in them told at once, each with what to do.

The agent refuses a catalogue at its first fault; whoever writes one wants to see all of them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import get_args

import msgspec

from contract.catalogue import (
    FOLDER,
    KINDS_OF,
    CaptureWay,
    Identifier,
    IdentifierKind,
    Messenger,
    MessengerId,
    MessengerKind,
)
from contract.errors import MalformedError
from contract.facts import Platform
from contract.matching import compared
from contract.overlay import ALSO_SEEN, NEVER, corrected_table, take_never
from contract.toml_text import table_in
from contract.wire import convert

_ADDRESS = re.compile(r"://|www\.|\.(com|org|net|io)/")
_FORMS: Mapping[IdentifierKind, tuple[str, str]] = {
    "executable": (r"[^/\\]+", "a file's name without its folder"),
    "script": (r"[^/\\]+", "a file's name without its folder"),
    "desktop_id": (r"[^/\s]+(?<!\.desktop)|[^./\s]+\.[^./\s]+\.desktop", "a file's name without `.desktop`"),
    "deb": (r"[a-z0-9][a-z0-9.+-]+", "lower-case letters, digits, `.+-`"),
    "rpm": (r"[A-Za-z0-9][A-Za-z0-9._+-]+", "letters, digits, `._+-`"),
    "flatpak_id": (r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2,}", "at least three words with dots between"),
    "snap": (r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "lower-case letters, digits, hyphens"),
    "bundle_id": (
        r"[A-Za-z0-9_-]+([.A-Za-z0-9_-]*[A-Za-z0-9])?",
        "letters, digits, dots, hyphens, underscores",
    ),
    "app_bundle": (r"[^/]+\.app", "a folder's name that ends with `.app`"),
    "package_family": (r"[A-Za-z0-9.-]+_[a-z0-9]{13}", "NAME_PUBLISHER with a publisher of 13 characters"),
    "winget_id": (
        r"[A-Za-z0-9][A-Za-z0-9.+_-]*",
        "PUBLISHER.PRODUCT, or a product's number in the Microsoft Store",
    ),
    "uninstall_name": (r"\S(.*\S)?", "a name without spaces around it"),
    "origin": (
        r"https://(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+",
        "https:// and a host in lower case, without path or port",
    ),
    "start_url": (
        r"https://[a-z0-9-]+(\.[a-z0-9-]+)+/[^?#\s]*",
        "https://, a host in lower case and a path, without query",
    ),
}
_VERSION_AT_THE_END = re.compile(r"\s(v|version )?[0-9]+(\.[0-9]+)+(\s*\([^()]*\))*\Z", re.IGNORECASE)
_KEYS = frozenset(Messenger.__struct_fields__)
_NEEDED = ("name", "maker", "kind", "seen")


class Finding(msgspec.Struct, frozen=True, order=True):
    """One fault: where it stands, what is wrong, what to do."""

    file: str
    entry: str
    identifier: str
    """Platform, kind and value; empty where the fault is the entry's own."""
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.entry, self.identifier) if part)
        return f"{place}: {self.problem} {self.remedy}"


class Entry(msgspec.Struct, frozen=True):
    """What could be read of an entry."""

    file: str
    id: str
    name: str
    client_of: str
    identifiers: tuple[Identifier, ...]

    def finding(self, identifier: Identifier | None, problem: str, remedy: str) -> Finding:
        """Return a fault of this entry."""
        named = f"{identifier.platform} {identifier.kind} {identifier.value}" if identifier else ""
        return Finding(self.file, self.id, named, problem, remedy)


class Reading:
    """Owns the entries and faults found so far.

    Args:
        texts: the catalogue's files, name to text.
        overlay: name and text of the overlay that is laid over them.
    """

    def __init__(self, texts: Mapping[str, str], overlay: tuple[str, str] | None = None) -> None:
        self.entries: list[Entry] = []
        self.findings: list[Finding] = []
        written = [
            (file, messenger, table)
            for file, text in texts.items()
            for messenger, table in self._tables(file, text).items()
        ]
        laid_over = {} if overlay is None else self._overlay(*overlay)
        listed = {messenger: table for _, messenger, table in written if isinstance(table, dict)}
        for file, messenger, table in written:
            if messenger not in laid_over:
                self._read(file, messenger, table)
        for messenger, table in laid_over.items():
            whole = corrected_table(listed.get(messenger), table) if isinstance(table, dict) else table
            self._read("" if overlay is None else overlay[0], messenger, whole)
        self._take_from_others(laid_over)

    def _tables(self, file: str, text: str) -> dict[str, object]:
        try:
            return table_in(text, "It")
        except MalformedError as error:
            self.findings.append(Finding(file, "", "", error.detail, error.remedy))
            return {}

    def _overlay(self, file: str, text: str) -> dict[str, object]:
        """Return the overlay's tables."""
        tables = self._tables(file, text)
        try:
            take_never(tables)
        except MalformedError as error:
            self.findings.append(Finding(file, NEVER, "", error.detail, error.remedy))
        for messenger, table in tables.items():
            if isinstance(table, dict) and not isinstance(table.get(ALSO_SEEN, []), list):
                problem = f"Its {ALSO_SEEN} is no list of rows."
                self.findings.append(
                    Finding(file, messenger, "", problem, "Write [[PLATFORM, SOURCE, { KIND = VALUE }]].")
                )
                tables[messenger] = {key: value for key, value in table.items() if key != ALSO_SEEN}
        return tables

    def _take_from_others(self, laid_over: Mapping[str, object]) -> None:
        """Leave with no other entry what the overlay says one of its own looks like, as devices do."""
        said = {
            (one.platform, one.kind, compared(one)): messenger
            for messenger, table in laid_over.items()
            if isinstance(table, dict)
            for key in ("seen", ALSO_SEEN)
            for row in _rows(table.get(key))
            for one in _identifiers(row, 0)
            if isinstance(one, Identifier)
        }
        if said:
            self.entries = [
                msgspec.structs.replace(
                    entry,
                    identifiers=tuple(
                        one
                        for one in entry.identifiers
                        if entry.id in laid_over
                        or said.get((one.platform, one.kind, compared(one)), entry.id) == entry.id
                    ),
                )
                for entry in self.entries
            ]

    def _read(self, file: str, messenger: str, table: object) -> None:
        def found(problem: str, remedy: str, identifier: str = "") -> None:
            self.findings.append(Finding(file, messenger, identifier, problem, remedy))

        try:
            convert(MessengerId, messenger)
        except MalformedError:
            found("Its id is not of the agreed form.", "Use up to 48 lower-case letters, digits and hyphens.")
        if not isinstance(table, dict):
            found("It is no table.", f"Begin it with [{messenger}].")
            return
        for problem, remedy in _faults(table):
            found(problem, remedy)
        identifiers: list[Identifier] = []
        for number, row in enumerate(_rows(table.get("seen")), start=1):
            for one in _identifiers(row, number):
                if isinstance(one, Identifier):
                    identifiers.append(one)
                else:
                    found(*one)
        name, service = table.get("name"), table.get("client_of")
        self.entries.append(
            Entry(
                file,
                messenger,
                name if isinstance(name, str) else "",
                service if isinstance(service, str) else "",
                tuple(identifiers),
            )
        )


def _rows(seen: object) -> list[object]:
    return seen if isinstance(seen, list) else []


def _faults(table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Give what is wrong with an entry's own fields, and what to do."""
    for key in _NEEDED:
        if not table.get(key):
            yield f"It has no {key}.", f"Give it a {key}."
    for key in table.keys() - _KEYS:
        yield f"Nothing reads {key}.", f"Use one of {', '.join(sorted(_KEYS))}."
    for key in ("name", "maker", "client_of"):
        if not isinstance(table.get(key, ""), str):
            yield f"Its {key} is no text.", "Put it in quotes."
    if table.get("seen") and not isinstance(table["seen"], list):
        yield "Its seen is no list of rows.", "Write [[PLATFORM, SOURCE, { KIND = VALUE }]]."
    kind = table.get("kind")
    if kind and kind not in get_args(MessengerKind):
        yield f"{kind!r} is no kind of messenger.", f"Use one of {', '.join(get_args(MessengerKind))}."
    for key in ("wrapper", "business_account"):
        if not isinstance(table.get(key, False), bool):
            yield f"Its {key} is neither true nor false.", "Write true or false, or leave it out."
    yield from _capture_faults(table.get("capture", {}))
    yield from _apart_faults(table.get("apart", []))


def _capture_faults(capture: object) -> Iterator[tuple[str, str]]:
    if not isinstance(capture, dict):
        yield "Its capture is no table.", 'Write it as { native_export = "SOURCE" }.'
        return
    for way, source in capture.items():
        if way not in get_args(CaptureWay):
            yield f"{way} is no way to capture.", f"Use one of {', '.join(get_args(CaptureWay))}."
        elif not isinstance(source, str) or not source.strip():
            yield f"That it can be captured by {way} has no source.", "Name the page that says so."
        elif _ADDRESS.search(source):
            yield f"The source {source!r} is an address.", "Name the page or the package in words."


def _apart_faults(apart: object) -> Iterator[tuple[str, str]]:
    """Give what is wrong with how it is started beside itself; one way for each system."""
    rows = apart if isinstance(apart, list) else [apart]
    systems = [row[0] for row in rows if isinstance(row, list) and row]
    for number, row in enumerate(rows, start=1):
        where = f"Row {number} of apart"
        match row:
            case ["linux" | "macos" | "windows" as system, str() as source, list() as words] if words:
                if not source.strip():
                    yield f"{where} has no source.", "Name the page or manual that says so."
                elif _ADDRESS.search(source):
                    yield (
                        f"{where} has an address for a source: {source}.",
                        "Name the page or the package in words.",
                    )
                if not all(isinstance(word, str) for word in words) or FOLDER not in "".join(words):
                    yield f"{where} names no folder.", f"Write {FOLDER} where the folder goes."
                if systems.count(system) > 1:
                    yield f"{where}: {system} has another one.", "Keep one for each system."
            case _:
                yield (
                    f"{where} is not of the agreed form.",
                    f'Write it as [SYSTEM, SOURCE, ["--option", "{FOLDER}"]]; the system is linux, macos or windows.',
                )


def _identifiers(row: object, number: int) -> Iterator[Identifier | tuple[str, str]]:
    """Give the identifiers of a row of `seen`, or what is wrong with it and what to do."""
    where = f"Row {number} of seen"
    found = row[-1] if isinstance(row, list) and row else None
    if not isinstance(row, list) or not isinstance(found, dict) or len(row) > 3:
        yield f"{where} is not of the agreed form.", "Write it as [PLATFORM, SOURCE, { KIND = VALUE }]."
        return
    platform: Platform | None = row[0] if len(row) > 1 else None
    if platform not in get_args(Platform) or platform is None:
        yield f"{where} has no platform.", f"Begin it with one of {', '.join(get_args(Platform))}."
        return
    source = row[1] if len(row) > 2 else None
    if not isinstance(source, str) or not source.strip():
        yield f"{where} has no source.", "Name the page, manifest or package that vouches for it."
        source = ""
    elif _ADDRESS.search(source):
        yield f"{where} has an address for a source: {source}.", "Name the page or the package in words."
    if not found:
        yield f"{where} says nothing.", "Write what its source vouches for, or leave the row out."
    for kind, values in found.items():
        if kind not in KINDS_OF[platform]:
            yield (
                f"{where}: {platform} knows no {kind}.",
                f"Use one of {', '.join(sorted(KINDS_OF[platform]))}.",
            )
            continue
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, str) or not value:
                yield f"{where}: {kind} has a value that is no text.", "Put it in quotes."
                continue
            yield Identifier(platform, kind, value, source)


def misshapen(identifier: Identifier) -> str:
    """Return the form that an identifier should have and has not; empty where it is well."""
    form, said = _FORMS[identifier.kind]
    if not re.fullmatch(form, identifier.value):
        return said
    if identifier.kind == "uninstall_name" and _VERSION_AT_THE_END.search(identifier.value):
        return "the name without its version, which Windows may list with any"
    if identifier.platform == "windows" and identifier.kind == "executable":
        return "" if identifier.value.lower().endswith(".exe") else "a file's name that ends with `.exe`"
    return ""
