"""`decorum provision`: writes down what an installer was given by the environment; installers run it, as root."""

import argparse
import contextlib
import os
from pathlib import Path

from agent.commands import exits
from agent.commands.arguments import state_of
from agent.provisioning import given_by, lay_down, note_refusal
from contract.errors import DecorumError


def execute(arguments: argparse.Namespace) -> int:
    """Take all of it or nothing, and say which."""
    state = state_of(arguments)
    try:
        given = given_by(os.environ)
        lay_down(given, Path(arguments.drop_in), state)
    except DecorumError as error:
        with contextlib.suppress(OSError):  # the error itself is told either way
            note_refusal(state, error)
        raise
    for name in given.settings:
        print(f"{name} is set in {arguments.drop_in}.")
    if given.secret is not None:
        print("The enrolment secret is laid down; the agent enrols with it and erases it.")
    return exits.COMPLIANT
