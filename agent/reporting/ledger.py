"""The ledger: the literal list of everything that was sent from this device, written before it is sent.

It goes back as far as the policy's `retention.records_days`.
"""

import itertools
from collections.abc import Iterator
from datetime import datetime

from agent.reporting.comparison import LEAVING, QUESTION, Written
from agent.store import Store
from contract import wire
from contract.errors import MalformedError
from contract.local import LINE_LIMIT_BYTES, LedgerRow
from contract.observations import decode, sentence

FORGOTTEN_AT_ONCE = 1000
_ENVELOPE_BYTES = 1024
"""What stands around the rows in a line."""


class Ledger:
    """Owns the rows; a row is only ever marked as attempted again or as acknowledged."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write_heartbeat(self, literal: bytes, now: datetime) -> int:
        """Write a heartbeat that is about to leave; return its number."""
        return self._write("heartbeat", None, None, literal, now)

    def write_enrolment(self, literal: bytes, now: datetime) -> int:
        """Write an enrolment that is about to leave, its secret left out; return its number."""
        return self._write("enrolment", None, None, literal, now)

    def write_question(self, literal: bytes, now: datetime) -> int:
        """Write a question about what the server holds that is about to leave; return its number."""
        return self._write(QUESTION, None, None, literal, now)

    def write_leaving(self, literal: bytes, now: datetime) -> int:
        """Write a wish to leave that is about to be sent; return its number."""
        return self._write(LEAVING, None, None, literal, now)

    def written(self, after: int = 0) -> Iterator[Written]:
        """Give every row after a number, oldest first."""
        found = self._store.execute(
            "SELECT number, type, uid, literal, acknowledged IS NOT NULL FROM ledger WHERE number > ? ORDER BY number",
            after,
        )
        for number, kind, uid, literal, has_arrived in found:
            yield Written(number, kind, uid, bytes(literal), bool(has_arrived))

    def write_observation(
        self, outbox: int, kind: str, uid: int | None, literal: bytes, now: datetime
    ) -> None:
        """Write an observation that is about to leave, or count another attempt."""
        self._store.execute(
            "INSERT INTO ledger (type, uid, outbox, literal, first_attempt, attempts) VALUES (?, ?, ?, ?, ?, 1) "
            "ON CONFLICT (outbox) DO UPDATE SET attempts = attempts + 1",
            kind,
            uid,
            outbox,
            literal,
            now.isoformat(),
        )

    def _write(self, kind: str, uid: int | None, outbox: int | None, literal: bytes, now: datetime) -> int:
        cursor = self._store.execute(
            "INSERT INTO ledger (type, uid, outbox, literal, first_attempt, attempts) VALUES (?, ?, ?, ?, ?, 1)",
            kind,
            uid,
            outbox,
            literal,
            now.isoformat(),
        )
        return int(cursor.lastrowid or 0)

    def acknowledge(self, number: int, now: datetime) -> None:
        """Mark a heartbeat or enrolment as received."""
        self._store.execute(
            "UPDATE ledger SET acknowledged = ? WHERE number = ? AND acknowledged IS NULL",
            now.isoformat(),
            number,
        )

    def acknowledge_observation(self, outbox: int, now: datetime) -> None:
        """Mark an observation as received."""
        self._store.execute(
            "UPDATE ledger SET acknowledged = ? WHERE outbox = ? AND acknowledged IS NULL",
            now.isoformat(),
            outbox,
        )

    def forget_before(self, moment: datetime) -> None:
        """Forget the oldest rows that wait for nothing, a part at a time, in the caller's transaction."""
        found = self._store.execute(
            "SELECT number, coalesce(acknowledged, first_attempt) FROM ledger "
            "WHERE acknowledged IS NOT NULL OR outbox IS NULL ORDER BY number LIMIT ?",
            FORGOTTEN_AT_ONCE,
        )
        old = list(itertools.takewhile(lambda row: datetime.fromisoformat(row[1]) < moment, found))
        for number, _ in old:
            self._store.execute("DELETE FROM ledger WHERE number = ?", number)

    def rows(self, before: int | None, limit: int, uid: int | None) -> tuple[LedgerRow, ...]:
        """Return rows, newest first, as many as fit into one line of the local interface.

        Args:
            before: only rows with a smaller number.
            limit: how many at most.
            uid: only rows about this user or about the device itself; None for all.
        """
        found = self._store.execute(
            "SELECT number, type, literal, first_attempt, attempts, acknowledged FROM ledger "
            "WHERE (?1 IS NULL OR number < ?1) AND (?2 IS NULL OR uid IS NULL OR uid = ?2) "
            "ORDER BY number DESC LIMIT ?3",
            before,
            uid,
            limit,
        )
        rows: list[LedgerRow] = []
        room_bytes = LINE_LIMIT_BYTES - _ENVELOPE_BYTES
        for row in found:
            one = _row(*row)
            room_bytes -= len(wire.encode(one)) + 1
            if rows and room_bytes < 0:
                break
            rows.append(one)
        return tuple(rows)


def _row(
    number: int, kind: str, literal: bytes, first: str, attempts: int, acknowledged: str | None
) -> LedgerRow:
    return LedgerRow(
        number=number,
        type=kind,
        sentence=_sentence(kind, literal),
        literal=bytes(literal).decode(),
        first_attempt=datetime.fromisoformat(first),
        attempts=attempts,
        acknowledged=None if acknowledged is None else datetime.fromisoformat(acknowledged),
    )


def _sentence(kind: str, literal: bytes) -> str:
    if kind == "heartbeat":
        return "This device said that it is there."
    if kind == "enrolment":
        return "This device asked the server to take it in."
    if kind == LEAVING:
        return "This device asked the server to erase everything about it."
    if kind == QUESTION:
        return "This device asked what the server holds of it."
    try:
        return sentence(decode(bytes(literal)))
    except MalformedError:  # written by another version; what left is still shown, word for word
        return f"This device sent a report of the kind {kind}."
