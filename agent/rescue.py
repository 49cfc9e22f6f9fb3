"""A damaged state is set aside, not mourned: what can still be read goes on in a new one, and the rest is told of.

The copy that is set aside stays as it was found. What a device cannot go on without, its enrolment, also stands in a small file beside
the database. Without the numbers of its reports it asks the server which ones it has taken (see `CheckIns`).
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from agent.errors import StateError
from agent.private_file import write_private
from agent.store import TABLES, Store

SET_ASIDE_AT_MOST = 3
"""How many damaged states are kept; each was the whole state once."""
ENROLMENT_FACT = "enrolment"
SEQUENCE_FACT = "last_sequence"
SEQUENCE_LOST = "sequence_lost"
_PARTS = ("", "-wal", "-shm")


class Rescued(msgspec.Struct, frozen=True):
    """What was found damaged, and what goes on."""

    aside: Path
    carried_over: int
    """Rows of all tables."""
    has_lost_enrolment: bool


def rescue(file: Path, now: datetime) -> Rescued | None:
    """Set a damaged database aside and begin a new one with what can be read of it; None if it is whole or not there.

    Only whoever holds the state folder may do this.

    Raises:
        StateError: the folder cannot be written.
    """
    if not file.exists() or not is_damaged(file):
        return None
    try:
        aside = _set_aside(file, now)
        _forget_oldest(file)
        with _reading(aside) as damaged:
            return _carry_over(damaged, file, aside)
    except OSError as error:
        raise StateError(
            f"{file} is damaged and cannot be set aside ({error}).", "Free some space, or remove it."
        ) from error


def damage_sentence(rescued: Rescued) -> str:
    """Return what happened, in a sentence."""
    lost = " It has to be enrolled anew." if rescued.has_lost_enrolment else ""
    return f"It was set aside as {rescued.aside.name}; {rescued.carried_over:,} rows of it go on.{lost}"


def is_damaged(file: Path) -> bool:
    """Tell whether a database cannot be read through; one that is locked or out of reach is not damaged."""
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=5.0)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.OperationalError:
        return False
    except sqlite3.DatabaseError:
        return True


def keep_beside(file: Path, enrolment: str) -> None:
    """Keep the enrolment beside the database as well.

    Raises:
        StateError: the folder cannot be written.
    """
    try:
        write_private(_beside(file), enrolment)
    except OSError as error:
        raise StateError(f"{_beside(file)} cannot be written ({error}).", "Check its folder.") from error


def _beside(file: Path) -> Path:
    return file.with_name("enrolment.json")


def _set_aside(file: Path, now: datetime) -> Path:
    aside = file.with_name(f"{file.name}.damaged-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}")
    for part in _PARTS:
        with contextlib.suppress(FileNotFoundError):
            file.with_name(file.name + part).rename(aside.with_name(aside.name + part))
    return aside


def _forget_oldest(file: Path) -> None:
    kept = sorted(path for path in file.parent.glob(f"{file.name}.damaged-*Z"))
    for old in kept[:-SET_ASIDE_AT_MOST]:
        for part in _PARTS:
            old.with_name(old.name + part).unlink(missing_ok=True)


@contextlib.contextmanager
def _reading(aside: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy, since reading a database may write to it."""
    copy = aside.with_name("rescue.sqlite3")
    try:
        for part in _PARTS[:2]:
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(aside.with_name(aside.name + part), copy.with_name(copy.name + part))
        with contextlib.closing(sqlite3.connect(copy)) as database:
            yield database
    finally:
        for part in _PARTS:
            copy.with_name(copy.name + part).unlink(missing_ok=True)


def _carry_over(damaged: sqlite3.Connection, file: Path, aside: Path) -> Rescued:
    store = Store(file)
    try:
        with store.transaction():
            carried = sum(_carry_table(damaged, store, table) for table in TABLES)
            if store.fact(ENROLMENT_FACT) is None and _beside(file).exists():
                store.remember(ENROLMENT_FACT, _beside(file).read_text(encoding="utf-8"))
            is_enrolled = store.fact(ENROLMENT_FACT) is not None
            if is_enrolled and store.fact(SEQUENCE_FACT) is None:
                store.remember(SEQUENCE_LOST, "1")
        return Rescued(aside, carried, has_lost_enrolment=not is_enrolled)
    finally:
        store.close()


def _carry_table(damaged: sqlite3.Connection, store: Store, table: str) -> int:
    carried = 0
    for row in _readable(damaged, table):
        marks = ", ".join("?" * len(row))
        with contextlib.suppress(
            sqlite3.IntegrityError, sqlite3.InterfaceError
        ):  # a row that is not what it was
            carried += store.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", *row).rowcount  # noqa: S608 - our own tables
    return carried


def _readable(damaged: sqlite3.Connection, table: str) -> Iterable[tuple[object, ...]]:
    """Yield the rows before the damage, and those behind it, which are read from the end."""
    for order in ("ASC", "DESC"):
        try:
            # The very first page may be the damaged one.
            yield from (
                damaged.execute(f"SELECT * FROM {table} ORDER BY 1 {order}")  # noqa: S608 - our own tables
                if _exists(damaged, table)
                else ()
            )
        except (sqlite3.Error, UnicodeError):
            continue
        return


def _exists(damaged: sqlite3.Connection, table: str) -> bool:
    try:
        return damaged.execute(f"SELECT 1 FROM {table} LIMIT 1") is not None  # noqa: S608 - our own tables
    except sqlite3.Error:
        return False
