"""`decorum-server root-fingerprint`: what devices are given, so that they believe this server only."""

import argparse

from server.commands.frame import state
from server.identity import load


def run(_arguments: argparse.Namespace) -> None:
    """Print the fingerprint."""
    print(load(state()).root_fingerprint)
