"""The observations' partitions on PostgreSQL: one for each month (UTC), made ahead, and one for what has no other.

Nothing is ever refused for lack of a partition: a row whose month has none goes to the last one, and moves once its month is made.
On SQLite the table is a plain one, and there is nothing to do here.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, transaction

from server.locks import hold

TABLE = "fleet_receivedobservation"
REST = f"{TABLE}_other"
MONTHS_AHEAD = 2
_NAME = re.compile(rf"{TABLE}_(\d{{4}})_(\d{{2}})")
_MONTHS_IN_REST = f"SELECT DISTINCT date_trunc('month', received_at AT TIME ZONE 'UTC')::date FROM {REST}"  # noqa: S608 - our own name
# A check-in locks its device first. So does this, and nobody waits for each other in a circle; nor does everybody wait for long.
_STOP_CHECK_INS = (
    "SET LOCAL lock_timeout = '5s'",
    f"LOCK TABLE fleet_device, fleet_checkinrecord, {TABLE} IN ACCESS EXCLUSIVE MODE",
)


def is_partitioned() -> bool:
    """Tell whether this database has partitions at all."""
    return connection.vendor == "postgresql"


def name_of(month: date) -> str:
    """Return the name of a month's partition.

    >>> name_of(date(2026, 3, 1))
    'fleet_receivedobservation_2026_03'
    """
    return f"{TABLE}_{month:%Y_%m}"


def following(month: date, count: int = 1) -> date:
    """Return the first day of the month that many months later.

    >>> following(date(2026, 11, 1), 2)
    datetime.date(2027, 1, 1)
    """
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def months() -> tuple[date, ...]:
    """Return the months that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass",
            [TABLE],
        )
        found = [_NAME.fullmatch(name) for (name,) in cursor.fetchall()]
    return tuple(sorted(date(int(one[1]), int(one[2]), 1) for one in found if one))


def ensure(now: datetime) -> tuple[date, ...]:
    """Make the partitions of this month, of the next ones, and of what lies in the last one; return those made.

    Raises:
        OperationalError: the tables are in use for too long; nothing was made, and it can be tried again.
    """
    if not is_partitioned():
        return ()
    with transaction.atomic():
        lacking = _lacking(now)
        if not lacking:
            return ()
        hold("partitions")
        lacking = _lacking(now)  # somebody else may have made them meanwhile
        if lacking:
            _make(lacking)
    return lacking


def before(cutoff: datetime) -> tuple[date, ...]:
    """Return the months that have a partition and ended before a time."""
    return tuple(month for month in months() if _start(following(month)) <= cutoff)


def drop(month: date) -> int:
    """Drop a month's partition with all that is in it, and return how many observations that were.

    Raises:
        OperationalError: as `ensure`.
    """
    name = name_of(month)
    with transaction.atomic(), connection.cursor() as cursor:
        _execute(cursor, _STOP_CHECK_INS)
        cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 - our own name
        (count,) = cursor.fetchone()
        cursor.execute(f"DROP TABLE {name}")
    return int(count)


def _lacking(now: datetime) -> tuple[date, ...]:
    this = now.astimezone(UTC).date().replace(day=1)
    wanted = {following(this, count) for count in range(MONTHS_AHEAD + 1)}
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS_IN_REST)
        wanted |= {month for (month,) in cursor.fetchall()}
    return tuple(sorted(wanted - set(months())))


def _make(lacking: Iterable[date]) -> None:
    with connection.cursor() as cursor:
        _execute(cursor, _STOP_CHECK_INS)
        for month in lacking:
            name, first, end = name_of(month), _start(month), _start(following(month))
            _execute(
                cursor,
                (
                    f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING DEFAULTS)",
                    (
                        f"WITH moved AS (DELETE FROM {REST} WHERE received_at >= '{first}' AND received_at < '{end}' "  # noqa: S608
                        f"RETURNING *) INSERT INTO {name} SELECT * FROM moved"
                    ),
                    # The database's own guard against the same thing twice, as far as one can reach: within a month.
                    f"CREATE UNIQUE INDEX {name}_once ON {name} (device_id, sequence, digest)",
                    f"CREATE UNIQUE INDEX {name}_taken ON {name} (device_id, sequence) WHERE NOT is_fork",
                    f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')",
                ),
            )


def _start(month: date) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def _execute(cursor: Any, statements: Iterable[str]) -> None:
    for statement in statements:
        cursor.execute(statement)
