"""Tells people at the right moment and keeps what became of it. When and in which words is `agent.reminders`' to say."""

import secrets
from collections.abc import Callable, Collection, Iterable

from agent.clock import Clock
from agent.compliance import Sighting
from agent.errors import AgentError
from agent.journal import Journal
from agent.policy_shelf import PolicyShelf
from agent.privacy import Door
from agent.reminder_book import ReminderBook
from agent.reminders import Outcome, Past, compose, is_due
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract.catalogue import Catalogue
from contract.local import Reminder
from contract.observations import ReminderReceipt

Deliver = Callable[[int, Reminder], None]
"""Shows a reminder to a user, if a tray of theirs listens; otherwise it is shown when one comes."""


class UnknownReminderError(AgentError):
    """An answer to a reminder that this user never got."""

    title = "There is no such reminder"


class Reminding:
    """Owns the way of a reminder from its occasion to its receipt."""

    def __init__(
        self,
        store: Store,
        book: ReminderBook,
        journal: Journal,
        outbox: Outbox,
        door: Door,
        shelf: PolicyShelf,
        catalogue: Callable[[], Catalogue],
        clock: Clock,
        deliver: Deliver,
    ) -> None:
        self._store, self._book, self._journal, self._outbox = store, book, journal, outbox
        self._door, self._shelf, self._catalogue, self._clock = door, shelf, catalogue, clock
        self._deliver = deliver

    def consider(self, sightings: Iterable[Sighting]) -> None:
        """Tell whoever should be told about what runs.

        Raises:
            StateError: nothing can be written, so nobody is told: a receipt without its reminder would prove nothing.
        """
        bundle = self._shelf.in_force
        if bundle is None:
            return
        for sighting in sightings:
            now = self._clock.now()
            if not is_due(sighting, bundle.policy, self._book.past(sighting.uid), now):
                continue
            reminder = compose(sighting, bundle, self._catalogue(), secrets.token_hex(16), now)
            with self._store.transaction():
                self._book.write(reminder, sighting.uid, sighting.channel, sighting.side.profile)
                self._journal.append("reminder", reminder, now)
            self._deliver(sighting.uid, reminder)

    def unshown(self, uid: int) -> list[Reminder]:
        """Return a user's reminders that nobody has been shown."""
        return [past.reminder for past in self._book.unshown() if past.uid == uid]

    def expire(self, open_sightings: Collection[str]) -> bool:
        """Give up what was never shown about anything that has ended; tell whether there was anything.

        Raises:
            StateError: nothing can be written now; it is given up the next time.
        """
        orphans = [past for past in self._book.unshown() if past.reminder.sighting not in open_sightings]
        for past in orphans:
            self._settle(past, "expired")
        return bool(orphans)

    def answer(self, uid: int | None, reminder: str, outcome: Outcome) -> None:
        """Take a person's answer; a second one of the same kind changes nothing.

        Raises:
            UnknownReminderError: not this person's reminder.
        """
        past = self._book.find(reminder)
        if past is None or past.uid != uid:
            raise UnknownReminderError("It is not yours, or long over.", "Close it.")
        settled = past.outcome is not None and outcome == "shown"
        if past.outcome == outcome or settled or past.outcome == "expired":
            return
        self._settle(past, outcome)

    def _settle(self, past: Past, outcome: Outcome) -> None:
        now, reminder = self._clock.now(), past.reminder
        receipt = ReminderReceipt(
            reminder=reminder.reminder,
            rule=reminder.rule,
            policy_serial=reminder.policy_serial,
            language=reminder.language,
            text_digest=reminder.text_digest,
            outcome=outcome,
            at=now,
        )
        with self._store.transaction():
            self._book.answer(reminder.reminder, outcome, now)
            self._journal.append("reminder", receipt, now)
            cleared = self._door.clear_receipt(receipt, past.profile, past.uid)
            if cleared is not None:
                self._outbox.add(cleared)
