"""What commands need before they can work: Django, and a database that is up to date."""

import os
from pathlib import Path

import django
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError

from server.configuration import STATE_VARIABLE
from server.errors import ServerError, StateError
from server.identity import Identity, load


def state() -> Path:
    """Return the state folder, which the command line has settled before."""
    return Path(os.environ[STATE_VARIABLE]).absolute()


def start_django() -> None:
    """Load settings and applications.

    Raises:
        ConfigurationError: the environment holds a value that cannot be used.
        StateError: the state folder cannot be read.
    """
    django.setup()


def ready_identity() -> Identity:
    """Return who this server is, once everything is in place.

    Raises:
        ServerError: `decorum-server migrate` must run first, or the state is damaged.
    """
    start_django()
    identity = load(state())
    try:
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise StateError(f"The database cannot be used: {error}.", "Restore it from its backup.") from error
    if pending:
        raise ServerError("The database is not up to date.", "Run `decorum-server migrate` first.")
    return identity
