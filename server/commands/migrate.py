"""`decorum-server migrate`: the state folder, the keys and the database, made or brought up to date."""

import argparse
import os
import secrets
import time
from pathlib import Path

from django.db import connection

from server import schema, search, state_folder, web_extension
from server.commands.frame import start_django, state, usable_database
from server.fleet import partitions
from server.identity import TENANT_FILE, Identity, establish
from server.locks import only_one
from server.moments import utc_now


def run(arguments: argparse.Namespace) -> None:
    """Set the server up; asked again, only what is new is done."""
    folder = state()
    state_folder.prepare(folder)
    os.umask(0o077)  # the database is as private as the keys
    start_django()
    with usable_database(), only_one("migrate", folder, wait=True):
        identity = _made(folder, arguments)
    print(f"Ready for {identity.tenant.company} ({identity.tenant.id}) in {folder}.")
    print(f"Root fingerprint: {identity.root_fingerprint}")


def _made(folder: Path, arguments: argparse.Namespace) -> Identity:
    from server.fleet import installation  # noqa: PLC0415 - Django's models cannot be imported before it has started

    has_records = connection.vendor != "sqlite" or (folder / state_folder.DATABASE).exists()
    if has_records and state_folder.read(folder / TENANT_FILE) is None:
        installation.refuse_if_taken()
    identity = establish(folder, arguments.tenant, arguments.company, utc_now())
    web_extension.establish(folder)
    secret_key = state_folder.read(folder / state_folder.SECRET_KEY)
    if secret_key is None:
        secret_key = secrets.token_urlsafe(50)
        state_folder.create(folder / state_folder.SECRET_KEY, secret_key)
    schema.bring_up_to_date(time.sleep)
    partitions.ensure(utc_now())
    search.ensure()
    installation.claim(identity, secret_key)
    return identity
