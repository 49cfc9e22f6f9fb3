"""`decorum-server backup`: one private file with keys and, on SQLite, the records, taken while the server serves."""

import argparse
from pathlib import Path

from django.db import connection

from server import backups
from server.commands.frame import ready_identity, state
from server.moments import utc_now


def run(arguments: argparse.Namespace) -> None:
    """Write it."""
    identity = ready_identity()
    with_records = connection.vendor == "sqlite"
    backups.write(Path(arguments.file), state(), identity, utc_now(), with_records=with_records)
    what = "keys and records" if with_records else "keys; back up the PostgreSQL database with pg_dump"
    print(f"{arguments.file} holds {what}. Keep it as safe as the keys themselves.")
