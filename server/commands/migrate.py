"""`decorum-server migrate`: the state folder, the keys and the database, made or brought up to date."""

import argparse
import os
import secrets

from django.core.management import call_command

from server import state_folder
from server.commands.frame import start_django, state, usable_database
from server.fleet import partitions
from server.identity import establish
from server.moments import utc_now


def run(arguments: argparse.Namespace) -> None:
    """Set the server up; asked again, only what is new is done."""
    folder = state()
    state_folder.prepare(folder)
    identity = establish(folder, arguments.tenant, arguments.company, utc_now())
    if state_folder.read(folder / state_folder.SECRET_KEY) is None:
        state_folder.create(folder / state_folder.SECRET_KEY, secrets.token_urlsafe(50))
    os.umask(0o077)  # the database is as private as the keys
    start_django()
    with usable_database():
        call_command("migrate", interactive=False, verbosity=0)
        partitions.ensure(utc_now())
    print(f"Ready for {identity.tenant.company} ({identity.tenant.id}) in {folder}.")
    print(f"Root fingerprint: {identity.root_fingerprint}")
