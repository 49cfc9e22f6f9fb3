"""`decorum ledger`: the literal list of everything that was sent from this device."""

import argparse
import os

from agent.commands import exits
from agent.commands.printing import print_json
from agent.localapi.client import LocalClient
from contract.local import LedgerPage, LedgerQuery, LedgerRow
from contract.wire import convert


def execute(arguments: argparse.Namespace) -> int:
    """Ask the agent and print, newest first."""
    query = convert(LedgerQuery, {"before": arguments.before, "limit": arguments.limit})
    with LocalClient(arguments.socket, os.environ) as client:
        page = client.ask("ledger", query, LedgerPage)
    if arguments.json:
        print_json(page)
    elif not page.rows:
        print("Nothing was sent from this device.")
    else:
        for row in page.rows:
            _print_row(row)
    return exits.COMPLIANT


def _print_row(row: LedgerRow) -> None:
    arrived = f"arrived {row.acknowledged:%H:%M:%S}" if row.acknowledged else _tried(row.attempts)
    print(f"{row.number:>6}  {row.first_attempt:%Y-%m-%d %H:%M:%S}  {row.sentence}  ({arrived})")
    print(f"        {row.literal}")


def _tried(attempts: int) -> str:
    return "tried once" if attempts == 1 else f"tried {attempts} times"
