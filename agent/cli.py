"""`decorum`: the command line. Each command loads only what it needs."""

import importlib
import json
import sys
from collections.abc import Sequence

from agent.commands import exits
from agent.commands.arguments import build_parser
from agent.errors import (
    AgentAbsentError,
    AlreadyEnrolledError,
    CannotAskError,
    CannotOpenError,
    EnrolmentError,
    NoApplicationError,
    NoProcessError,
    NotEnrolledError,
    NotForWorkError,
    NotYoursError,
    NowhereToHandOverError,
    RefusedError,
    SettingsError,
    UnreachableError,
)
from contract.errors import DecorumError, MalformedError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = build_parser().parse_args(argv)
    command = importlib.import_module(f"agent.commands.{arguments.command.replace('-', '_')}")
    try:
        return int(command.execute(arguments))
    except DecorumError as error:
        if arguments.json:
            told = {"title": error.title, "detail": error.detail, "remedy": error.remedy}
            print(json.dumps({"error": told}, ensure_ascii=False))
        print(f"decorum: {error}", file=sys.stderr)
        return _code_for(error)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; there is nobody to complain to
        return exits.COMPLIANT
    except KeyboardInterrupt:
        return 130


_CODES: tuple[tuple[type[DecorumError], int], ...] = (
    (AgentAbsentError, exits.NOT_RUNNING),
    (AlreadyEnrolledError, exits.USAGE),
    (NotEnrolledError, exits.NOT_ENROLLED),
    (EnrolmentError, exits.NOT_ENROLLED),
    (RefusedError, exits.NOT_ENROLLED),
    (UnreachableError, exits.NOT_ENROLLED),
    (NotYoursError, exits.USAGE),
    (SettingsError, exits.USAGE),
    (NoApplicationError, exits.USAGE),
    (NoProcessError, exits.USAGE),
    (CannotOpenError, exits.USAGE),
    (CannotAskError, exits.FAULT),
    (NotForWorkError, exits.VIOLATION),
    (NowhereToHandOverError, exits.USAGE),
    (MalformedError, exits.USAGE),
)


def _code_for(error: DecorumError) -> int:
    return next((code for kind, code in _CODES if isinstance(error, kind)), exits.FAULT)


def native_host() -> int:
    """Run the native host: browsers give a program no more than their own words."""
    return main(["native-host", "--", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
