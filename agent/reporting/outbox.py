"""The outbox: what may leave and has not been acknowledged yet. It takes only what the privacy door cleared.

A sequence number is given when a row first leaves, so that what waits for its hour leaves no gap that would tell of it. Salt,
digest and number then stay as they are, however often the row is sent again.
"""

import secrets
from datetime import UTC, datetime

import msgspec

from agent.privacy import Cleared
from agent.store import Store
from contract import wire
from contract.messages import LIMIT_BYTES, OBSERVATIONS_AT_MOST, salted_digest

BODY_BYTES_AT_MOST = LIMIT_BYTES // 2
"""How much of a request bodies may fill; the rest is for the seal, which base64 makes a third longer."""


class Waiting(msgspec.Struct, frozen=True):
    """A row that waits, with its number once it has one."""

    id: int
    sequence: int
    uid: int | None
    type: str
    salt: str
    body: bytes
    digest: str


class Outbox:
    """Owns the waiting rows and the device's sequence numbers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, cleared: Cleared) -> None:
        """Let an observation wait, in the caller's transaction."""
        salt, body = secrets.token_hex(16), wire.encode(cleared.observation)
        self._store.execute(
            "INSERT INTO outbox (uid, type, salt, body, digest, not_before) VALUES (?, ?, ?, ?, ?, ?)",
            cleared.uid,
            str(cleared.observation.__struct_config__.tag),
            salt,
            body,
            salted_digest(salt, body),
            _moment(cleared.not_before),
        )

    def due(self, now: datetime) -> tuple[Waiting, ...]:
        """Return the rows to send now, oldest first, each with its number, as many as one check-in takes.

        Numbers are given here, in the caller's transaction.
        """
        found = self._store.execute(
            "SELECT id, sequence, uid, type, salt, body, digest FROM outbox WHERE not_before <= ? OR sequence IS NOT NULL "
            "ORDER BY sequence IS NULL, sequence, id LIMIT ?",
            _moment(now),
            OBSERVATIONS_AT_MOST,
        ).fetchall()
        rows: list[Waiting] = []
        size_bytes = 0
        for row_id, sequence, uid, kind, salt, body, digest in found:
            size_bytes += len(body) + 200
            if rows and size_bytes > BODY_BYTES_AT_MOST:
                break
            number = self._number(row_id) if sequence is None else sequence
            rows.append(Waiting(row_id, number, uid, kind, salt, bytes(body), digest))
        return tuple(rows)

    def count_due(self, now: datetime) -> int:
        """Return how many rows may leave now."""
        row = self._store.execute(
            "SELECT count(*) FROM outbox WHERE not_before <= ? OR sequence IS NOT NULL", _moment(now)
        ).fetchone()
        return int(row[0])

    def next_due(self) -> datetime | None:
        """Return when the earliest waiting row may leave."""
        row = self._store.execute("SELECT min(not_before) FROM outbox").fetchone()
        return None if row[0] is None else datetime.fromisoformat(row[0])

    def remove(self, row: Waiting) -> None:
        """Forget a row that the server has taken."""
        self._store.execute("DELETE FROM outbox WHERE id = ?", row.id)

    def _number(self, row_id: int) -> int:
        number = int(self._store.fact("last_sequence") or 0) + 1
        self._store.remember("last_sequence", str(number))
        self._store.execute("UPDATE outbox SET sequence = ? WHERE id = ?", number, row_id)
        return number


def _moment(at: datetime) -> str:
    """Return a time as text that sorts."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
