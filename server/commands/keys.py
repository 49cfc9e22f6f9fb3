"""`decorum-server keys list|rotate`: which keys this server works with, and changing one, with the root key at hand."""

import argparse

from server.commands.frame import ready_identity, state
from server.identity import forget_old_keys, rotate
from server.moments import utc_now


def run(arguments: argparse.Namespace) -> None:
    """Do the one or the other."""
    if arguments.action == "list":
        _list()
    else:
        _rotate(arguments.use)


def _list() -> None:
    for one in sorted(ready_identity().read_out(), key=lambda one: (one.use, one.not_before)):
        word = "in use" if one.is_working else "old"
        print(f"{one.use:7} {one.fingerprint}  until {one.not_after:%Y-%m-%d}  {word}")


def _rotate(use: str) -> None:
    """Make the new key, seal what is published with it, then forget the old one; an interrupted call is gone on with."""
    ready_identity()
    from server.access import audit  # noqa: PLC0415 - models are ready only now
    from server.policies import publishing  # noqa: PLC0415 - alike

    now = utc_now()
    identity = rotate(state(), "policy" if use == "policy" else "server", now)
    publication = publishing.seal_anew(identity, audit.COMMAND_LINE, now) if use == "policy" else None
    identity = forget_old_keys(state(), now)
    key = identity.policy_key if use == "policy" else identity.server_key
    audit.record(now, audit.COMMAND_LINE, "key.rotated", f"{use} key", key.public.fingerprint)
    print(f"The {use} key is {key.public.fingerprint} now. Running servers use it from their next answer on.")
    if publication is not None:
        print(f"The policy in force was sealed with it, as number {publication.serial}.")
    print("Devices stop believing the old key once the new one has served them.")
