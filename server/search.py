"""Searching devices and the audit log: on PostgreSQL by groups of three letters, so that not every row is read (decision 0025).

SQLite, and a PostgreSQL whose user may not make the extension, search without it: more slowly, with the same outcome.
"""

from django.db import DatabaseError, connection, transaction

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"


def _index(name: str, table: str, *columns: str) -> str:
    words = ", ".join(f"upper({column}::text) gin_trgm_ops" for column in columns)
    return f"CREATE INDEX IF NOT EXISTS {name} ON {table} USING gin ({words})"


INDEXES = (
    _index("audit_words", "access_auditentry", "actor", "subject", "detail", "address"),
    _index("device_words", "fleet_device", "name", "id"),
)


def ensure() -> bool:
    """Make the indexes that can be made and are not there; tell whether they are there."""
    if connection.vendor != "postgresql":
        return False
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(EXTENSION)
            cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
            for index in INDEXES:
                cursor.execute(index)
    except DatabaseError:
        return False  # the extension is not installed, or only an administrator of the database may make it
    return True
