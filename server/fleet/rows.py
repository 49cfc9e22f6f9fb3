"""Many rows in one statement, on either database. A row is a struct whose fields are columns of a model's table.

Django's own way builds an object and a piece of SQL for every value, which costs several times what the database does (decision 0029).
PostgreSQL takes all rows as one JSON value; SQLite, which is in this process, takes one row after the other.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from django.db import connection, models

Row = TypeVar("Row", bound=msgspec.Struct)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Let statements whose answer nobody reads go ahead without waiting for it; an error of theirs comes by the end of the block.

    PostgreSQL's pipeline mode; SQLite is in this process, and never makes anybody wait for an answer.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def of(kind: type[Row], record: models.Model) -> Row:
    """Return a record's values as a row."""
    return kind(**{name: getattr(record, name) for name in kind.__struct_fields__})


def insert(model: type[models.Model], rows: Sequence[msgspec.Struct], conflict: str = "") -> None:
    """Insert rows of one kind, in the caller's transaction.

    Args:
        model: whose table.
        rows: what to insert.
        conflict: an ON CONFLICT clause, for rows that may be there.
    """
    if not rows:
        return
    head, values = _insertion(model, rows[0].__struct_fields__, connection.vendor)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"{head} {values} {conflict}", [_json(rows)])
        else:
            cursor.executemany(f"{head} {values} {conflict}", [_values(row) for row in rows])


def insert_returning(
    model: type[models.Model], rows: Sequence[msgspec.Struct], conflict: str, returning: str
) -> list[tuple[Any, ...]]:
    """Insert as `insert` does, and return these columns of each row, in no order that can be relied upon."""
    if not rows:
        return []
    head, values = _insertion(model, rows[0].__struct_fields__, connection.vendor)
    statement = f"{head} {values} {conflict} RETURNING {returning}"
    given: Iterable[list[Any]] = [[_json(rows)]] if connection.vendor == "postgresql" else map(_values, rows)
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for parameters in given:
            cursor.execute(statement, parameters)
            found += cursor.fetchall()
    return found


def update(model: type[models.Model], rows: Sequence[msgspec.Struct]) -> None:
    """Update the records whose primary key is each row's first field, in the caller's transaction."""
    if not rows:
        return
    key, *columns = rows[0].__struct_fields__
    table = model._meta.db_table  # noqa: SLF001 - Django's documented way to a table's name
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            changes = ", ".join(f"{name} = new.{name}" for name in columns)
            given = given_as(model, (key, *columns))
            cursor.execute(
                f"UPDATE {table} SET {changes} FROM {given} WHERE {table}.{key} = new.{key}",  # noqa: S608 - our own names
                [_json(rows)],
            )
        else:
            changes = ", ".join(f"{name} = %s" for name in columns)
            cursor.executemany(
                f"UPDATE {table} SET {changes} WHERE {key} = %s",  # noqa: S608 - our own names
                [[*values[1:], values[0]] for values in map(_values, rows)],
            )


def overwriting(columns: Iterable[str]) -> str:
    """Return the part of an ON CONFLICT clause that takes these columns from the new row."""
    return "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns)


@lru_cache
def given_as(model: type[models.Model], columns: tuple[str, ...]) -> str:
    """Return how PostgreSQL reads rows out of one JSON parameter, as a table named `new`."""
    types = (f"{name} {_type(model, name)}" for name in columns)
    return f"json_to_recordset(%s) AS new ({', '.join(types)})"


@lru_cache
def _insertion(model: type[models.Model], columns: tuple[str, ...], vendor: str) -> tuple[str, str]:
    head = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"  # noqa: SLF001 - as above
    if vendor != "postgresql":
        return head, f"VALUES ({', '.join(['%s'] * len(columns))})"
    read = (f"decode(new.{name}, 'base64')" if _is_bytes(model, name) else f"new.{name}" for name in columns)
    return head, f"SELECT {', '.join(read)} FROM {given_as(model, columns)}"  # noqa: S608 - our own names


def _type(model: type[models.Model], column: str) -> str:
    return "text" if _is_bytes(model, column) else str(_field(model, column).db_type(connection))


def _is_bytes(model: type[models.Model], column: str) -> bool:
    """JSON has no bytes; msgspec writes them as base64."""
    return isinstance(_field(model, column), models.BinaryField)


def _field(model: type[models.Model], column: str) -> "models.Field[Any, Any]":
    return next(field for field in model._meta.concrete_fields if field.attname == column)  # noqa: SLF001 - as above


def _json(rows: Sequence[msgspec.Struct]) -> str:
    return msgspec.json.encode(rows).decode()


def _values(row: msgspec.Struct) -> list[Any]:
    """Return a row's values as Django writes them to SQLite."""
    return [
        value if (written := _WRITTEN.get(type(value))) is None else written(value)
        for value in msgspec.structs.astuple(row)
    ]


_WRITTEN: dict[type, Callable[[Any], str]] = {
    datetime: lambda value: str(value.astimezone(UTC).replace(tzinfo=None)),
    date: str,
    list: json.dumps,
}
