"""`decorum-server schema`: what devices and the server say to each other, as OpenAPI 3.1; needs no state folder."""

import argparse
import json

from server.commands.frame import start_django


def run(_arguments: argparse.Namespace) -> None:
    """Print the schema."""
    start_django()
    from server.fleet import agent_schema  # noqa: PLC0415 - Django's models cannot be imported before it has started

    print(json.dumps(agent_schema.schema(), indent=2))
