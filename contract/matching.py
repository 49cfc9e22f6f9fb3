"""Matching: from the facts of one process to the messenger it belongs to, with the evidence, or to nothing.

Values are compared without regard to case, against tables built once; what is not in a table costs a look into it and no more.
Nothing is searched for inside names or arguments.

>>> from contract.catalogue import parse
>>> matcher = Matcher(parse({"demo.toml": '''
... [pidgin]
... name = "Pidgin"
... maker = "Pidgin contributors"
... kind = "both"
... seen = [["linux", "Debian pidgin 2.14.12", { executable = "pidgin" }]]
... '''}))
>>> matcher.match(ProcessFacts(platform="linux", exe="/usr/bin/pidgin")).evidence[0].sentence
'The executable is pidgin (source: Debian pidgin 2.14.12).'
>>> matcher.match(ProcessFacts(platform="linux", exe="/usr/bin/vim", cmdline=("vim", "/usr/bin/pidgin"))) is None
True
"""

import re
from collections.abc import Iterator
from itertools import chain

import msgspec

from contract import programs
from contract.catalogue import Catalogue, Identifier
from contract.evidence import WEIGHTS, Evidence, Match, together
from contract.facts import ProcessFacts
from contract.unlisted import desktop_stem, unlisted
from contract.web import app_ids, opened_as_application

NAME_LIMIT = 15
"""Characters at which Linux cuts a process name (TASK_COMM_LEN less the final zero, proc(5))."""
_DELETED = " (deleted)"
_WRAPPED = re.compile(r"\.(.+)-wrapped")
_ORIGIN = re.compile(r"(https://[a-z0-9.-]*[a-z0-9])\.?(?::443)?((?:[/?#].*)?)", re.DOTALL)
_RELEASE = re.compile(r"( +((version +|v)?[0-9][0-9.+_-]*|\([^()]*\)))+\Z")
_NAME_CHARACTERS = 200
"""No program's name is longer; anybody may write one that is."""
_LEVELS = 10
"""How many parts of a host or a path are looked at."""
_MARKS = {"linux": ("/snap/", "/flatpak/"), "macos": (".app/",), "windows": ("windowsapps",), "web": ()}
"""What a path has in it when it tells the application; checked first, since it is cheap."""
_OF_THE_PROGRAM = frozenset({"desktop_id", "executable", "script", "helper", "command", "name"})
"""Evidence that a browser cannot give, whatever it is told to open."""
_SENTENCES = {
    "bundle_id": "The application's bundle id is {}",
    "package_family": "The Windows package family is {}",
    "flatpak_id": "It is the Flatpak application {}",
    "winget_id": "It is the winget package {}",
    "deb": "It came with the package {}",
    "rpm": "It came with the package {}",
    "uninstall_name": "It is installed as {}",
    "snap": "It is the snap {}",
    "origin": "The page is of {}",
    "start_url": "It starts at {}",
    "app_id": "The page that was installed as an application is of {}",
    "desktop_id": "Its desktop entry is {}",
    "executable": "The executable is {}",
    "script": "The interpreter runs {}",
    "app_bundle": "It lies in the application {}",
    "helper": "It is a helper of {}",
    "command": "The command is {}",
    "name": "The process is called {}",
}


class _Known(msgspec.Struct, frozen=True, gc=False):
    messenger: str
    value: str
    source: str
    client: str | None = None


class _Hit(msgspec.Struct, frozen=True):
    kind: str
    known: _Known
    seen: str = ""
    """What was seen, where it is not what the catalogue has."""


class Matcher:
    """Owns the catalogue's look-up tables; changes nothing and keeps nothing.

    Args:
        catalogue: the listed messengers.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._never = catalogue.never
        self._names = {messenger: entry.name for messenger, entry in catalogue.messengers.items()}
        self._tables: dict[tuple[str, str], dict[str, _Known]] = {}
        self._products: dict[str, _Known] = {}
        for messenger, entry in sorted(catalogue.messengers.items()):
            service, client = catalogue.judged_as(messenger), messenger if entry.client_of else None
            own = _Known(service, entry.name, "its own command line or folder", client)
            self._products.setdefault(entry.name.lower(), own)
            for identifier in entry.seen:
                self._add(service, identifier, client)
        self._cut = self._cut_names()
        self._telling = {platform: self._telling_names(platform) for platform in _MARKS}

    def match(self, facts: ProcessFacts) -> Match | None:
        """Return the messenger that the facts point to, None for everything else. Never raises."""
        exe = facts.exe
        if exe and not (
            facts.desktop_id
            or facts.categories
            or facts.url_schemes
            or facts.app_category
            or facts.flatpak_id
            or facts.snap
            or facts.bundle_id
            or facts.app_bundle
            or facts.package_family
            or facts.winget_id
            or facts.origin
            or facts.package
            or facts.uninstall_name
            or facts.start_url
        ):
            # The short way, for the many: most executables are in no table, and their path tells nothing.
            lower = exe.lower()
            base = programs.base_name(lower)
            if (
                base not in self._telling[facts.platform]
                and base[-1:] not in "0123456789)"
                and base[0] != "."
            ):
                for mark in _MARKS[facts.platform]:
                    if mark in lower:
                        break
                else:
                    return None
        return self._slowly(facts)

    def _slowly(self, facts: ProcessFacts) -> Match | None:
        base, cmdline = _program(facts)
        is_browser = base in programs.BROWSERS
        hits = list(chain(self._given(facts), self._running(facts, base, cmdline)))
        if is_browser:
            hits.extend(self._installed_page(cmdline))
            hits = [hit for hit in hits if hit.kind not in _OF_THE_PROGRAM]
        if hits:
            return self._listed(hits)
        match = None if is_browser else unlisted(facts, base, cmdline)
        return None if match is not None and match.messenger in self._never else match

    def _listed(self, hits: list[_Hit]) -> Match:
        strongest = max(hits, key=lambda hit: (WEIGHTS[hit.kind], hit.known.messenger)).known
        best = strongest.messenger
        # One piece of evidence per kind: the same fact told twice is no more certain.
        mine = {hit.kind: hit for hit in reversed(hits) if hit.known.messenger == best}
        kinds = sorted(mine, key=WEIGHTS.__getitem__, reverse=True)
        return Match(
            messenger=best,
            name=self._names[best],
            listed=True,
            confidence=round(together(WEIGHTS[kind] for kind in kinds), 3),
            evidence=tuple(_evidence(mine[kind]) for kind in kinds),
            client=strongest.client,
        )

    def _given(self, facts: ProcessFacts) -> Iterator[_Hit]:
        platform = facts.platform
        if facts.origin:
            yield from self._find("web", "origin", *_origins(facts.origin))
        if facts.start_url:
            yield from self._started_at(facts.start_url)
        if facts.bundle_id:
            bundle = facts.bundle_id.lower()
            yield from self._find(platform, "bundle_id", bundle, bundle.partition(".helper")[0])
        if facts.snap:
            snap = facts.snap.lower()
            yield from self._find(platform, "snap", snap, snap.partition("_")[0], snap.partition(".")[0])
        if facts.desktop_id:
            yield from self._desktop(platform, desktop_stem(facts.desktop_id).lower())
        for kind, value in (
            ("flatpak_id", facts.flatpak_id),
            ("package_family", facts.package_family),
            ("winget_id", facts.winget_id),
            ("app_bundle", facts.app_bundle),
        ):
            if value:
                yield from self._find(platform, kind, value.lower())
        if facts.package:
            package = facts.package.lower()
            deb = list(self._find(platform, "deb", package))
            yield from deb or self._find(platform, "rpm", package)  # one fact, told once
        if facts.uninstall_name:
            yield from self._find(platform, "uninstall_name", *_uninstall_names(facts.uninstall_name))

    def _installed_page(self, cmdline: tuple[str, ...]) -> Iterator[_Hit]:
        opened = opened_as_application(cmdline)
        if opened is not None:
            kind, value = opened
            yield from self._find("web", kind, value) if kind == "app_id" else self._started_at(value)

    def _started_at(self, address: str) -> Iterator[_Hit]:
        yield from self._find("web", "start_url", *_start_urls(address))
        yield from self._find("web", "origin", *_origins(address))

    def _desktop(self, platform: str, desktop: str) -> Iterator[_Hit]:
        # A Flatpak's entry carries the application's id, a snap's the snap's name before an underscore.
        snap, underscore, _ = desktop.partition("_")
        for kind, value in (
            ("desktop_id", desktop),
            ("flatpak_id", desktop),
            ("snap", snap if underscore else ""),
        ):
            for hit in self._find(platform, kind, value):
                yield _Hit("desktop_id", hit.known)
                return

    def _running(self, facts: ProcessFacts, base: str, cmdline: tuple[str, ...]) -> Iterator[_Hit]:
        platform = facts.platform
        exe = facts.exe or ""
        for kind, value in programs.container_of(platform, exe):
            yield from self._find(platform, kind, value)
        interpreter = programs.interpreter_of(base)
        if interpreter is not None and cmdline:
            yield from self._script(platform, interpreter, cmdline)
        elif base in programs.HELPERS:
            yield from self._helper(platform, exe or cmdline[0], cmdline)
        elif base and interpreter is None:
            yield from self._plain(platform, "executable" if exe else "command", base)
            launched = programs.launched_by(base, cmdline)
            if launched:
                yield from self._find(platform, *launched)
        elif facts.name:
            yield from self._named(platform, facts.name)

    def _script(self, platform: str, interpreter: str, cmdline: tuple[str, ...]) -> Iterator[_Hit]:
        script = programs.script_of(interpreter, cmdline)
        for kind, value in programs.script_names(interpreter, script) if script else ():
            where = "windows" if interpreter.startswith("wine") else platform
            for hit in self._find(where, kind, value):
                yield _Hit("script", hit.known)
                return

    def _helper(self, platform: str, exe: str, cmdline: tuple[str, ...]) -> Iterator[_Hit]:
        for owner in programs.owners_of_helper(exe, cmdline):
            known = self._products.get(owner) or self._tables.get((platform, "executable"), {}).get(owner)
            if known:
                yield _Hit("helper", known)
                return

    def _plain(self, platform: str, kind: str, base: str) -> Iterator[_Hit]:
        for hit in self._find(platform, "executable", base):
            yield _Hit(kind, hit.known)

    def _named(self, platform: str, name: str) -> Iterator[_Hit]:
        base = _base(platform, name)
        for kind in ("executable", "script"):
            for hit in self._find(platform, kind, base):
                yield _Hit("name", hit.known, name)
                return
        known = self._cut.get(base) if platform == "linux" else None
        if known:
            yield _Hit("name", known, name)

    def _find(self, platform: str, kind: str, *values: str) -> Iterator[_Hit]:
        table = self._tables.get((platform, kind), {})
        for value in values:
            if value in table:
                yield _Hit(kind, table[value])
                return

    def _add(self, messenger: str, identifier: Identifier, client: str | None) -> None:
        known = _Known(messenger, identifier.value, identifier.source, client)
        table = self._tables.setdefault((identifier.platform, identifier.kind), {})
        table.setdefault(compared(identifier), known)
        if identifier.kind == "origin" and "*" not in identifier.value:
            for app_id in app_ids(compared(identifier)):
                self._tables.setdefault(("web", "app_id"), {}).setdefault(app_id, known)

    def _cut_names(self) -> dict[str, _Known]:
        cut: dict[str, set[_Known]] = {}
        for kind in ("executable", "script"):
            for value, known in self._tables.get(("linux", kind), {}).items():
                if len(value) > NAME_LIMIT:
                    cut.setdefault(value[:NAME_LIMIT], set()).add(known)
        # What two messengers share when cut tells neither.
        return {
            short: min(owners, key=lambda known: known.value)
            for short, owners in cut.items()
            if len({known.messenger for known in owners}) == 1
        }

    def _telling_names(self, platform: str) -> frozenset[str]:
        names = {*self._tables.get((platform, "executable"), {}), *programs.INTERPRETERS, *programs.HELPERS}
        names |= {"flatpak", "snap"} | programs.BROWSERS
        return frozenset(names | {f"{name}.exe" for name in names} if platform == "windows" else names)


def _program(facts: ProcessFacts) -> tuple[str, tuple[str, ...]]:
    """Return the base name of what runs, told by the executable or else by the command line, and the command line."""
    cmdline = facts.cmdline or ()
    path = facts.exe or (cmdline[0].partition(" --")[0] if cmdline else "")
    return _base(facts.platform, path), cmdline


def _base(platform: str, path: str) -> str:
    base = programs.base_name(path.removesuffix(_DELETED)).lower()
    if platform == "windows":
        return base.removesuffix(".exe")
    wrapped = _WRAPPED.fullmatch(base)
    return wrapped[1] if wrapped else base


def compared(identifier: Identifier) -> str:
    """Return the form in which an identifier's value is compared."""
    value = identifier.value.lower()
    if identifier.platform == "windows" and identifier.kind == "executable":
        return value.removesuffix(".exe")
    if identifier.kind == "start_url":
        return next(_start_urls(value), value)
    return value


def _origins(address: str) -> Iterator[str]:
    """Give scheme and host, then the patterns that stand for it, nearest first.

    Path, final dot and the usual port are left out; anything else that is odd gives nothing.

    >>> list(_origins("https://Acme.Zulipchat.com/#inbox"))
    ['https://acme.zulipchat.com', 'https://*.zulipchat.com', 'https://*.com']
    """
    found = _ORIGIN.fullmatch(address.lower())
    if found is None:
        return
    yield found[1]
    host = found[1].removeprefix("https://")
    for _ in range(_LEVELS):
        _, dot, host = host.partition(".")
        if not dot:
            return
        yield f"https://*.{host}"


def _uninstall_names(name: str) -> Iterator[str]:
    """Give the name that Windows lists, then the same without what comes after it: a version, an architecture.

    >>> list(_uninstall_names("Vesktop 1.6.7 (x64)"))
    ['vesktop 1.6.7 (x64)', 'vesktop']
    >>> list(_uninstall_names("Skype version 8.150"))
    ['skype version 8.150', 'skype']
    """
    lower = name.lower().strip()
    yield lower
    if len(lower) <= _NAME_CHARACTERS:
        yield _RELEASE.sub("", lower)


def _start_urls(address: str) -> Iterator[str]:
    """Give the address without query and final slash, then each page above it.

    >>> list(_start_urls("https://www.facebook.com/messages/t/5?x=1"))
    ['https://www.facebook.com/messages/t/5', 'https://www.facebook.com/messages/t', 'https://www.facebook.com/messages', \
'https://www.facebook.com']
    """
    found = _ORIGIN.fullmatch(address.lower())
    if found is None:
        return
    path = re.split("[?#]", found[2], maxsplit=1)[0].rstrip("/")
    parts = path.split("/")[1 : _LEVELS + 1]
    for count in range(len(parts), -1, -1):
        yield "/".join((found[1], *parts[:count]))


def _evidence(hit: _Hit) -> Evidence:
    value = hit.seen or hit.known.value
    return Evidence(hit.kind, value, f"{_SENTENCES[hit.kind].format(value)} (source: {hit.known.source}).")
