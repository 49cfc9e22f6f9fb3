"""The command line `decorum-server`: understands what is asked, and says what went wrong in a sentence with its remedy.

Django is imported only by the commands themselves, so that `--help` is quick.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from contract.errors import DecorumError
from contract.version import VERSION
from server.configuration import DEFAULT_ADDRESS, STATE_VARIABLE
from server.errors import ConfigurationError

DONE, REFUSED = 0, 1
_EXITS = "Exit codes: 0 done; 1 refused or not possible, with the reason and its remedy; 2 wrong usage."
_COMMANDS = {
    "run": "server.commands.run",
    "migrate": "server.commands.migrate",
    "create-admin": "server.commands.create_admin",
    "login-link": "server.commands.login_link",
    "policy": "server.commands.policy",
    "catalogue": "server.commands.catalogue",
    "enrol-secret": "server.commands.enrol_secret",
    "keys": "server.commands.keys",
    "root-fingerprint": "server.commands.root_fingerprint",
    "extension": "server.commands.extension",
    "retention": "server.commands.retention",
    "backup": "server.commands.backup",
    "restore": "server.commands.restore",
    "after-restore": "server.commands.after_restore",
    "schema": "server.commands.schema",
}
_WITHOUT_STATE = frozenset({("catalogue", "lint"), ("schema", None)})
"""Commands, with their actions, that look at nothing of a server's own."""
OWN_PACKAGES = frozenset({"server", "contract", "extension"})


class Command(Protocol):
    """A module of `server.commands`."""

    def run(self, arguments: argparse.Namespace) -> None:
        """Do it; raise DecorumError where it cannot be done."""


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks, and return the exit code."""
    arguments = _parser().parse_args(words)
    try:
        asked = (arguments.command, getattr(arguments, "action", None))
        _choose_state(arguments.state, is_needed=asked not in _WITHOUT_STATE)
        _do(_COMMANDS[arguments.command], arguments)
    except DecorumError as error:
        print(f"decorum-server: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return REFUSED
    return DONE


def _do(module: str, arguments: argparse.Namespace) -> None:
    try:
        command: Command = importlib.import_module(module)
        command.run(arguments)
    except ModuleNotFoundError as error:
        part = (error.name or "").partition(".")[0]
        if part in OWN_PACKAGES:
            raise
        raise ConfigurationError(
            f"The package {part} is missing.", "Install Decorum again with its server (the extra server)."
        ) from error


def _choose_state(folder: str | None, *, is_needed: bool) -> None:
    """Settle the state folder and the settings before Django reads them; workers inherit both."""
    if folder:
        os.environ[STATE_VARIABLE] = folder
    if is_needed and not os.environ.get(STATE_VARIABLE):
        raise ConfigurationError(
            "No state folder is named.",
            f"Set {STATE_VARIABLE}, or give --state before the command.",
        )
    os.environ["DJANGO_SETTINGS_MODULE"] = "server.settings"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="decorum-server",
        description="Decorum's central server: takes in devices, publishes policies, shows compliance.",
        epilog=_EXITS,
    )
    parser.add_argument("--version", action="version", version=f"decorum-server {VERSION}")
    parser.add_argument("--state", help=f"folder for database and keys; default: ${STATE_VARIABLE}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run", help="serve the console and the devices until told to stop", epilog=_EXITS
    )
    run.add_argument(
        "--address", default=DEFAULT_ADDRESS, help="host:port to listen at; default: %(default)s"
    )
    run.add_argument("--workers", type=int, default=1, help="processes that answer; default: %(default)s")

    migrate = commands.add_parser(
        "migrate", help="set up the database and, the first time, tenant and keys", epilog=_EXITS
    )
    migrate.add_argument("--tenant", help="the company's short name, as in acme; only the first time counts")
    migrate.add_argument("--company", help="the company's name, as people read it")

    admin = commands.add_parser("create-admin", help="make a person an administrator", epilog=_EXITS)
    admin.add_argument("name", help="the name to sign in with")
    admin.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; without it, only login links open the console",
    )

    link = commands.add_parser(
        "login-link", help="print a link that signs a person in, once and within 15 minutes", epilog=_EXITS
    )
    link.add_argument("name", help="the name to sign in")
    link.add_argument("--base-url", help="the console's address; default: $DECORUM_SERVER_URL")

    _add_policy(commands.add_parser("policy", help="check, publish and list policies", epilog=_EXITS))

    _add_catalogue(
        commands.add_parser("catalogue", help="check and publish the list of known messengers", epilog=_EXITS)
    )

    secret = commands.add_parser(
        "enrol-secret", help="print a secret with which devices enrol; it is shown this once", epilog=_EXITS
    )
    secret.add_argument(
        "--uses", type=int, default=1, help="how many devices it takes in; default: %(default)s"
    )
    secret.add_argument("--days", type=int, default=7, help="how long it holds; default: %(default)s")
    secret.add_argument("--note", default="", help="what it is for")

    keys = commands.add_parser("keys", help="list the server's keys, or change one", epilog=_EXITS)
    key_actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    key_actions.add_parser("list", help="list the keys that the root has certified")
    change = key_actions.add_parser("rotate", help="change a key; the root key must be at hand")
    change.add_argument("use", choices=("policy", "server", "catalogue"), help="which one")

    commands.add_parser(
        "root-fingerprint", help="print the fingerprint that devices are given by MDM", epilog=_EXITS
    )
    extension = commands.add_parser(
        "extension", help="print what browsers and devices have to know of the extension", epilog=_EXITS
    )
    told = extension.add_subparsers(dest="action", required=True, metavar="ACTION")
    told.add_parser("id", help="print its id in Chromium browsers, the device setting web_extension")
    policy = told.add_parser("policy", help="print the policy that has a browser install it")
    policy.add_argument("browser", choices=("chrome", "chromium", "edge", "firefox"), help="which one")
    retention = commands.add_parser(
        "retention", help="erase what is older than the policy in force keeps it", epilog=_EXITS
    )
    retention.add_argument("--dry-run", action="store_true", help="only say what would be erased")
    retention.add_argument("--json", action="store_true", help="say it as JSON")
    backup = commands.add_parser(
        "backup", help="write keys and, with SQLite, the records to one file, while serving", epilog=_EXITS
    )
    backup.add_argument("file", help="the file to make; one that exists is never written over")
    restore = commands.add_parser(
        "restore", help="put a backup into an empty state folder, and go on from there", epilog=_EXITS
    )
    restore.add_argument("file", help="what `backup` has written")
    restore.add_argument("--keys", action="store_true", help="only the keys, for one more server")
    commands.add_parser(
        "after-restore",
        help="say that the database came back from a backup by other means, before serving again",
        epilog=_EXITS,
    )
    schema = commands.add_parser(
        "schema", help="print the schema of the way for devices or connectors (OpenAPI 3.1)", epilog=_EXITS
    )
    schema.add_argument(
        "of",
        nargs="?",
        choices=("devices", "connectors"),
        default="devices",
        help="whose way; default: %(default)s",
    )
    return parser


def _add_policy(policy: argparse.ArgumentParser) -> None:
    actions = policy.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="say whether a policy is valid, and what is wrong by its path")
    check.add_argument("file", help="the policy as TOML; - for standard input")
    apply = actions.add_parser("apply", help="publish a policy to every device, sealed under the next serial")
    apply.add_argument("file", help="the policy as TOML; - for standard input")
    actions.add_parser("list", help="list what was published, newest first")
    template = actions.add_parser("template", help="print a model policy to start from")
    template.add_argument("name", help="ban, restrict, records or orchestrate")


def _add_catalogue(catalogue: argparse.ArgumentParser) -> None:
    actions = catalogue.add_subparsers(dest="action", required=True, metavar="ACTION")
    lint = actions.add_parser(
        "lint", help="say everything that is wrong with it, and what to do; exit 1 if anything is"
    )
    lint.add_argument(
        "file",
        nargs="?",
        help="a file to check beside those that came with the server; one of the same name is put in its place",
    )
    lint.add_argument(
        "--overlay", metavar="FILE", help="your company's overlay, laid over them and checked alike"
    )
    publish = actions.add_parser(
        "publish",
        help="send the list that came with this server, with your company's overlay, to every device",
    )
    publish.add_argument(
        "--overlay",
        metavar="FILE",
        help="your company's own messengers and corrections as TOML; - for standard input; an empty one takes back what"
        " was published; without it, the one published before goes along again",
    )
    show = actions.add_parser("show", help="say what is published")
    show.add_argument("--overlay", action="store_true", help="print the published overlay as it was written")


if __name__ == "__main__":
    sys.exit(main())
