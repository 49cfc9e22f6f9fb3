"""Whose side each messenger's instance is on: signals are read once for an instance, however many processes it has.

An instance is what was started by itself: a renderer, a crash handler and whatever else a messenger starts of its own belongs to the
process that started it, unless it is told to keep its data elsewhere. So two copies with different folders stay two, and each copy is one.
"""

from collections.abc import Callable, Iterable

import msgspec

from agent.compliance import Found, PageKey, Sighting
from agent.profiles import Side, Signals, classify
from agent.profiles.instances import instance_of, is_helper
from agent.profiles.signals import Instance
from agent.sensing.process_source import GoneError, Image, ProcessKey, ProcessSource, Reading
from agent.sensing.signals.interface import Asked, SignalSource
from contract.catalogue import Catalogue
from contract.evidence import Match
from contract.policy import Ownership
from contract.sides import Profiles

ANCESTORS_AT_MOST = 8
"""How far up it is looked; Chromium's renderers are two below the browser."""
REMEMBERED_AT_MOST = 4096


class _Known(msgspec.Struct, frozen=True):
    """How an instance was classified, by its first process or as a page."""

    messenger: str
    image: Image | None
    side: Side


class Sides:
    """Owns what is known of each instance that runs; forgets all of it when the rules are others.

    Args:
        source: says whose child a process is.
        signals: reads what speaks for a side.
        recognise: tells which messenger a process is.
        catalogue: gives what messengers are known by now.
        ownership: who owns the device.
        web_extension: the id of the company's extension in Chromium browsers, if it has one.
        profiles: gives the rules of the policy in force; None where it has none, and then nothing is read.
    """

    def __init__(
        self,
        source: ProcessSource,
        signals: SignalSource,
        recognise: Callable[[Reading], Match | None],
        catalogue: Callable[[], Catalogue],
        ownership: Ownership,
        web_extension: str | None,
        profiles: Callable[[], Profiles | None],
    ) -> None:
        self._source, self._signals, self._recognise = source, signals, recognise
        self._catalogue, self._profiles = catalogue, profiles
        self._web_extension = web_extension
        self._ownership: Ownership = ownership
        self._by_ownership = classify(Signals(ownership=ownership))
        self._known: dict[ProcessKey | PageKey, _Known] = {}
        self._known_under: Profiles | None = None
        self._began = False

    def of_process(self, reading: Reading, uid: int, messenger: str) -> Side:
        """Return the side of the instance that a messenger's process belongs to; raise GoneError if it ended."""
        profiles = self._rules()
        if profiles is None:
            return self._by_ownership
        first = self._first(reading, uid, messenger)
        known = self._known.get(first.key)
        if known is not None and (known.messenger, known.image) == (messenger, first.image):
            return known.side
        side = self._classified(first, uid, messenger, profiles)
        self._remember(first.key, _Known(messenger, first.image, side))
        return side

    def of_page(self, page: PageKey, browser: Reading, uid: int) -> Side:
        """Return the side of a messenger's page; raise GoneError if its browser ended."""
        profiles = self._rules()
        if profiles is None:
            return self._by_ownership
        known = self._known.get(page)
        if known is not None:
            return known.side
        side = self._classified(browser, uid, page.messenger, profiles, page)
        self._remember(page, _Known(page.messenger, None, side))
        return side

    def forget(self, ended: Iterable[ProcessKey | PageKey]) -> None:
        """Let go of what has ended; a browser that ends takes its pages along."""
        over = frozenset(ended)
        if not over:
            return  # as at nearly every look
        for key in tuple(self._known):
            if key in over or (isinstance(key, PageKey) and key.browser in over):
                del self._known[key]

    def again(self, sightings: Iterable[Sighting]) -> list[Found]:
        """Classify what runs anew if the rules are others, or it ran before the agent did; return all of it, with the side it has now."""
        if self._began and self._profiles() == self._known_under:
            return []
        self._began = True
        return [found for sighting in sightings for found in self._found_again(sighting)]

    def _found_again(self, sighting: Sighting) -> Iterable[Found]:
        match, uid = sighting.match, sighting.uid
        for key in sighting.processes:
            try:
                side = self.of_process(self._source.read(key), uid, match.messenger)
            except GoneError:
                continue  # that it has ended is noticed in its own time
            yield Found(key, uid, match, side)
        for page in sighting.pages:
            try:
                side = self.of_page(page, self._source.read(page.browser), uid)
            except GoneError:
                continue
            yield Found(page, uid, match, side)

    def _rules(self) -> Profiles | None:
        profiles = self._profiles()
        if profiles != self._known_under:
            self._known.clear()
            self._known_under = profiles
        return profiles

    def _classified(
        self, reading: Reading, uid: int, messenger: str, profiles: Profiles, page: PageKey | None = None
    ) -> Side:
        entry = self._catalogue().messengers.get(messenger)
        asked = Asked(
            reading=reading,
            uid=uid,
            ownership=self._ownership,
            messenger=messenger,
            kind=None if entry is None else entry.kind,
            of_page=page is not None,
            browser_profile="" if page is None else page.browser_profile,
            web_extension=self._web_extension,
            off=frozenset(profiles.signals_off),
        )
        return classify(self._signals.read(asked), profiles)

    def _first(self, reading: Reading, uid: int, messenger: str) -> Reading:
        """Return the process that started the instance."""
        for _ in range(ANCESTORS_AT_MOST):
            cmdline = reading.image.cmdline or ()
            if not is_helper(cmdline) and instance_of(cmdline) != Instance():
                return reading
            parent = self._parent(reading, uid, messenger)
            if parent is None:
                return reading
            reading = parent
        return reading

    def _parent(self, reading: Reading, uid: int, messenger: str) -> Reading | None:
        """Return the parent if it is the same person's same messenger."""
        try:
            pid = self._source.parent(reading.key.pid)
            if pid is None or self._source.uid(pid) != uid:
                return None
            parent = self._source.read(self._source.key(pid))
        except GoneError:
            return None
        if parent.key.started > reading.key.started:
            return (
                None  # on Windows a parent that has ended is still told, and its pid may be another's by now
            )
        match = self._recognise(parent)
        return parent if match is not None and match.messenger == messenger else None

    def _remember(self, key: ProcessKey | PageKey, known: _Known) -> None:
        if len(self._known) >= REMEMBERED_AT_MOST:
            self._known.pop(next(iter(self._known)))
        self._known[key] = known
