"""`decorum-server enrol-secret`: a secret with a quota and an end, shown once."""

import argparse

from server.commands.frame import ready_identity
from server.moments import utc_now


def run(arguments: argparse.Namespace) -> None:
    """Print the secret."""
    identity = ready_identity()
    from server.access import audit  # noqa: PLC0415 - Django's models cannot be imported before it has started
    from server.fleet import secrets  # noqa: PLC0415 - alike

    wish = secrets.Wish(uses=arguments.uses, days=arguments.days, note=arguments.note)
    print(secrets.issue(wish, audit.COMMAND_LINE, identity.tenant.id, utc_now()))
