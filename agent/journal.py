"""The journal: the agent's append-only record of what it decided.

The chain runs over salted digests, so that a body can be erased and the chain still verifies:

    digest = SHA-256(salt + body)        chain = SHA-256(chain before, time, kind, digest)

The oldest entries are forgotten in the end; the chain then begins where they ended.
"""

import itertools
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import msgspec

from agent.store import Store
from contract import wire
from contract.messages import salted_digest

Kind = Literal[
    "sighting",
    "installed",
    "unretained",
    "request",
    "daily_count",
    "reminder",
    "policy",
    "notice",
    "check_in",
    "enrolment",
    "trouble",
    "agent",
]
EMPTY_CHAIN = "0" * 64
FORGOTTEN_AT_ONCE = 1000
_FORGOTTEN_UP_TO = "journal_forgotten_up_to"


class Entry(msgspec.Struct, frozen=True):
    """One entry; salt and body are None once it was erased."""

    sequence: int
    at: str
    kind: str
    salt: str | None
    body: bytes | None
    digest: str
    chain: str


class Journal:
    """Owns the entries and their chain; never changes one, except to erase its body."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append(self, kind: Kind, body: object, at: datetime) -> None:
        """Write one entry, in the caller's transaction."""
        salt, encoded = secrets.token_hex(16), wire.encode(body)
        digest = salted_digest(salt, encoded)
        chain = _link(self.head(), at.isoformat(), kind, digest)
        self._store.execute(
            "INSERT INTO journal (at, kind, salt, body, digest, chain) VALUES (?, ?, ?, ?, ?, ?)",
            at.isoformat(),
            kind,
            salt,
            encoded,
            digest,
            chain,
        )

    def head(self) -> str:
        """Return the chain's newest link; 64 zeros while there is none."""
        row = self._store.execute("SELECT chain FROM journal ORDER BY sequence DESC LIMIT 1").fetchone()
        return self._beginning() if row is None else str(row[0])

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, oldest first."""
        for row in self._store.execute(
            "SELECT sequence, at, kind, salt, body, digest, chain FROM journal ORDER BY sequence"
        ):
            yield Entry(*row)

    def erase(self, sequence: int) -> None:
        """Erase one entry's body for good; its digest stays in the chain."""
        self._store.execute("UPDATE journal SET salt = NULL, body = NULL WHERE sequence = ?", sequence)

    def forget_before(self, moment: datetime) -> None:
        """Forget the oldest entries, a part at a time, in the caller's transaction; one that is younger keeps all after it."""
        found = self._store.execute(
            "SELECT sequence, at, chain FROM journal ORDER BY sequence LIMIT ?", FORGOTTEN_AT_ONCE
        )
        old = list(itertools.takewhile(lambda row: _is_before(row[1], moment), found))
        if old:
            sequence, _, chain = old[-1]
            self._store.execute("DELETE FROM journal WHERE sequence <= ?", sequence)
            self._store.remember(_FORGOTTEN_UP_TO, str(chain))

    def first_broken(self) -> int | None:
        """Return the sequence of the first entry that does not fit the chain; None if all do."""
        chain = self._beginning()
        for entry in self.entries():
            chain = _link(chain, entry.at, entry.kind, entry.digest)
            if chain != entry.chain or not _is_whole(entry):
                return entry.sequence
        return None

    def _beginning(self) -> str:
        return self._store.fact(_FORGOTTEN_UP_TO) or EMPTY_CHAIN


def _is_before(at: object, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(at)) < moment
    except (TypeError, ValueError):  # changed by hand: kept, so that it shows
        return False


def _is_whole(entry: Entry) -> bool:
    if entry.salt is None or entry.body is None:
        return True  # erased
    try:
        return salted_digest(entry.salt, entry.body) == entry.digest
    except (TypeError, ValueError):  # whoever changes the file by hand need not keep to its types
        return False


def _link(before: str, at: str, kind: str, digest: str) -> str:
    return wire.digest(f"{before} {at} {kind} {digest}".encode())
