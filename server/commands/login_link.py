"""`decorum-server login-link`: a way into the console for whoever may read the state folder."""

import argparse

from django.conf import settings

from server.commands.frame import ready_identity
from server.moments import utc_now


def run(arguments: argparse.Namespace) -> None:
    """Print the link."""
    ready_identity()
    from server.access import audit, login_links, people  # noqa: PLC0415 - Django's models cannot be imported before

    now = utc_now()
    token = login_links.create(people.person(arguments.name), now)
    audit.record(now, audit.COMMAND_LINE, "login_link.created", arguments.name)
    base = (arguments.base_url or settings.CONFIGURATION.url).rstrip("/")
    print(f"{base}/login/once/{token}")
