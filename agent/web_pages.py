"""Messengers' pages in browsers, as the browsers' own extension tells them: each connection tells what is open now, never a history.

A page that is not told of any more is over after a moment only: loading it anew, and an extension that the browser puts to sleep and
wakes, are no end. The system says whose process the browser is and what it runs, so nobody can tell of another person's browser.
"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from agent.clock import Clock
from agent.compliance import Found, PageKey
from agent.desk import Desk
from agent.errors import NoProcessError
from agent.profiles import Side
from agent.sensing.process_source import GoneError, ProcessSource
from agent.sides import Sides
from agent.snapshot import page_sentence
from contract.catalogue import Catalogue
from contract.evidence import WEIGHTS, Evidence, Match
from contract.web import Picture, browser_name, web_origins

GRACE_SECONDS = 3.0
"""How long a page may be away without being over."""
RESUME_SECONDS = 40.0
"""How long pages from before a new start of the agent are believed to be open; native hosts repeat themselves more often."""
PAUSE_SECONDS = 0.5


class _Told(msgspec.Struct, frozen=True):
    """What a connection told last."""

    pages: frozenset[PageKey]
    focused: frozenset[PageKey]
    sides: dict[PageKey, Side] = {}


class WebPagesOpen:
    """Owns what each connection told last, and which pages are away for a moment.

    Args:
        source: says whose process a browser is and what it runs.
        catalogue: gives what messengers are known by now.
        desk: takes what is found and what is gone.
        clock: the device's.
        sides: says whose side each is on.
        changed: called when another page has the keyboard.
        opened: called when a page is open that was not; its browser's end matters from now on.
    """

    def __init__(
        self,
        source: ProcessSource,
        catalogue: Callable[[], Catalogue],
        desk: Desk,
        clock: Clock,
        sides: Sides,
        changed: Callable[[], None],
        opened: Callable[[], None],
    ) -> None:
        self._source, self._catalogue, self._desk, self._clock = source, catalogue, desk, clock
        self._sides = sides
        self._changed, self._opened = changed, opened
        self._with_pages: tuple[Catalogue | None, frozenset[str]] = (None, frozenset())
        """The messengers that have pages, in the catalogue that was asked last."""
        self._told: dict[int, _Told] = {}
        self._away: dict[PageKey, float] = {}
        """When a page that is not told of is over."""
        self._any_away = asyncio.Event()
        self._leave((page for one in desk.sightings() for page in one.pages), RESUME_SECONDS)

    def tell(self, connection: int, uid: int, browser_pid: int, picture: Picture) -> None:
        """Take what an extension tells.

        Args:
            connection: through which it is told.
            uid: whose connection it is.
            browser_pid: the browser that the extension runs in.
            picture: what is open there now; messengers that have no page in this catalogue are passed over.

        Raises:
            NoProcessError: there is no such process of that user.
        """
        told = self._understood(uid, browser_pid, picture)
        before = self._told.get(connection, _Told(frozenset(), frozenset()))
        self._told[connection] = told
        for page in told.pages:
            self._away.pop(page, None)
        self._leave(before.pages - self._open(), GRACE_SECONDS)
        self._desk.take([self._found(page, uid, told.sides[page]) for page in sorted(told.pages)], ())
        if told.pages - before.pages:
            self._opened()
        if told.focused != before.focused:
            self._changed()

    def hang_up(self, connection: int) -> None:
        """Take note that a connection has ended."""
        told = self._told.pop(connection, None)
        if told is not None:
            self._leave(told.pages - self._open(), GRACE_SECONDS)
            if told.focused:
                self._changed()

    def focused(self) -> frozenset[PageKey]:
        """Return the pages that have the keyboard."""
        return frozenset(page for told in self._told.values() for page in told.focused)

    async def run(self) -> None:
        """End what stays away, until cancelled; while nothing is away it sleeps."""
        while True:
            await self._any_away.wait()
            self.settle()
            await asyncio.sleep(PAUSE_SECONDS)

    def settle(self) -> None:
        """End what has been away for too long."""
        now = self._clock.monotonic()
        over = [page for page, until in self._away.items() if until <= now]
        for page in over:
            del self._away[page]
        if not self._away:
            self._any_away.clear()
        if over:
            self._sides.forget(over)
            self._desk.take((), over)

    def _open(self) -> frozenset[PageKey]:
        return frozenset(page for told in self._told.values() for page in told.pages)

    def _leave(self, pages: Iterable[PageKey], seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        self._away.update(dict.fromkeys(pages, until))
        if self._away:
            self._any_away.set()

    def _understood(self, uid: int, browser_pid: int, picture: Picture) -> _Told:
        absent = NoProcessError(f"You run no process {browser_pid}.", "Start the native host from a browser.")
        try:
            reading = self._source.read(self._source.key(browser_pid))
            if self._source.uid(browser_pid) != uid:
                raise absent
            name = browser_name(reading.facts.exe)
            open_here = {
                PageKey(reading.key, name, picture.profile, page.messenger): page.focused
                for page in picture.pages
                if page.messenger in self._having_pages()
            }
            sides = {page: self._sides.of_page(page, reading, uid) for page in open_here}
        except GoneError as error:
            raise absent from error
        focused = frozenset(page for page, has_keyboard in open_here.items() if has_keyboard)
        return _Told(frozenset(open_here), focused, sides)

    def _having_pages(self) -> frozenset[str]:
        catalogue = self._catalogue()
        if self._with_pages[0] is not catalogue:
            self._with_pages = catalogue, frozenset(web_origins(catalogue).values())
        return self._with_pages[1]

    def _found(self, page: PageKey, uid: int, side: Side) -> Found:
        name = self._catalogue().name_of(page.messenger)
        match = Match(
            messenger=page.messenger,
            name=name,
            listed=True,
            confidence=WEIGHTS["origin"],
            evidence=(Evidence("origin", page.browser_name, page_sentence(name, page)),),
        )
        return Found(page, uid, match, side)
