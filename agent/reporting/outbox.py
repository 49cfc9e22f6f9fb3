"""The outbox: what may leave and has not been acknowledged yet. It takes only what the privacy door cleared.

A sequence number is given when a row first leaves, so that what waits for its hour leaves no gap that would tell of it. Salt,
digest and number then stay as they are, however often the row is sent again.

It is bounded. What it has to drop has no number yet, so that numbers never have a gap; a tombstone in its place says how many.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from agent.privacy import Cleared, Door
from agent.rescue import SEQUENCE_FACT
from agent.store import Store
from contract import wire
from contract.messages import LIMIT_BYTES, OBSERVATIONS_AT_MOST, salted_digest
from contract.observations import Tombstone, decode

BODY_BYTES_AT_MOST = LIMIT_BYTES // 2
"""How much of a request bodies may fill; the rest is for the seal, which base64 makes a third longer."""

LONGEST_WAIT = timedelta(hours=25)
"""A report waits for its hour or its day at most, and a day has 25 hours once a year. One that would wait for longer was given its
time by a clock that has been set since."""
ROOM_AFTER_DROPPING = 0.9
_DROPPED_FIRST = "CASE type WHEN 'sighting' THEN 0 WHEN 'receipt' THEN 2 ELSE 1 END"
"""Receipts are kept longest: they prove that somebody was told."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much may wait."""

    rows: int = 20_000
    size_bytes: int = 16 * 1024 * 1024
    age: timedelta = timedelta(days=90)


USUAL = Bounds()


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

    def __init__(self, store: Store, bounds: Bounds = USUAL) -> None:
        self._store, self._bounds = store, bounds

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

    def due(self, now: datetime | None) -> tuple[Waiting, ...]:
        """Return the rows to send now, oldest first, each with its number, as many as one check-in takes.

        Numbers are given here, in the caller's transaction. On a clock that nobody can believe (None) nothing becomes due.
        """
        found = self._store.execute(
            f"SELECT id, sequence, uid, type, salt, body, digest FROM outbox WHERE {_IS_DUE} "  # noqa: S608 - constant
            "ORDER BY sequence IS NULL, sequence, id LIMIT :limit",
            **_times(now),
            limit=OBSERVATIONS_AT_MOST,
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

    def count_due(self, now: datetime | None) -> int:
        """Return how many rows may leave now."""
        row = self._store.execute(
            f"SELECT count(*) FROM outbox WHERE {_IS_DUE}",  # noqa: S608 - constant
            **_times(now),
        ).fetchone()
        return int(row[0])

    def next_due(self) -> datetime | None:
        """Return when the earliest waiting row may leave."""
        row = self._store.execute("SELECT min(not_before) FROM outbox").fetchone()
        return None if row[0] is None else datetime.fromisoformat(row[0])

    def trim(self, now: datetime | None, door: Door, at: datetime) -> int:
        """Drop what the bounds do not hold, in the caller's transaction; return how many reports.

        Args:
            now: the time, if it can be believed; nothing grows old on a clock in doubt.
            door: clears the tombstone that says so.
            at: the wall time, for the tombstone.
        """
        doomed = [*self._too_old(now), *self._too_many()]
        doomed = list(dict.fromkeys(doomed))
        if doomed:
            for row_id, _ in doomed:
                self._store.execute("DELETE FROM outbox WHERE id = ?", row_id)
            self._bury([datetime.fromisoformat(not_before) for _, not_before in doomed], door, at)
        return len(doomed)

    def _too_old(self, now: datetime | None) -> Iterable[tuple[int, str]]:
        if now is None:
            return []
        return self._store.execute(
            f"SELECT id, not_before FROM outbox WHERE {_MAY_BE_DROPPED} AND not_before < ?",  # noqa: S608 - constant
            _moment(now - self._bounds.age),
        ).fetchall()

    def _too_many(self) -> Iterable[tuple[int, str]]:
        count, size_bytes = self._store.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM outbox"
        ).fetchone()
        if count <= self._bounds.rows and size_bytes <= self._bounds.size_bytes:
            return
        for row_id, not_before, length in self._store.execute(
            f"SELECT id, not_before, length(body) FROM outbox WHERE {_MAY_BE_DROPPED} ORDER BY {_DROPPED_FIRST}, id"  # noqa: S608 - constants
        ).fetchall():
            if (
                count <= self._bounds.rows * ROOM_AFTER_DROPPING
                and size_bytes <= self._bounds.size_bytes * ROOM_AFTER_DROPPING
            ):
                return
            count, size_bytes = count - 1, size_bytes - length
            yield row_id, not_before

    def _bury(self, dropped: list[datetime], door: Door, at: datetime) -> None:
        """Say how many were dropped: in the tombstone that waits already, or in a new one."""
        tombstone = Tombstone(
            count=len(dropped), first_due=min(dropped).date(), last_due=max(dropped).date(), at=at
        )
        not_before = max(dropped)
        waiting = self._store.execute(
            "SELECT id, body, not_before FROM outbox WHERE type = 'tombstone' AND sequence IS NULL"
        ).fetchone()
        if waiting is not None:
            row_id, body, its_not_before = waiting
            before = decode(bytes(body))
            if isinstance(before, Tombstone):
                tombstone = Tombstone(
                    count=before.count + tombstone.count,
                    first_due=min(before.first_due, tombstone.first_due),
                    last_due=max(before.last_due, tombstone.last_due),
                    at=at,
                )
            not_before = max(not_before, datetime.fromisoformat(its_not_before))
            self._store.execute("DELETE FROM outbox WHERE id = ?", row_id)
        self.add(door.clear_tombstone(tombstone, not_before))

    def go_on_after(self, number: int) -> None:
        """Give no number up to this one again, nor any that waits with its number, in the caller's transaction."""
        (waiting,) = self._store.execute("SELECT coalesce(max(sequence), 0) FROM outbox").fetchone()
        last = max(number, waiting, int(self._store.fact(SEQUENCE_FACT) or 0))
        self._store.remember(SEQUENCE_FACT, str(last))

    def remove(self, row: Waiting) -> None:
        """Forget a row that the server has taken."""
        self._store.execute("DELETE FROM outbox WHERE id = ?", row.id)

    def _number(self, row_id: int) -> int:
        number = int(self._store.fact(SEQUENCE_FACT) or 0) + 1
        self._store.remember(SEQUENCE_FACT, str(number))
        self._store.execute("UPDATE outbox SET sequence = ? WHERE id = ?", number, row_id)
        return number


_IS_DUE = "(sequence IS NOT NULL OR not_before <= :now OR not_before > :impossible)"
_MAY_BE_DROPPED = "sequence IS NULL AND type <> 'tombstone'"


def _times(now: datetime | None) -> dict[str, str]:
    if now is None:
        return {"now": "", "impossible": "~"}  # before and after every time as text
    return {"now": _moment(now), "impossible": _moment(now + LONGEST_WAIT)}


def _moment(at: datetime) -> str:
    """Return a time as text that sorts."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
