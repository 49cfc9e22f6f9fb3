"""What the judge is told on this device: the policy in force, the time if it can be believed, and the device's own limits."""

from collections.abc import Callable
from datetime import datetime

from agent.clock import Clock, ServerTime, is_in_doubt
from agent.policy_shelf import PolicyShelf
from contract.judge import Circumstances, Subject, Verdict, judge
from contract.policy import Ownership, Policy, Rung


class Judging:
    """Asks the judge; never remembers a verdict.

    Args:
        shelf: holds the policy in force.
        clock: the device's.
        server_time: what the clocks showed at the server's last sealed answer.
        ownership: who owns the device.
        highest_rung: how far the device's settings let any rule go.
    """

    def __init__(
        self,
        shelf: PolicyShelf,
        clock: Clock,
        server_time: Callable[[], ServerTime | None],
        ownership: Ownership,
        highest_rung: Rung,
    ) -> None:
        self._shelf, self._clock, self._server_time = shelf, clock, server_time
        self._ownership: Ownership = ownership
        self._highest_rung: Rung = highest_rung

    @property
    def policy(self) -> Policy | None:
        """The policy in force."""
        return None if self._shelf.in_force is None else self._shelf.in_force.policy

    def believed_time(self) -> datetime | None:
        """Return the wall time, or None while it contradicts the server's."""
        return None if is_in_doubt(self._clock, self._server_time()) else self._clock.now()

    def is_policy_expired(self) -> bool:
        """Tell whether the policy has run out."""
        return self._shelf.is_expired(self.believed_time())

    def verdict(self, subject: Subject) -> Verdict:
        """Return the verdict as of now."""
        return judge(subject, self.policy, self._circumstances())

    def is_captured(self, messenger: str) -> bool:
        """Tell whether a messenger's messages are known to be retained now."""
        return messenger in self._circumstances().captured

    def _circumstances(self) -> Circumstances:
        at = self.believed_time()
        return Circumstances(
            at=at,
            ownership=self._ownership,
            policy_expired=self._shelf.is_expired(at),
            highest_rung=self._highest_rung,
        )
