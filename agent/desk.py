"""The way of a fact through the agent: found, judged, recorded, told. Everything that changes the picture comes through here."""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from agent.clock import Clock
from agent.compliance import Compliance, Found, PageKey, Sighting, Transition
from agent.daily_counts import DailyCounts
from agent.errors import StateError
from agent.judging import Judging
from agent.policy_shelf import PolicyShelf
from agent.privacy import Door
from agent.problems import CANNOT_WRITE, Problems
from agent.recorder import Recorder
from agent.reminding import Reminding
from agent.sensing.process_source import ProcessKey


class Listeners(msgspec.Struct):
    """Who is told: `changed` when the picture is another, `report` when something waits to leave."""

    changed: Callable[[], None]
    report: Callable[[], None]


class Desk:
    """Owns the order of the steps; each step is another's."""

    def __init__(
        self,
        compliance: Compliance,
        judging: Judging,
        recorder: Recorder,
        reminding: Reminding,
        shelf: PolicyShelf,
        door: Door,
        clock: Clock,
        problems: Problems,
        listeners: Listeners,
        counts: DailyCounts,
    ) -> None:
        self._compliance, self._judging, self._recorder = compliance, judging, recorder
        self._reminding, self._shelf, self._door, self._clock = reminding, shelf, door, clock
        self._problems, self._listeners, self._counts = problems, listeners, counts
        self._was_expired = False
        self._lost_since: datetime | None = None

    def sightings(self) -> tuple[Sighting, ...]:
        """Return what runs now."""
        return self._compliance.sightings()

    def tracked_pids(self) -> frozenset[int]:
        """Return the pids of what runs now."""
        return self._compliance.tracked_pids()

    def take(
        self,
        found: Iterable[Found],
        gone: Iterable[ProcessKey | PageKey],
        became_other: Iterable[ProcessKey] = (),
    ) -> None:
        """Take what was noticed: found, gone, or a process that runs something else now."""
        now = self._clock.now()
        self._settle(self._compliance.take(found, gone, self._judging.verdict, now, became_other))

    def rejudge(self) -> None:
        """Judge everything again: time has gone by, or the policy is another."""
        expired = self._judging.is_policy_expired()
        if expired != self._was_expired:
            self._was_expired = expired
            self._listeners.changed()
        self._settle(self._compliance.rejudge(self._judging.verdict, self._clock.now()))

    def policy_changed(self, again: Iterable[Found] = ()) -> None:
        """Put a new policy to work: its ceiling first, then on which side things are, then its verdicts.

        Args:
            again: what runs, with the side that it has under the new policy.
        """
        policy = self._judging.policy
        self._door.lower(None if policy is None else policy.ceiling)
        self.take(again, ())
        self.rejudge()
        self._listeners.changed()

    def user_told(self, uid: int) -> None:
        """Report what a user runs, now that they know what is collected.

        Raises:
            StateError: nothing can be written.
        """
        self._report_open([sighting for sighting in self.sightings() if sighting.uid == uid])

    def ceiling_lost(self) -> None:
        """Let nothing leave until it is known again what may."""
        self._door.shut()
        self._lost_since = self._lost_since or self._clock.now()
        self._listeners.changed()

    def ceiling_found(self) -> None:
        """Go by the ceiling again, and report what runs and was started meanwhile.

        Raises:
            StateError: nothing can be written.
        """
        self._door.open_again()
        since, self._lost_since = self._lost_since, None
        if since is not None:
            self._report_open([sighting for sighting in self.sightings() if sighting.started >= since])

    def _report_open(self, sightings: Iterable[Sighting]) -> None:
        self._recorder.report_open(sightings, self._shelf.serial, self._clock.now())
        self._listeners.report()
        self._listeners.changed()

    def _settle(self, transitions: list[Transition]) -> None:
        report = False
        try:
            report = self._recorder.record(transitions, self._shelf.serial)
            now_open = self.sightings()
            self._counts.note(now_open, self._clock.now())
            report = self._reminding.expire({sighting.id for sighting in now_open}) or report
            self._reminding.consider(now_open)
            if self._problems.clear(CANNOT_WRITE):
                self._listeners.changed()
        except StateError as error:
            if self._problems.report(CANNOT_WRITE, error):
                self._listeners.changed()
        if report:
            self._listeners.report()
        if transitions:
            self._listeners.changed()
