"""What is wrong with a catalogue: duplicates, overlaps, names that any program may have, forms, sources.

Two messengers that claim the same thing would leave to chance which one a policy is applied to.
"""

from collections.abc import Iterable, Iterator, Mapping

from contract.catalogue import Identifier
from contract.matching import NAME_LIMIT, compared
from contract.programs import BROWSERS, HELPERS, interpreter_of
from server.catalogue_entries import Entry, Finding, Reading, misshapen
from server.errors import CatalogueFaultsError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOO_GENERIC = (
    _words(
        "app application agent chat client daemon desktop electron electron.app helper im index launcher linux loader main meeting"
        " meetings message messages messaging messenger program run runner server service setup start talk team teams-app update"
        " updater voice web webapp wrapper"
    )
    | BROWSERS
    | HELPERS
)
"""Names that say nothing of whose program it is; interpreters are known besides."""
TOO_GENERIC_ON_LINUX = _words("line element wire simplex fractal max tox mirage dino session signal")
"""Names of messengers that other programs for Linux carry as well, or well may."""
_GENERIC_KINDS = frozenset(
    {"executable", "script", "desktop_id", "deb", "rpm", "snap", "app_bundle", "uninstall_name"}
)
_EXCEPTIONS = frozenset({("apple-messages", "app_bundle", "messages")})
"""What belongs to the system itself, so that nobody else can have it."""
_LOOKED_UP_TOGETHER = (
    frozenset({"executable", "script"}),
    frozenset({"desktop_id", "flatpak_id"}),
    frozenset({"deb", "rpm"}),
)
"""Kinds of which a value is looked for in each, so that two messengers must not share it across them either."""

_Claims = dict[tuple[str, str, str], tuple[Entry, Identifier]]


def lint(texts: Mapping[str, str], overlay: tuple[str, str] | None = None) -> list[Finding]:
    """Return everything that is wrong with a catalogue, sorted by place; nothing where all is well.

    Args:
        texts: its files, name to text.
        overlay: name and text of the overlay that is laid over them.
    """
    reading = Reading(texts, overlay)
    findings = list(reading.findings)
    findings += _ids(reading.entries)
    findings += _clients(reading.entries)
    claims: _Claims = {}
    for entry in reading.entries:
        for identifier in entry.identifiers:
            findings += _of_one(entry, identifier)
            findings += _claimed(entry, identifier, claims)
    findings += _overlaps(claims)
    return sorted(findings)


def refuse_faults(findings: Iterable[Finding]) -> None:
    """Refuse a catalogue in which something was found.

    Raises:
        CatalogueFaultsError: with every fault.
    """
    found = tuple(findings)
    if found:
        entries = len({(finding.file, finding.entry) for finding in found})
        raise CatalogueFaultsError(
            f"{len(found)} fault{'' if len(found) == 1 else 's'} in {entries} entr{'y' if entries == 1 else 'ies'}.",
            "Correct each as it says.",
            tuple(str(finding) for finding in found),
        )


def _ids(entries: Iterable[Entry]) -> Iterator[Finding]:
    ids: dict[str, Entry] = {}
    names: dict[str, Entry] = {}
    for entry in entries:
        if entry.id in ids:
            yield entry.finding(None, f"This id stands in {ids[entry.id].file} already.", "Keep one entry.")
        elif entry.name and entry.name.lower() in names:
            other = names[entry.name.lower()].id
            yield entry.finding(None, f"{other} is called {entry.name} as well.", "Give each its own name.")
        ids.setdefault(entry.id, entry)
        names.setdefault(entry.name.lower(), entry)


def _clients(entries: Iterable[Entry]) -> Iterator[Finding]:
    services = {entry.id: entry.client_of for entry in entries}
    for entry in entries:
        if entry.client_of and services.get(entry.client_of, "none") != "":
            problem = f"It is a client of {entry.client_of}, which is no messenger of its own."
            yield entry.finding(
                None, problem, "Name a listed messenger that is not itself somebody's client."
            )


def _of_one(entry: Entry, identifier: Identifier) -> Iterator[Finding]:
    form = misshapen(identifier)
    if form:
        yield entry.finding(identifier, "It is not of the form of its kind.", f"Write {form}.")
    if _is_generic(entry, identifier):
        yield entry.finding(
            identifier, "Other programs may carry this name.", "Leave it out, or find what only this one has."
        )


def _is_generic(entry: Entry, identifier: Identifier) -> bool:
    if identifier.kind not in _GENERIC_KINDS:
        return False
    word = compared(identifier).removesuffix(".app")
    if (entry.id, identifier.kind, word) in _EXCEPTIONS:
        return False
    if word in TOO_GENERIC or interpreter_of(word) is not None:
        return True
    is_program = identifier.kind in {"executable", "script"}
    return identifier.platform == "linux" and is_program and word in TOO_GENERIC_ON_LINUX


def _claimed(entry: Entry, identifier: Identifier, claims: _Claims) -> Iterator[Finding]:
    value = compared(identifier)
    together = next((kinds for kinds in _LOOKED_UP_TOGETHER if identifier.kind in kinds), frozenset())
    for kind in sorted(together | {identifier.kind}):
        other = claims.get((identifier.platform, kind, value))
        if other is None:
            continue
        if other[0].id != entry.id:
            yield entry.finding(
                identifier, f"{other[0].id} claims it as {kind}.", "Leave it with the one it belongs to."
            )
        elif kind == identifier.kind:
            yield entry.finding(
                identifier, "It stands twice in this entry.", "Keep it where its source is best."
            )
    claims.setdefault((identifier.platform, identifier.kind, value), (entry, identifier))


def _overlaps(claims: _Claims) -> Iterator[Finding]:
    yield from _cut_alike(claims)
    origins = {value: claim for (_, kind, value), claim in claims.items() if kind == "origin"}
    starts = {value: claim for (_, kind, value), claim in claims.items() if kind == "start_url"}
    for value, (entry, identifier) in (origins | starts).items():
        scheme, _, rest = value.partition("://")
        host, *path = rest.split("/")
        wider = [f"{scheme}://*.{host.split('.', level)[-1]}" for level in range(1, host.count(".") + 1)]
        if path:
            wider.append(f"{scheme}://{host}")
        above = ["/".join((f"{scheme}://{host}", *path[:count])) for count in range(len(path))]
        for known, places in ((origins, wider), (starts, above)):
            for place in places:
                other = known.get(place)
                if other and other[0].id != entry.id:
                    problem = f"It lies within {other[1].value}, which {other[0].id} claims."
                    yield entry.finding(identifier, problem, "Make the wider one narrower, or leave one out.")


def _cut_alike(claims: _Claims) -> Iterator[Finding]:
    owners: dict[str, Entry] = {}
    for (platform, kind, value), (entry, identifier) in claims.items():
        if platform != "linux" or kind not in {"executable", "script"} or len(value) <= NAME_LIMIT:
            continue
        other = owners.setdefault(value[:NAME_LIMIT], entry)
        if other.id != entry.id:
            problem = f"Linux cuts it to {value[:NAME_LIMIT]}, and a name of {other.id} as well."
            yield entry.finding(identifier, problem, "Leave out one of them.")
