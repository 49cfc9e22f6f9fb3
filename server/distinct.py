"""The different values of a column, found by leaping through its index from one to the next: few questions, however many rows."""

from typing import Any

from django.db import connection
from django.db.models import Model

AT_MOST = 500
"""A list that nobody would read is not made."""


def distinct(model: type[Model], name: str) -> list[Any]:
    """Return the different values, smallest first, without NULL.

    Args:
        model: whose table.
        name: a field that an index begins with; without one each value costs as much as reading the table.
    """
    quote = connection.ops.quote_name
    columns = {field.name: field.column for field in model._meta.concrete_fields}  # noqa: SLF001 - Django's documented way
    table, column = quote(model._meta.db_table), quote(columns[name])  # noqa: SLF001 - alike
    statement = (
        f"WITH RECURSIVE found(value) AS (SELECT min({column}) FROM {table} UNION ALL "  # noqa: S608 - names of our own
        f"SELECT (SELECT min({column}) FROM {table} WHERE {column} > found.value) FROM found WHERE found.value IS NOT NULL) "
        f"SELECT value FROM found WHERE value IS NOT NULL LIMIT {AT_MOST}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [value for (value,) in cursor.fetchall()]
