"""`decorum-server extension id|policy`: what devices and browsers have to know of the browsers' extension."""

import argparse

from django.conf import settings

from extension.published import policy
from server.commands.frame import start_django, state
from server.web_extension import address, id_in


def run(arguments: argparse.Namespace) -> None:
    """Print the one or the other."""
    start_django()
    chromium_id = id_in(state())
    if arguments.action == "id":
        print(chromium_id)
    else:
        print(policy(arguments.browser, chromium_id, address(settings.CONFIGURATION.url)), end="")
