"""`decorum-server restore`: puts a backup into an empty state folder, and makes the records fit for devices that saw newer ones."""

import argparse
import os
from pathlib import Path

from django.db import connection

from server import backups, databases
from server.commands import after_restore, migrate
from server.commands.frame import start_django, state
from server.errors import RequestError


def run(arguments: argparse.Namespace) -> None:
    """Restore."""
    source, folder = Path(arguments.file), state()
    os.umask(0o077)
    start_django()
    manifest = backups.read_manifest(source)
    if not arguments.keys:
        _refuse_mixture(manifest)
    backups.unpack(source, folder, with_records=not arguments.keys)
    print(f"Restored what was backed up on {manifest.made_at:%Y-%m-%d at %H:%M} UTC.")
    if arguments.keys:
        print("Only keys: nothing was done to the records.")
        return
    migrate.run(argparse.Namespace(tenant=None, company=None))
    after_restore.run(arguments)


def _refuse_mixture(manifest: backups.Manifest) -> None:
    if manifest.has_records and connection.vendor != "sqlite":
        raise RequestError(
            f"The backup holds an SQLite database, but {databases.VARIABLE} names another.",
            "Unset it, or restore only the keys with --keys.",
        )
    if not manifest.has_records and connection.vendor == "sqlite":
        raise RequestError(
            "The backup holds keys only; its records are in PostgreSQL.",
            f"Restore them with pg_restore and name the database in {databases.VARIABLE}, or give --keys.",
        )
