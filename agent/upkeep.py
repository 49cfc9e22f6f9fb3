"""What is done once a minute so that nothing on the device grows without bound, and nothing is kept for longer than it is needed.

How long is the policy's to say (`retention.records_days`); nothing grows old on a clock that cannot be believed.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from agent.clock import Clock
from agent.daily_counts import DailyCounts
from agent.errors import StateError
from agent.journal import Journal
from agent.policy_shelf import PolicyShelf
from agent.privacy import Door
from agent.problems import Problems
from agent.reporting.ledger import Ledger
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract.policy import Retention

EVERY_SECONDS = 60.0


class Upkeep:
    """Owns the rhythm; each table's owner knows how to shorten it.

    Args:
        time: the time, if any clock can be believed.
        counts: tells of the days that are over.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        ledger: Ledger,
        outbox: Outbox,
        shelf: PolicyShelf,
        door: Door,
        clock: Clock,
        time: Callable[[], datetime | None],
        problems: Problems,
        counts: DailyCounts,
    ) -> None:
        self._store, self._journal, self._ledger, self._outbox = store, journal, ledger, outbox
        self._shelf, self._door, self._clock, self._time = shelf, door, clock, time
        self._problems, self._counts = problems, counts

    async def run(self) -> None:
        """Keep up until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            self.do()

    def do(self) -> None:
        """Do it once.

        Raises:
            StateError: the state was found damaged, by this or since the last time; the agent has to start anew.
        """
        if self._store.is_damaged:
            raise StateError("It is damaged.", "Start the agent anew: it goes on with what is left.")
        try:
            with self._store.transaction():
                self._shorten()
        except StateError as error:
            if self._store.is_damaged:
                raise
            self._problems.report("upkeep", error)
        else:
            self._problems.clear("upkeep")

    def _shorten(self) -> None:
        now, at = self._time(), self._clock.now()
        self._counts.settle(now)
        dropped = self._outbox.trim(now, self._door, at)
        if dropped:
            self._journal.append("agent", {"dropped": dropped}, at)
        if now is not None:
            kept_since = now - timedelta(days=self._retention().records_days)
            self._ledger.forget_before(kept_since)
            self._journal.forget_before(kept_since)

    def _retention(self) -> Retention:
        in_force = self._shelf.in_force
        return Retention() if in_force is None else in_force.policy.retention
