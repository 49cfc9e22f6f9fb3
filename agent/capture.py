"""Whether a channel is captured just now, and why not: what its connectors said, under the capture rules of the policy in force.

    captures.of("telegram", "work").is_captured     False
    captures.of("telegram", "work").why_not         'LeapXpert, which retains its messages, was last heard from on 2026-11-20 at 10:15'

Connectors report in one of two ways, each a `Connectors`: an orchestration platform tells the server, which tells devices in its
sealed answers (`agent.reporting.told_connectors`); an application or a script fills a folder here (`agent.export_folders`).
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from agent.clock import Clock, ServerTime, best_time
from agent.policy_shelf import PolicyShelf
from contract.capture import Capture, Word, capture_of
from contract.policy import Profile


class Connectors(Protocol):
    """One way in which connectors report."""

    def words(self) -> Iterable[Word]:
        """Return what is known of each connector now; must cost next to nothing."""


class Captures:
    """Answers the question; never remembers an answer, so that each lapses by itself.

    Args:
        shelf: holds the policy in force.
        ways: in which connectors report.
        clock: the device's.
        server_time: what the clocks showed at the server's last sealed answer.
    """

    def __init__(
        self,
        shelf: PolicyShelf,
        ways: Sequence[Connectors],
        clock: Clock,
        server_time: Callable[[], ServerTime | None],
    ) -> None:
        self._shelf, self._ways, self._clock, self._server_time = shelf, ways, clock, server_time

    def of(self, messenger: str, profile: Profile) -> Capture:
        """Return whether a channel is captured now; times in it are in the device's own zone."""
        in_force = self._shelf.in_force
        if in_force is None or not in_force.policy.capture:
            return Capture(state="no_connector" if profile == "work" else "not_work")
        words = (word for way in self._ways for word in way.words())
        return self._here(capture_of(in_force.policy.capture, messenger, profile, words, self._at()))

    def is_captured(self, messenger: str) -> bool:
        """Tell whether what a messenger carries for work is retained now."""
        return self.of(messenger, "work").is_captured

    def _at(self) -> datetime:
        """Return the time as well as it is known; where no clock can be believed, that of the server's last answer.

        So nothing lapses by a clock in doubt; nor does anything become captured, since a word that is newer comes with an answer.
        """
        seen = self._server_time()
        at = best_time(self._clock, seen)
        if at is None and seen is not None:
            return seen.server
        return at or self._clock.now()

    def _here(self, capture: Capture) -> Capture:
        zone = self._clock.now().tzinfo
        heard, known = (
            None if moment is None else moment.astimezone(zone)
            for moment in (capture.heard_at, capture.known_at)
        )
        return msgspec.structs.replace(capture, heard_at=heard, known_at=known)
