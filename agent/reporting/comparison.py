"""Comparing the ledger with what the server holds: byte for byte, and every difference by name. Pure.

Both sides are heaps of texts. What lies in both is equal; what lies in one alone is a difference, unless it was erased there by
retention, forgotten here by age, or never arrived.
"""

import base64
from collections.abc import Iterable, Iterator

import msgspec

from contract import wire
from contract.local import DIFFERENCES_AT_MOST, Difference, LedgerComparison
from contract.messages import HeldCheckIn, HeldDevice, Holdings
from contract.wire import Moment


class Written(msgspec.Struct, frozen=True):
    """A row of the ledger, as far as it matters here."""

    number: int
    type: str
    uid: int | None
    literal: bytes
    has_arrived: bool


CHECK_IN, ENROLMENT, QUESTION, LEAVING = "heartbeat", "enrolment", "question", "leaving"
_NOT_KEPT = frozenset({CHECK_IN, ENROLMENT, QUESTION, LEAVING})
"""Of check-ins that report nothing the server keeps the newest, and of the others no text of their own."""


class Comparer:
    """Owns what has not found its counterpart yet.

    Args:
        rows: the whole ledger, oldest first.
    """

    def __init__(self, rows: Iterable[Written]) -> None:
        self._here: dict[str, list[Written]] = {}
        self._is_whole = self._has_met = False
        self.last = 0
        """The number of the newest row that was looked at."""
        self._equal = self._equal_check_ins = self._erased = self._older = 0
        self._unknown: list[str] = []
        self._about: HeldDevice | None = None
        for number, row in enumerate(rows):
            self._is_whole = self._is_whole or (number == 0 and row.type == ENROLMENT)
            self._here.setdefault(wire.digest(row.literal), []).append(row)
            self.last = row.number

    def catch_up(self, rows: Iterable[Written]) -> None:
        """Take the rows that were written meanwhile: the server may hold them already, and need not."""
        for row in rows:
            text = row.literal.decode(errors="replace")
            if text in self._unknown:
                self._unknown.remove(text)
                if row.type == CHECK_IN:
                    self._equal_check_ins += 1
                else:
                    self._equal += 1

    def take(self, part: Holdings) -> None:
        """Take a part of what the server holds."""
        self._about = self._about or part.about
        for held in part.check_ins:
            if self._met(_payload(held)):
                self._equal_check_ins += 1
            for report in held.reports:
                if report.body is None:
                    self._erased += 1
                elif self._met(report.body):
                    self._equal += 1

    def outcome(self, at: Moment) -> LedgerComparison:
        """Return what came of it."""
        left = [row for rows in self._here.values() for row in rows if row.type not in _NOT_KEPT]
        left.sort(key=lambda row: row.number)
        arrived = [row for row in left if row.has_arrived]
        # Only the digest is left of what was erased, so that it cannot be told which ones they were; the oldest go first.
        missing = arrived[self._erased :]
        return LedgerComparison(
            at=at,
            equal_reports=self._equal,
            equal_check_ins=self._equal_check_ins,
            erased_there=self._erased,
            forgotten_here=self._older,
            not_arrived=len(left) - len(arrived),
            missing_there=len(missing),
            unknown_here=len(self._unknown),
            about=self._about,
            differences=tuple(_differences(missing, self._unknown)),
        )

    def _met(self, text: str) -> bool:
        """Find the counterpart of what the server holds."""
        rows = self._here.get(wire.digest(text.encode()))
        if rows:
            rows.pop()
            self._has_met = True
            return True
        if self._has_met or self._is_whole:
            self._unknown.append(text)
        else:
            self._older += 1
        return False


def _differences(missing: Iterable[Written], unknown: Iterable[str]) -> Iterator[Difference]:
    count = 0
    for row in missing:
        if count < DIFFERENCES_AT_MOST:
            yield Difference(side="here", literal=row.literal.decode(errors="replace"), uid=row.uid)
        count += 1
    for text in unknown:
        if count < DIFFERENCES_AT_MOST:
            yield Difference(side="there", literal=text, uid=None)
        count += 1


def _payload(held: HeldCheckIn) -> str:
    """Return what a sealed check-in says; its seal is the server's to prove, the bytes are compared with ours."""
    parts = held.sealed.split(".")
    try:
        return base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode()
    except (IndexError, ValueError):
        return held.sealed
