"""`decorum leave`: the owner of a device takes it out for good. The server erases what it holds, then all of it goes here."""

import argparse
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from agent.browsers import native_manifests
from agent.clock import SystemClock
from agent.commands import exits
from agent.commands.arguments import scope_of, settings_file_of, socket_of, state_of
from agent.commands.browsers import remove_placed
from agent.commands.printing import print_json
from agent.credentials.interface import CredentialStore, choose
from agent.errors import AgentError, NotEnrolledError, NotYoursError, StateError, UnreachableError
from agent.folders import work_folder
from agent.launching import menu_entry
from agent.localapi.client import LocalClient
from agent.lock import FolderLock
from agent.reporting.enrolment import current_enrolment
from agent.reporting.leaving import Leaver
from agent.reporting.ledger import Ledger
from agent.reporting.seals import Seals
from agent.reporting.transport import HttpTransport
from agent.settings import load
from agent.store import STATE_FILE, Store
from agent.this_user import acting_as_owner_of
from contract.errors import MalformedError
from contract.local import Nothing
from contract.messages import Left
from contract.places import THIS_SYSTEM

WORD = "leave"
STOPPING_SECONDS = 15.0
_ASK_AGAIN_SECONDS = 0.1


def execute(arguments: argparse.Namespace) -> int:
    """Ask, have the server erase, erase here, and say what is gone."""
    settings = load(settings_file_of(arguments))
    if settings.ownership != "personal":
        raise NotYoursError
    state = state_of(arguments)
    if not (state / STATE_FILE).exists():
        raise NotEnrolledError
    if not arguments.yes:
        _confirm()
    credentials = choose(settings.key_store, state)
    with acting_as_owner_of(state):
        left = _leave(state, credentials, anyway=arguments.anyway)
        _end_agent(arguments, state)
        credentials.forget()
    shutil.rmtree(state)
    for one in native_manifests(THIS_SYSTEM, scope_of(arguments), "", "", str(Path.home())):
        with contextlib.suppress(OSError):  # an administrator's stay where they are
            remove_placed(one)
    menu_entry.remove_all(menu_entry.own_menu(os.environ, Path.home()))
    _remove_settings(arguments)
    if arguments.json:
        print_json(left)
    else:
        _say(left, state)
    return exits.COMPLIANT


def _confirm() -> None:
    print(
        "Your company's server erases everything it holds about this device, and everything that Decorum keeps here goes, too.\n"
        "Your company sees that a device has left. What it asks of you, it asks of you then without Decorum."
    )
    if not sys.stdin.isatty():
        raise MalformedError("Nobody is there to be asked.", "Add --yes.")
    if input(f"Type {WORD} to go on: ").strip() != WORD:
        raise MalformedError("Nothing was done.", f"Type {WORD}, or add --yes.")


def _leave(state: Path, credentials: CredentialStore, *, anyway: bool) -> Left | None:
    with closing(Store(state / STATE_FILE)) as store:
        enrolment = current_enrolment(store)
        if enrolment is None:
            raise NotEnrolledError
        leaver = Leaver(store, Ledger(store), Seals(store, credentials), HttpTransport(), SystemClock())
        left = None
        try:
            left = leaver.leave(enrolment)
        except AgentError as error:
            if not anyway and isinstance(error, UnreachableError):
                remedy = "Nothing was erased. Try again later; --anyway erases what is here although the server was not told."
                raise UnreachableError(error.detail, remedy) from error
            if not anyway:
                raise
            print(f"decorum: the server was not told: {error}", file=sys.stderr)
        leaver.remember()
    return left


def _end_agent(
    arguments: argparse.Namespace, state: Path, pause: Callable[[float], None] = time.sleep
) -> None:
    """Wait until no agent uses the folder; one that runs looks for what was remembered when it is asked to check in."""
    with contextlib.suppress(AgentError), LocalClient(str(socket_of(arguments)), os.environ) as client:
        client.ask("check_in", Nothing(), Nothing)
    waited = 0.0
    while True:
        try:
            FolderLock(state).release()
        except StateError:
            if waited >= STOPPING_SECONDS:
                raise
            pause(_ASK_AGAIN_SECONDS)
            waited += _ASK_AGAIN_SECONDS
        else:
            return


def _remove_settings(arguments: argparse.Namespace) -> None:
    """Remove a person's own settings; an administrator's are not theirs to remove, and a file that was named stays."""
    file = settings_file_of(arguments)
    if file is None or scope_of(arguments) == "system" or arguments.settings is not None:
        return
    with contextlib.suppress(OSError):
        file.unlink()
        file.parent.rmdir()


def _say(left: Left | None, state: Path) -> None:
    if left is not None:
        print(
            f"The server has erased {left.reports} reports and {left.check_ins} check-ins, and no longer knows this device."
        )
    print(f"{state} and the device's key are gone. Decorum itself stays until you uninstall it.")
    if work_folder().exists():
        print(f"What messengers kept for work is yours to keep or delete: {work_folder()}.")
