"""The agent's state on disk: one SQLite database (WAL, full sync), so that what belongs together is written together.

Each table belongs to one module; this one owns the file, the schema and the transactions.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.errors import StateError

STATE_FILE = "state.sqlite3"
SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL,
    salt TEXT, body BLOB, digest TEXT NOT NULL, chain TEXT NOT NULL);
CREATE TABLE open_sighting (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sequence INTEGER UNIQUE, uid INTEGER, type TEXT NOT NULL,
    salt TEXT NOT NULL, body BLOB NOT NULL, digest TEXT NOT NULL, not_before TEXT NOT NULL);
CREATE TABLE ledger (
    number INTEGER PRIMARY KEY, type TEXT NOT NULL, uid INTEGER, outbox INTEGER UNIQUE, literal BLOB NOT NULL,
    first_attempt TEXT NOT NULL, attempts INTEGER NOT NULL, acknowledged TEXT);
CREATE INDEX ledger_waiting ON ledger (number) WHERE acknowledged IS NULL;
CREATE TABLE acknowledgement (id INTEGER PRIMARY KEY, at TEXT NOT NULL, sealed TEXT NOT NULL);
CREATE TABLE bundle (
    serial INTEGER PRIMARY KEY, sealed TEXT NOT NULL, certificates TEXT NOT NULL, applied TEXT NOT NULL);
CREATE TABLE reminder (
    id TEXT PRIMARY KEY, sighting TEXT NOT NULL, uid INTEGER NOT NULL, channel TEXT NOT NULL, body BLOB NOT NULL,
    profile TEXT NOT NULL, made TEXT NOT NULL, outcome TEXT, answered TEXT) WITHOUT ROWID;
"""
_ADDED = """
CREATE TABLE IF NOT EXISTS installed (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unretained (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS exposure (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS in_use (
    day TEXT NOT NULL, profile TEXT NOT NULL, uid INTEGER NOT NULL, messenger TEXT NOT NULL,
    PRIMARY KEY (day, profile, uid, messenger)) WITHOUT ROWID;
"""
"""What came later and takes nothing from an older program, which passes over it; so the form keeps its number."""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
TABLES = (
    "facts",
    "bundle",
    "journal",
    "open_sighting",
    "installed",
    "unretained",
    "exposure",
    "in_use",
    "outbox",
    "ledger",
    "acknowledgement",
    "reminder",
)


class Store:
    """Owns the database; never decides what goes into it.

    Args:
        file: the database; its folder is made if it is missing.

    Raises:
        StateError: the folder cannot be written, or the database is damaged or newer than this program.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = sqlite3.connect(file, isolation_level=None, timeout=5.0)
            file.chmod(0o600)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise StateError(
                f"{file} cannot be opened ({error}).", "Check its owner and the free space, or restore it."
            ) from error
        self._depth = 0
        self.is_damaged = False
        """Whether the file was found damaged since it was opened."""

    def _prepare(self) -> None:
        database = self._database
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("BEGIN IMMEDIATE")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StateError(
                f"The state was written by a newer Decorum (form {version}).", "Install the newer one again."
            )
        if version == 0:
            self._execute_each(_SCHEMA)
            database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self._execute_each(_ADDED)
        database.execute("COMMIT")

    def _execute_each(self, statements: str) -> None:
        for statement in filter(str.strip, statements.split(";\n")):
            self._database.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all of it or nothing; one inside another joins it.

        Raises:
            StateError: the disk is full or the database cannot be written; nothing of the transaction stays.
        """
        if self._depth:
            yield
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self._depth = 1
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._failed(error) from error
            raise
        finally:
            self._depth = 0

    def _failed(self, error: sqlite3.Error) -> StateError:
        if isinstance(error, sqlite3.DatabaseError) and error.sqlite_errorcode & 0xFF in _DAMAGE:
            self.is_damaged = True
            return StateError(
                f"It is damaged ({error}).", "Start the agent anew: it goes on with what is left."
            )
        return StateError(f"It cannot be written ({error}).", "Free some space on the disk.")

    def execute(self, statement: str, *values: object, **named: object) -> sqlite3.Cursor:
        """Run one statement with its values bound, by place or by name."""
        return self._database.execute(statement, named or values)

    def fact(self, name: str) -> str | None:
        """Return a single remembered value."""
        row = self.execute("SELECT value FROM facts WHERE name = ?", name).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str) -> None:
        """Keep a single value under a name."""
        self.execute(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value
        )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def peek(file: Path, name: str) -> str | None:
    """Return a remembered value of a database that another may hold, without writing anything; None if it cannot be had."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else str(row[0])
