"""Locks that hold between threads, processes and replicas, whatever the database.

SQLite lets one transaction write at a time (`transaction_mode` IMMEDIATE, see `server.databases`) and lives on one machine, so its
own lock and a file's are enough. PostgreSQL has advisory locks, which end with the transaction or the connection that holds them,
however that ends.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


def hold(name: str) -> None:
    """Wait until nobody else holds this name, and hold it until the caller's transaction ends.

    Raises:
        OperationalError: it took too long.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number(name)])


@contextmanager
def only_one(name: str, folder: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold a name for as long as the block lasts, over many transactions.

    Args:
        name: what only one process may do at a time.
        folder: the state folder, for the lock between processes that share it.
        wait: whether to wait for whoever holds it.

    Yields:
        Whether it is held now; never False when waiting.
    """
    with (folder / f".{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        if connection.vendor != "postgresql":
            yield True
            return
        with _session_lock(_number(name), wait=wait) as is_held:
            yield is_held


@contextmanager
def _session_lock(number: int, *, wait: bool) -> Iterator[bool]:
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(%s)", [number])
            cursor.execute("RESET lock_timeout")
            is_held = True
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
            (is_held,) = cursor.fetchone()
    try:
        yield is_held
    finally:
        if is_held and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _number(name: str) -> int:
    """Return the 64-bit number by which PostgreSQL knows a name."""
    return int.from_bytes(hashlib.sha256(f"decorum {name}".encode()).digest()[:8], "big", signed=True)
