"""`decorum enrol`: has a server take this device in."""

import argparse
import json
import sys
from contextlib import closing

from agent.clock import SystemClock
from agent.commands import exits
from agent.commands.arguments import scope_of, settings_file_of, state_of
from agent.credentials.interface import choose
from agent.journal import Journal
from agent.reporting.enrolment import Enroller, assurance_of
from agent.reporting.ledger import Ledger
from agent.reporting.transport import HttpTransport
from agent.settings import Settings, load
from agent.store import STATE_FILE, Store
from agent.this_user import acting_as_owner_of
from contract.errors import MalformedError
from contract.settings_keys import HttpAddress
from contract.wire import convert


def execute(arguments: argparse.Namespace) -> int:
    """Enrol, and say where, and whom the device now believes."""
    settings = load(settings_file_of(arguments))
    server = _address(arguments.server, settings)
    asked = arguments.secret
    secret = sys.stdin.readline().strip() if asked == "-" else asked
    state = state_of(arguments)
    credentials = choose(settings.key_store, state)
    with acting_as_owner_of(state), closing(Store(state / STATE_FILE)) as store:
        enroller = Enroller(store, Journal(store), Ledger(store), credentials, HttpTransport(), SystemClock())
        enrolment = enroller.enrol(server, secret, settings, assurance_of(scope_of(arguments), settings))
    fingerprint = enrolment.trust.root.fingerprint
    if arguments.json:
        told = {"device": enrolment.device, "company": enrolment.company, "server": server}
        print(json.dumps({**told, "root_fingerprint": fingerprint, "root": enrolment.pinned}))
        return exits.COMPLIANT
    print(f"This device is enrolled with {enrolment.company} as {enrolment.device}.")
    print(credentials.describe())
    if enrolment.pinned == "met":
        print(f"No root_fingerprint was set, so the key that was met is believed from now on: {fingerprint}")
    return exits.COMPLIANT


def _address(asked: str | None, settings: Settings) -> str:
    address = asked or settings.server_url
    if address is None:
        raise MalformedError("No server is named.", "Name one with --server or the setting server_url.")
    if settings.values["server_url"].origin == "managed" and address.rstrip("/") != settings.server_url:
        raise MalformedError(
            f"Your administrator has set the server to {settings.server_url}.", "Leave out --server."
        )
    return convert(HttpAddress, address.rstrip("/"))
