"""The overlay: a company's own messengers and corrections, laid over the catalogue; what it says wins.

An entry with a new id adds a messenger and is written whole. An entry with a listed id corrects it: each field that it gives takes the
place of the listed one's, and `also_seen` adds rows to those that are there. What the overlay says a messenger looks like no other
messenger looks like any more. `never` names unlisted messengers that are none:

>>> from contract.catalogue import entries_in
>>> listed = entries_in({"demo.toml": '''
... [pidgin]
... name = "Pidgin"
... maker = "Pidgin contributors"
... kind = "both"
... seen = [["linux", "Debian pidgin 2.14.12", { executable = "pidgin" }]]
... '''})
>>> merged = merge(listed, parse('''
... never = ["unlisted:acme-dialer"]
... [pidgin]
... also_seen = [["linux", "Acme IT", { executable = "acme-pidgin" }]]
... [acme-chat]
... name = "Acme Chat"
... maker = "Acme"
... kind = "business"
... seen = [["linux", "Acme IT", { executable = "acme-chat" }]]
... '''))
>>> [one.value for one in merged.messengers["pidgin"].seen], merged.name_of("acme-chat"), sorted(merged.never)
(['pidgin', 'acme-pidgin'], 'Acme Chat', ['unlisted:acme-dialer'])
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from contract.catalogue import (
    Apart,
    CaptureWay,
    Catalogue,
    MessengerId,
    MessengerKind,
    Row,
    Text,
    Written,
    catalogue_of,
    identifiers,
)
from contract.errors import MalformedError
from contract.matching import compared
from contract.toml_text import table_in
from contract.unlisted import PREFIX
from contract.wire import convert

NEVER = "never"
ALSO_SEEN = "also_seen"
UnlistedId = Annotated[str, msgspec.Meta(pattern=rf"^{PREFIX}[^\x00-\x1f\x7f]+\Z", max_length=200)]


class Correction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the overlay says of one messenger; what it leaves out stays as it is listed."""

    name: Text | UnsetType = UNSET
    maker: Text | UnsetType = UNSET
    kind: MessengerKind | UnsetType = UNSET
    wrapper: bool | UnsetType = UNSET
    client_of: MessengerId | UnsetType = UNSET
    business_account: bool | UnsetType = UNSET
    capture: dict[CaptureWay, Text] | UnsetType = UNSET
    apart: tuple[Apart, ...] | UnsetType = UNSET
    seen: Annotated[tuple[Row, ...], msgspec.Meta(min_length=1)] | UnsetType = UNSET
    also_seen: tuple[Row, ...] = ()


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """A company's own entries and corrections."""

    entries: dict[MessengerId, Correction] = {}
    never: tuple[UnlistedId, ...] = ()


def parse(text: str) -> Overlay:
    """Return the overlay that a TOML text says.

    Raises:
        MalformedError: not TOML, or not of the agreed form; the error names the entry.
    """
    tables = table_in(text, "The overlay")
    never = take_never(tables)
    entries: dict[str, Correction] = {}
    for messenger, table in tables.items():
        try:
            entries[convert(MessengerId, messenger)] = convert(Correction, table)
        except MalformedError as error:
            raise MalformedError(f"{messenger!r}: {error.detail}", error.remedy, error.path) from error
    return Overlay(entries=entries, never=never)


def take_never(tables: dict[str, Any]) -> tuple[str, ...]:
    """Take out of an overlay's tables what names no messengers, and return it.

    Raises:
        MalformedError: it is no list of ids of unlisted messengers; it was taken out.
    """
    # A messenger may be called so as well: then it is a table.
    never = () if isinstance(tables.get(NEVER, {}), dict) else tables.pop(NEVER)
    try:
        return convert(tuple[UnlistedId, ...], never)
    except MalformedError as error:
        raise MalformedError(
            f"{NEVER}: {error.detail}", f'Write it as ["{PREFIX}KEY"], as reports name what is not listed.'
        ) from error


def merge(listed: Mapping[str, Written], overlay: Overlay) -> Catalogue:
    """Return the catalogue with the overlay laid over it.

    Raises:
        MalformedError: an entry with a new id is not whole, or one is a client of none that is listed.
    """
    entries = dict(listed)
    for messenger, correction in overlay.entries.items():
        entries[messenger] = _corrected(messenger, entries.get(messenger), correction)
    merged = catalogue_of(entries)
    said = {
        (one.platform, one.kind, compared(one)): messenger
        for messenger, correction in overlay.entries.items()
        for one in identifiers((*(correction.seen or ()), *correction.also_seen))
    }
    return Catalogue(
        {
            messenger: msgspec.structs.replace(
                entry,
                seen=tuple(
                    one
                    for one in entry.seen
                    if said.get((one.platform, one.kind, compared(one)), messenger) == messenger
                ),
            )
            for messenger, entry in merged.messengers.items()
        },
        frozenset(overlay.never),
    )


def corrected_table(listed: Mapping[str, Any] | None, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a listed entry's table as an overlay's table corrects it, both as they stand in TOML.

    >>> corrected_table({"name": "Old", "seen": [1]}, {"name": "New", "also_seen": [2]})
    {'name': 'New', 'seen': [1, 2]}
    """
    merged = {**(listed or {}), **table}
    also, seen = merged.pop(ALSO_SEEN, ()), merged.get("seen", [])
    if also and isinstance(seen, list):
        merged["seen"] = [*seen, *also]
    return merged


def _corrected(messenger: str, listed: Written | None, correction: Correction) -> Written:
    said = {name: value for name, value in msgspec.structs.asdict(correction).items() if value is not UNSET}
    said["seen"] = (*said.get("seen", () if listed is None else listed.seen), *said.pop(ALSO_SEEN))
    if listed is not None:
        return msgspec.structs.replace(listed, **said)
    lacking = [name for name in ("name", "maker", "kind", "seen") if not said.get(name)]
    if lacking:
        raise MalformedError(
            f"{messenger} is not listed, and its entry has no {', no '.join(lacking)}.",
            "Write a new messenger whole, or correct the id.",
            f"$.{messenger}",
        )
    return Written(**said)
