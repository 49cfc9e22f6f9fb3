"""What a person asks the company for: an exemption, or a question, in words of their own. It leaves by the door, and stands in the ledger."""

import secrets
import textwrap
from collections.abc import Callable
from datetime import timedelta

from agent.clock import Clock
from agent.errors import CannotAskError, NotEnrolledError, NoticeFirstError
from agent.journal import Journal
from agent.privacy import Door
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract.catalogue import Catalogue
from contract.errors import MalformedError
from contract.local import AskQuery
from contract.observations import SENTENCES, SHORT_CHARACTERS, Request

DAYS_AT_MOST = 366
"""An exemption ends within a year."""


class Asking:
    """Owns the way of a request; keeps nothing of it but what the journal does.

    Args:
        catalogue: gives the messengers' names.
        is_enrolled: tells whether there is anybody to ask.
        takes: tells whether the server takes requests.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        outbox: Outbox,
        door: Door,
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        is_enrolled: Callable[[], bool],
        takes: Callable[[], bool],
    ) -> None:
        self._store, self._journal, self._outbox, self._door = store, journal, outbox, door
        self._catalogue, self._clock, self._is_enrolled, self._takes = catalogue, clock, is_enrolled, takes

    def ask(self, query: AskQuery, uid: int) -> Request:
        """Send a request; return it as it leaves.

        Raises:
            MalformedError: nothing is said, too much, or an exemption for nothing that is known or for longer than a year.
            NotEnrolledError: there is no server.
            NoticeFirstError: the person has not been shown what is collected.
            CannotAskError: the server is older than this.
            StateError: nothing can be written; nothing was sent.
        """
        request = self._request(query)
        if not self._is_enrolled():
            raise NotEnrolledError
        if not self._takes():
            raise CannotAskError
        cleared = self._door.clear_request(request, uid)
        if cleared is None:
            raise NoticeFirstError
        with self._store.transaction():
            self._journal.append("request", request, request.at)
            self._outbox.add(cleared)
        return request

    def _request(self, query: AskQuery) -> Request:
        now, catalogue = self._clock.now(), self._catalogue()
        today = now.date()
        messenger = catalogue.called(query.messenger or "") if query.about == "exemption" else None
        if query.about == "exemption" and messenger is None:
            raise MalformedError(
                "An exemption is for a messenger.", "Name one, as in telegram.", "$.messenger"
            )
        if query.until is not None and not today <= query.until <= today + timedelta(days=DAYS_AT_MOST):
            raise MalformedError(
                f"{query.until} is not within a year from today.", "Choose another day.", "$.until"
            )
        return Request(
            request=secrets.token_hex(16),
            about=query.about,
            messenger=messenger,
            name=None if messenger is None else catalogue.name_of(messenger),
            until=query.until,
            lines=lines_of(query.text),
            at=now,
        )


def lines_of(text: str) -> tuple[str, ...]:
    r"""Return a text as the lines that it leaves in.

    Raises:
        MalformedError: it says nothing, or more than fits.

    >>> lines_of("  A client writes there.\n\nMay I answer?")
    ('A client writes there.', 'May I answer?')
    """
    lines = tuple(
        line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph.strip(), SHORT_CHARACTERS)
    )
    if not lines:
        raise MalformedError("Nothing was said.", "Say in a sentence what you ask for.", "$.text")
    if len(lines) > SENTENCES:
        at_most = SENTENCES * SHORT_CHARACTERS
        raise MalformedError(f"More than fits: about {at_most:,} characters do.", "Say it shorter.", "$.text")
    return lines
