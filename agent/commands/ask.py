"""`decorum ask`: puts a question to the company, or asks it for an exemption. What is written leaves as it is written."""

import argparse
import os
from datetime import date

from agent.commands import exits
from agent.commands.printing import print_json
from agent.localapi.client import LocalClient
from contract.local import Asked, AskQuery


def execute(arguments: argparse.Namespace) -> int:
    """Send it, and say what was sent."""
    until: date | None = arguments.until
    query = AskQuery(
        about="question" if arguments.exemption is None else "exemption",
        messenger=arguments.exemption,
        until=until,
        text=" ".join(arguments.words),
    )
    with LocalClient(arguments.socket, os.environ) as client:
        asked = client.ask("ask", query, Asked)
    if arguments.json:
        print_json(asked)
    else:
        print(f"Sent with the next check-in: {asked.sentence}")
    return exits.COMPLIANT
