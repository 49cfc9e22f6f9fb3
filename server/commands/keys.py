"""`decorum-server keys list|rotate`: which keys this server works with, and changing one, with the root key at hand."""

import argparse
from datetime import datetime

from server.commands.frame import ready_identity, state
from server.identity import Identity, Use, forget_old_keys, rotate
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
        print(f"{one.use:9} {one.fingerprint}  until {one.not_after:%Y-%m-%d}  {word}")


def _rotate(use: Use) -> None:
    """Make the new key, seal what is published with it, then forget the old one; an interrupted call is gone on with."""
    identity = ready_identity()
    from server.access import audit  # noqa: PLC0415 - models are ready only now
    from server.policies import catalogues  # noqa: PLC0415 - alike

    if use == "catalogue":
        catalogues.key_of(identity)
    now = utc_now()
    identity = rotate(state(), use, now)
    sealed = _seal(use, identity, audit.COMMAND_LINE, now)
    forget_old_keys(state(), now)
    keys = {"policy": identity.policy_key, "server": identity.server_key, "catalogue": identity.catalogue_key}
    fingerprint = "" if (key := keys[use]) is None else key.public.fingerprint
    audit.record(now, audit.COMMAND_LINE, "key.rotated", f"{use} key", fingerprint)
    print(f"The {use} key is {fingerprint} now. Running servers use it from their next answer on.")
    if sealed is not None:
        print(sealed)
    print("Devices stop believing the old key once the new one has served them.")


def _seal(use: Use, identity: Identity, actor: str, now: datetime) -> str | None:
    """Seal anew what is published under a key of this use, and return what was done."""
    from server.policies import catalogues, publishing  # noqa: PLC0415 - models are ready only now

    if use == "policy" and (policy := publishing.seal_anew(identity, actor, now)) is not None:
        return f"The policy in force was sealed with it, as number {policy.serial}."
    if use == "catalogue" and (catalogue := catalogues.seal_anew(identity, actor, now)) is not None:
        return f"The catalogue was sealed with it, as version {catalogue.version}."
    return None
