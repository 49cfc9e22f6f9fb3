"""How starts are noticed: by events once they are proven, otherwise by looking; and why.

In a namespace events may be silent, or tell of other processes, without an error. So they count only after start and end of a child
of our own were told, and again when they were silent while looking found something new. Where they leave a gap, as on macOS, looking
goes on beside them, and finding something new is no reason to doubt.
"""

import logging
from collections.abc import Callable
from typing import Protocol

import msgspec

from agent.sensing.process_events import NOTHING, OUTSIDE, Gap, NoEventsError, ProcessEvents, Told
from agent.sensing.processes import Changes
from contract.local import Noticing as Means

PROOF_SECONDS = 2.0
"""How long start and end of the child may take to be told."""
AGAIN_SECONDS, AGAIN_AT_MOST_SECONDS = 60.0, 3600.0
"""When events are tried again: after a minute, then each time after twice as long, up to an hour."""
NOT_YET = NoEventsError("Whether the system tells of starts is being tried.")
SILENT = NoEventsError("The system tells nothing of a child that was started to try it.", OUTSIDE)
_log = logging.getLogger(__name__)


class Child(Protocol):
    """A process of our own that ends by itself at once."""

    def start(self) -> int:
        """Start it and return its pid; raise OSError."""

    def collect(self) -> None:
        """End it if it still runs, and leave nothing of it behind."""


class Offer(msgspec.Struct, frozen=True):
    """What a system offers."""

    events: ProcessEvents | None
    child: Child
    why_not: str = "This system offers no events of processes."
    """Why there are no events."""


class Noticing:
    """Owns the choice between events and looking.

    Args:
        changed: called when the choice is another.
    """

    def __init__(self, offer: Offer, changed: Callable[[], None]) -> None:
        self._events, self._child, self._changed = offer.events, offer.child, changed
        self._why_not: NoEventsError | None = (
            NoEventsError(offer.why_not) if offer.events is None else NOT_YET
        )
        self._gap: Gap | None = None
        self._is_open = False
        self._child_pid: int | None = None
        self._child_started = False
        self._deadline = 0.0
        self._try_at, self._again_seconds = 0.0, AGAIN_SECONDS
        self._heard = False
        self._lost = 0

    @property
    def by_events(self) -> bool:
        """Whether events can be relied on now, and on nothing else."""
        return self._why_not is None and self._gap is None

    @property
    def tells_applications(self) -> bool:
        """Whether applications at least are told of."""
        return self._why_not is None and (self._gap is None or "applications" in self._gap.at_once)

    @property
    def means(self) -> Means:
        """How starts are noticed, as people are told."""
        if self._why_not is not None:
            return Means("polling", self._why_not.why, self._why_not.remedy, self._lost)
        if self._gap is not None:
            return Means("polling", self._gap.why, self._gap.remedy, self._lost, self._gap.at_once)
        return Means("events", lost=self._lost)

    def take(self, monotonic: float, wake: Callable[[], None]) -> Told:
        """Return what the system told since the last time, and find out whether it can be relied on."""
        if self._events is None or (not self._is_open and monotonic < self._try_at):
            return NOTHING
        if not self._is_open:
            self._open(self._events, monotonic, wake)
        if not self._is_open:
            return NOTHING
        told = self._events.take()
        self._lost += told.lost
        self._heard = self._heard or bool(told.happened) or told.lost
        if self._child_pid is not None:
            self._prove(self._child_pid, told, monotonic)
        self._decide(self._why_not)
        return told

    def follow(self, pids: frozenset[int]) -> None:
        """Be told when one of these ends, and of the end of a child that is being tried."""
        if self._events is not None and self._is_open:
            self._events.follow(pids if self._child_pid is None else None)

    def compare(self, changes: Changes, monotonic: float) -> None:
        """Doubt events that were silent while looking found something new."""
        if self._events is None or changes.untold is None or not self.by_events:
            return
        if changes.untold and not self._heard:
            self._begin_proof(self._events, monotonic)
        self._heard = False

    def close(self) -> None:
        """Listen no more."""
        if self._child_pid is not None:
            self._child.collect()
            self._child_pid = None
        if self._events is not None and self._is_open:
            self._events.close()
            self._is_open = False

    def _open(self, events: ProcessEvents, monotonic: float, wake: Callable[[], None]) -> None:
        try:
            events.open(wake)
        except NoEventsError as error:
            self._give_up(error, monotonic)
            return
        self._is_open = True
        self._begin_proof(events, monotonic)

    def _begin_proof(self, events: ProcessEvents, monotonic: float) -> None:
        events.follow(None)
        try:
            self._child_pid = self._child.start()
        except OSError as error:
            self._give_up(NoEventsError(f"No child could be started to try it: {error.strerror}."), monotonic)
            return
        self._child_started, self._deadline = False, monotonic + PROOF_SECONDS

    def _prove(self, pid: int, told: Told, monotonic: float) -> None:
        kind = told.happened.get(pid)
        self._child_started = self._child_started or kind in {"started", "passed"}
        if self._child_started and kind in {"ended", "passed"}:
            self._child.collect()
            self._child_pid, self._again_seconds = None, AGAIN_SECONDS
            self._decide(None)
        elif monotonic >= self._deadline:
            self._give_up(SILENT, monotonic)

    def _give_up(self, why_not: NoEventsError, monotonic: float) -> None:
        self.close()
        self._try_at = monotonic + self._again_seconds
        self._again_seconds = min(2 * self._again_seconds, AGAIN_AT_MOST_SECONDS)
        self._decide(why_not)

    def _decide(self, why_not: NoEventsError | None) -> None:
        before, self._why_not = self.means, why_not
        self._gap = None if self._events is None else self._events.gap
        if self.means != before:
            also = f", {' and '.join(self.means.at_once)} at once" if self.means.at_once else ""
            why = self.means.why or "the system tells of them"
            _log.info("starts are noticed by %s%s: %s", self.means.by, also, why)
            self._changed()
