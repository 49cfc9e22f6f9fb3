"""The last good policy, in force until a better one comes; whatever does not hold is refused and said so."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from agent.errors import DistrustError
from agent.journal import Journal
from agent.store import Store
from agent.trust import Trust, verify_bundle
from contract import wire
from contract.errors import MalformedError
from contract.messages import REPLY_LIMIT_BYTES, PolicyBundle
from contract.observations import PolicyAnswer

_REFUSED = "refused_bundle"


class Refused(msgspec.Struct, frozen=True):
    """The last bundle that was refused, so that it is reported once."""

    digest: str
    sentence: str


class PolicyShelf:
    """Owns the bundles; never changes what one says.

    Args:
        store: where bundles stay.
        journal: told of each that is applied or refused.
    """

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store, self._journal = store, journal
        self.in_force: PolicyBundle | None = None

    @property
    def serial(self) -> int:
        """The serial in force; 0 without a policy."""
        return 0 if self.in_force is None else self.in_force.serial

    def load(self, trust: Trust) -> None:
        """Put in force what is stored, if its seal still holds.

        Raises:
            DistrustError: the stored bundle was changed; none is in force.
        """
        row = self._store.execute(
            "SELECT sealed, certificates FROM bundle ORDER BY serial DESC LIMIT 1"
        ).fetchone()
        self.in_force = None
        if row is not None:
            self.in_force = verify_bundle(str(row[0]), _certificates(row[1]), trust, at=None)

    def is_expired(self, now: datetime | None) -> bool:
        """Tell whether the policy has run out; on a clock in doubt (None) nothing expires."""
        return self.in_force is not None and now is not None and self.in_force.expires_at <= now

    def refused(self) -> Refused | None:
        """Return the last bundle refused, unless a good one has come since."""
        text = self._store.fact(_REFUSED)
        return wire.decode(Refused, text.encode(), limit_bytes=REPLY_LIMIT_BYTES) if text else None

    def apply(
        self, sealed: str, certificates: Sequence[str], bundle: PolicyBundle, now: datetime
    ) -> PolicyAnswer | None:
        """Store a bundle that holds, in the caller's transaction; None if it is in force already.

        It is in force once the caller has loaded it, after the transaction.
        """
        self._store.remember(_REFUSED, "")
        if bundle.serial == self.serial:
            return None
        self._store.execute("DELETE FROM bundle")
        self._store.execute(
            "INSERT INTO bundle VALUES (?, ?, ?, ?)",
            bundle.serial,
            sealed,
            wire.encode(list(certificates)).decode(),
            now.isoformat(),
        )
        answer = PolicyAnswer(serial=bundle.serial, outcome="applied", reason="", at=now)
        self._journal.append("policy", answer, now)
        return answer

    def refuse(self, sealed: str, error: DistrustError, now: datetime) -> PolicyAnswer | None:
        """Record a bundle that does not hold, in the caller's transaction; None if it was refused before."""
        digest = wire.digest(sealed.encode())
        known = self.refused()
        if known is not None and known.digest == digest:
            return None
        self._store.remember(_REFUSED, wire.encode(Refused(digest, error.detail)).decode())
        answer = PolicyAnswer(serial=None, outcome="refused", reason=error.reason, at=now)
        self._journal.append("policy", answer, now)
        return answer


def _certificates(untrusted_text: object) -> list[str]:
    try:
        return wire.decode(list[str], str(untrusted_text).encode(), limit_bytes=REPLY_LIMIT_BYTES)
    except MalformedError as error:
        raise DistrustError(f"The stored policy is damaged: {error.detail}", "malformed") from error
