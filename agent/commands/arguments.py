"""The options of `decorum`, and what they mean on this machine."""

import argparse
import os
from datetime import date
from pathlib import Path
from typing import Literal

from agent.commands.exits import epilog
from agent.folders import folders_of, work_folder
from agent.managed.files import DROP_INS, MANAGED_FILE
from agent.this_user import is_administrator, own_uid
from contract.places import SOCKET_VARIABLE, SYSTEM_SOCKET, Scope, user_socket
from contract.version import VERSION

INSTALLERS_DROP_IN = MANAGED_FILE.parent / DROP_INS / "50-install.toml"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="decorum",
        description="Keeps instant messaging on this device inside the company's policy, without reading messages.",
        epilog=epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"decorum {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = _add(commands, "run", "Run the agent in the foreground.")
    _add_places(run)
    run.add_argument("--socket", help="where to listen (default: the scope's usual place)")
    run.add_argument("--verbose", action="store_true", help="log what is done, not only what goes wrong")

    enrol = _add(commands, "enrol", "Have a server take this device in.")
    _add_places(enrol)
    enrol.add_argument("--server", help="the server's address (default: the setting server_url)")
    enrol.add_argument(
        "--secret", help="the enrolment secret; `-` reads it from standard input", required=True
    )

    _add_asking(_add(commands, "status", "Say whether this device is in line with the policy."))
    _add_ledger(commands)

    _add_identify(commands)
    _add_open(commands)
    _add_hand_over(commands)
    _add_ask(commands)
    _add_leave(commands)
    policy = commands.add_parser("policy", help="Show the policy in force, or check one.").add_subparsers(
        dest="policy_command", required=True, metavar="COMMAND"
    )
    show = _add(policy, "show", "Show the policy in force as people read it.")
    show.add_argument("--language", default="en", help="as in en or de-CH (default: en)")
    _add_asking(show)
    check = _add(policy, "check", "Check a policy written as TOML.")
    check.add_argument("file", type=Path, metavar="FILE")

    doctor = _add(
        commands, "doctor", "Say whether Decorum is well on this device, and what to do where it is not."
    )
    _add_places(doctor)
    _add_asking(doctor)

    service = commands.add_parser(
        "service", help="Have Windows or macOS start the agent by itself, or no more."
    ).add_subparsers(dest="service_command", required=True, metavar="COMMAND")
    for name, sentence in (
        ("install", "Set it up, and start it."),
        ("remove", "Stop it, and take it away; its state stays."),
        ("run", "Be what the system starts; people use `decorum run`."),
    ):
        _add_scope(_add(service, name, sentence))

    provision = _add(commands, "provision", "Write down what an installer was given; installers run it.")
    _add_scope_and_state(provision)
    provision.add_argument(
        "--drop-in", default=str(INSTALLERS_DROP_IN), help="the file for the settings (default: %(default)s)"
    )

    host = _add(commands, "native-host", "Pass on what a browser's extension tells; browsers start this.")
    host.add_argument("--scope", choices=("system", "user"), help=argparse.SUPPRESS)
    host.add_argument("--settings", help="a settings file (TOML)")
    host.add_argument("--socket", help="where the agent listens (default: the usual places)")
    host.add_argument("words", nargs="*", metavar="WORD", help="what the browser says of the extension")

    browsers = _add(commands, "browsers", "Tell this device's browsers where the native host is.")
    browsers.add_argument("--scope", choices=("system", "user"), help="for whom (default: all as root)")
    browsers.add_argument("--settings", help="a settings file (TOML)")
    browsers.add_argument("--program", type=Path, help="the native host (default: beside this program)")
    browsers.add_argument("--remove", action="store_true", help="take it back")

    settings = _add(commands, "settings", "List every setting in force, and where it comes from.")
    _add_places(settings)
    return parser


def scope_of(arguments: argparse.Namespace) -> Scope:
    """Return the scope asked for; root runs the system's agent, anybody else their own."""
    asked: Scope | None = arguments.scope
    return asked or ("system" if is_administrator() else "user")


def state_of(arguments: argparse.Namespace) -> Path:
    """Return the state folder."""
    if arguments.state is not None:
        return Path(arguments.state).absolute()
    return folders_of(scope_of(arguments)).state


def work_of(arguments: argparse.Namespace) -> Path | None:
    """Return the folder of work profiles; None for the system's agent, which serves no one person."""
    return work_folder() if scope_of(arguments) == "user" else None


def settings_file_of(arguments: argparse.Namespace) -> Path | None:
    """Return the settings file, if there is one; one that was named must exist."""
    if arguments.settings is not None:
        return Path(arguments.settings)
    usual = usual_settings_file(arguments)
    return usual if scope_of(arguments) == "user" and usual is not None and usual.exists() else None


def usual_settings_file(arguments: argparse.Namespace) -> Path | None:
    """Return where settings are looked for: a user's own agent has a file of its own, the system's the administrator's, if any."""
    return folders_of(scope_of(arguments)).settings


def socket_of(arguments: argparse.Namespace) -> Path:
    """Return where the agent listens."""
    named = arguments.socket or os.environ.get(SOCKET_VARIABLE)
    if named:
        return Path(named).absolute()
    return Path(SYSTEM_SOCKET if scope_of(arguments) == "system" else user_socket(os.environ, own_uid()))


def _add_ledger(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ledger = _add(commands, "ledger", "List everything that was sent from this device.")
    _add_asking(ledger, limited=True)
    how = ledger.add_mutually_exclusive_group()
    how.add_argument("--day", type=_day, metavar="DATE", help="only what was sent on a day, as in 2026-11-25")
    how.add_argument(
        "--export",
        metavar="FILE",
        help="write all of it into a new file, one JSON object a line; `-` prints it",
    )
    how.add_argument("--compare", action="store_true", help="ask the server what it holds, and compare")


def _add_identify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    identify = _add(commands, "identify", "Say whether a process or an application is a messenger, and why.")
    what = identify.add_mutually_exclusive_group(required=True)
    what.add_argument("--pid", type=int, help="a process of this machine")
    what.add_argument(
        "--application",
        metavar="NAME",
        help="an installed application, by its name, its program or its desktop entry (Linux)",
    )
    what.add_argument(
        "--jsonl", action="store_true", help="read process facts, one JSON object a line, from standard input"
    )

    _add_scope_and_state(identify)
    _add_asking(identify)


def _add_open(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    opening = _add(
        commands, "open", "Open a messenger for work, in a profile of its own beside the private one."
    )
    side = opening.add_mutually_exclusive_group(required=True)
    side.add_argument("--work", action="store_true", help="with data and downloads of its own")
    side.add_argument(
        "--personal", action="store_true", help="as usual, but without sight of what is for work (Linux)"
    )
    opening.add_argument("messenger", metavar="MESSENGER", help="its name or id, as in telegram")
    opening.add_argument(
        "--sandbox", action="store_true", help="give it a home of its own with bubblewrap (Linux)"
    )
    _add_scope_and_state(opening)
    opening.add_argument("--socket", help="where the agent listens (default: the usual places)")


def _add_hand_over(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sentence = "Hand over files that came in for work and that nothing retains."
    hand_over = _add(commands, "hand-over", sentence)
    hand_over.add_argument(
        "messenger", nargs="?", metavar="MESSENGER", help="its id, as in telegram (default: all)"
    )
    hand_over.add_argument("--socket", help="where the agent listens (default: the usual places)")


def _add_ask(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ask = _add(commands, "ask", "Put a question to your company, or ask it for an exemption.")
    ask.add_argument("--exemption", metavar="MESSENGER", help="as in telegram; without it: a question")
    ask.add_argument("--until", type=_day, metavar="DATE", help="how long it is needed, as in 2026-12-24")
    ask.add_argument("words", nargs="+", metavar="WORD", help="your words, which leave as you write them")
    ask.add_argument("--socket", help="where the agent listens (default: the usual places)")


def _add_leave(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    leave = _add(
        commands, "leave", "Take your own device out for good: the server erases everything about it."
    )
    _add_places(leave)
    leave.add_argument("--socket", help="where the agent listens (default: the usual places)")
    leave.add_argument("--yes", action="store_true", help="do not ask")
    leave.add_argument(
        "--anyway", action="store_true", help="erase what is here even if the server cannot be told"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as in 2026-11-25") from error


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, sentence: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=sentence, description=sentence)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_scope(parser: argparse.ArgumentParser) -> None:
    scopes: tuple[Literal["system", "user"], ...] = ("system", "user")
    parser.add_argument(
        "--scope",
        choices=scopes,
        help="whom the agent serves (default: system as root or administrator, else user)",
    )


def _add_places(parser: argparse.ArgumentParser) -> None:
    _add_scope_and_state(parser)
    parser.add_argument("--settings", help="a settings file (TOML)")


def _add_scope_and_state(parser: argparse.ArgumentParser) -> None:
    _add_scope(parser)
    parser.add_argument("--state", help="the state folder")


def _add_asking(parser: argparse.ArgumentParser, *, limited: bool = False) -> None:
    parser.add_argument("--socket", help="where the agent listens (default: the usual places)")
    if limited:
        parser.add_argument(
            "--limit", type=int, default=50, metavar="N", help="how many rows, 1 to 500 (default: 50)"
        )
        parser.add_argument("--before", type=int, metavar="NUMBER", help="only rows before this one")
