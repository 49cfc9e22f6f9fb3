"""`decorum-server create-admin`: the first person, or one more, or a new password for one."""

import argparse
import sys

from server.commands.frame import ready_identity
from server.errors import RequestError
from server.moments import utc_now


def run(arguments: argparse.Namespace) -> None:
    """Make a person an administrator; an existing one only gets a new password, if one is given."""
    ready_identity()
    from server.access import people  # noqa: PLC0415 - Django's models cannot be imported before it has started

    password = _password() if arguments.password_stdin else None
    outcome = people.make_administrator(arguments.name, password, utc_now())
    print(_SENTENCES[outcome].format(name=arguments.name))


_SENTENCES = {
    "created": "{name} is an administrator now.",
    "password_changed": "{name} has a new password.",
    "unchanged": "{name} is an administrator already; nothing was changed.",
}


def _password() -> str:
    password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise RequestError("Standard input held no password.", "Write it on the first line.")
    return password
