"""What commands need before they can work: Django, and a database that is up to date."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError, InterfaceError

from server import databases, state_folder
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
    with usable_database():
        pending = pending_migrations()
    if pending:
        raise ServerError("The database is not up to date.", "Run `decorum-server migrate` first.")
    from server.fleet import installation  # noqa: PLC0415 - Django's models cannot be imported before it has started

    installation.check(identity, state_folder.secret_key(state()))
    return identity


def pending_migrations() -> bool:
    """Tell whether the database lacks what this version of the server needs.

    Raises:
        DatabaseError: it does not answer.
    """
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def usable_database() -> Iterator[None]:
    """Say in a sentence why the database cannot be used, where it cannot.

    Raises:
        StateError: it is damaged, absent, or lets nobody in.
    """
    try:
        yield
    except (DatabaseError, InterfaceError, MigrationSchemaMissing) as error:
        cause = " ".join(str(error).split()).rstrip(".")
        remedy = "Restore it from its backup."
        if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
            remedy = f"See whether it runs, and whether {databases.VARIABLE} names it with the right user and password."
        raise StateError(f"The database cannot be used: {cause}.", remedy) from error
