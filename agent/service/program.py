"""The command line that starts this very program again, for a system that is to start it by itself."""

import sys
from collections.abc import Sequence

import msgspec

from agent.errors import ServiceError


class Interpreter(msgspec.Struct, frozen=True):
    """What Python tells of itself."""

    executable: str
    is_frozen: bool
    in_environment: bool
    """Whether this is an environment of its own (venv), whose Python on Windows only starts another one."""


def program_of(interpreter: Interpreter, *, may_be_environment: bool) -> Sequence[str]:
    """Return the command line that is `decorum`.

    Args:
        interpreter: this Python, or the frozen program.
        may_be_environment: whether the system follows a program that starts another one.

    Raises:
        ServiceError: it cannot be started by the system as it is.
    """
    if interpreter.is_frozen:
        return [interpreter.executable]
    if interpreter.in_environment and not may_be_environment:
        raise ServiceError(
            "A Python environment's own Python starts another one, which Windows does not take for the service.",
            "Install Decorum's package, or install it into a Python of its own.",
        )
    return [interpreter.executable, "-m", "agent.cli"]


def this_interpreter() -> Interpreter:
    """Return this very Python."""
    return Interpreter(sys.executable, bool(getattr(sys, "frozen", False)), sys.prefix != sys.base_prefix)
