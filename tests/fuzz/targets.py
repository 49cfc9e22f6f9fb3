"""All targets by name. The server's need Django, which `django_in_memory` starts where pytest has not."""

import os
from pathlib import Path

from tests.fuzz.target import Target

CORPUS = Path(__file__).parent / "corpus"
IN_CONTRACT = (
    "envelope",
    "envelope-signed",
    "keys",
    "catalogue",
    "facts",
    "policy",
    "bundle",
    "overlay",
    "published",
)
IN_AGENT = ("local", "reply", "application")
ON_SERVER = ("request", "check-in", "observations", "enrolment", "heartbeat")
NAMES = (*IN_CONTRACT, *IN_AGENT, *ON_SERVER)
INSTRUMENTED = ("contract", "agent", "server", "joserfc")
"""Whose branches lead the changes: our rooms, and what takes seals apart for them."""


def django_in_memory() -> None:
    """Start Django with a database that is gone with this process."""
    import django
    from django.core.management import call_command

    os.environ["DJANGO_SETTINGS_MODULE"] = "server.settings"
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def targets() -> dict[str, Target]:
    """Return them; Django has been started."""
    from tests.fuzz import of_agent, of_contract, of_server

    every = (*of_contract.TARGETS, *of_agent.TARGETS, *of_server.TARGETS)
    return {target.name: target for target in every}


def ready(name: str) -> Target:
    """Return one, with nothing loaded that it does not need: for a process of its own."""
    if name in IN_CONTRACT:
        from tests.fuzz import of_contract as module
    elif name in IN_AGENT:
        from tests.fuzz import of_agent as module  # type: ignore[no-redef]  # one of the three
    else:
        django_in_memory()
        from tests.fuzz import of_server as module  # type: ignore[no-redef]  # as above
    return next(target for target in module.TARGETS if target.name == name)


def corpus_of(name: str) -> list[Path]:
    """Return the inputs that are kept for a target."""
    return sorted(file for file in (CORPUS / name).iterdir() if file.is_file())
