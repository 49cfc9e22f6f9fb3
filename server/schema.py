"""Brings the database's schema up to date while servers of the version before go on serving.

A change of a table needs the table for itself for a moment. Whoever waits for that holds up everybody who comes later, so on
PostgreSQL it waits a moment only, lets the others pass, and tries again. That the version before can work with the newer schema is
what `tests/server/test_schema.py` asks of every migration.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.management import call_command
from django.db import OperationalError, connection, migrations
from psycopg.errors import DeadlockDetected, LockNotAvailable

from server.errors import ServerError

LOCK_SECONDS = 1
"""How long a change waits for a table, and others behind it."""
PAUSE_SECONDS = 0.5
TRIES = 120


class AddIndexWhileServing(migrations.AddIndex):
    """Makes an index without keeping anybody from writing; its migration must not be atomic, and the table not partitioned."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Make it; what an interrupted attempt left is removed first, since PostgreSQL would keep it as invalid."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.execute(
                f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}"
            )
            schema_editor.add_index(model, self.index, concurrently=True)


class AddTrigger(migrations.RunPython):
    """Lets the database itself note something in a table that is new: the version before writes as ever, and what it writes is noted, too.

    Args:
        on_postgresql: statements that can be run again, as CREATE OR REPLACE.
        on_sqlite: alike, IF NOT EXISTS.
    """

    def __init__(self, on_postgresql: Sequence[str], on_sqlite: Sequence[str]) -> None:
        self._constructor_args = (), {"on_postgresql": on_postgresql, "on_sqlite": on_sqlite}

        def add(_apps: Any, schema_editor: Any) -> None:
            is_postgresql = schema_editor.connection.vendor == "postgresql"
            for statement in on_postgresql if is_postgresql else on_sqlite:
                schema_editor.execute(statement)

        super().__init__(add, migrations.RunPython.noop)


def bring_up_to_date(pause: Callable[[float], None]) -> None:
    """Apply every migration that lacks. Each is whole or absent, so what was interrupted goes on with the next call.

    Args:
        pause: waits so many seconds.

    Raises:
        ServerError: somebody has held a table all the time.
    """
    if connection.vendor != "postgresql":
        call_command("migrate", interactive=False, verbosity=0)
        return
    for _ in range(TRIES):
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                raise
            pause(PAUSE_SECONDS)
        else:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
            return
    raise ServerError(
        "A table that has to be changed was in use all the time; nothing is half done.",
        "End what holds it (a long query, a backup), then run `decorum-server migrate` again.",
    )
