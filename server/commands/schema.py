"""`decorum-server schema`: what devices or capture connectors and the server say to each other, as OpenAPI 3.1; needs no state folder."""

import argparse
import json

from server.commands.frame import start_django


def run(arguments: argparse.Namespace) -> None:
    """Print the schema."""
    start_django()
    from server.fleet import agent_schema  # noqa: PLC0415 - Django's models cannot be imported before it has started
    from server.records import connector_schema  # noqa: PLC0415 - alike

    made = connector_schema if arguments.of == "connectors" else agent_schema
    print(json.dumps(made.schema(), indent=2))
