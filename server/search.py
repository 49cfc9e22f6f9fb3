"""Searching devices and the audit log: on PostgreSQL by groups of three letters, so that not every row is read (decision 0025).

SQLite, and a PostgreSQL whose user may not make the extension, search without it: more slowly, with the same outcome.
"""

from django.db import DatabaseError, connection, transaction
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedFile

EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
_DONE_WITHOUT = (FeatureNotSupported, InsufficientPrivilege, UndefinedFile)
"""The extension is not installed, or only an administrator of the database may make it."""


def _index(name: str, table: str, *columns: str) -> tuple[str, str]:
    words = ", ".join(f"upper({column}::text) gin_trgm_ops" for column in columns)
    return name, f"CREATE INDEX CONCURRENTLY {name} ON {table} USING gin ({words})"


INDEXES = (
    _index("audit_words", "access_auditentry", "actor", "subject", "detail", "address"),
    _index("device_words", "fleet_device", "name", "id"),
)
_IS_WHOLE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


def ensure() -> bool:
    """Make the indexes that can be made and are not there, while others write; tell whether they are there.

    Must not run in a transaction.
    """
    if connection.vendor != "postgresql":
        return False
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(EXTENSION)
    except DatabaseError as error:
        if isinstance(error.__cause__, _DONE_WITHOUT):
            return False
        raise
    with connection.cursor() as cursor:
        # It waits until all transactions that began before have ended, and nobody waits for it meanwhile.
        cursor.execute("SET lock_timeout = '10min'; SET maintenance_work_mem = '256MB'")
        for name, statement in INDEXES:
            cursor.execute(_IS_WHOLE, [name])
            if cursor.fetchone() != (True,):
                cursor.execute(
                    f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
                )  # what an interrupted attempt left
                cursor.execute(statement)
        cursor.execute("RESET lock_timeout; RESET maintenance_work_mem")
    return True
