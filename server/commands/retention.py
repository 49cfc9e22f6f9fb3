"""`decorum-server retention`: erase what is older than the policy keeps it; a running server does so once a day by itself."""

import argparse
import json

import msgspec

from server.commands.frame import ready_identity, state
from server.moments import utc_now


def run(arguments: argparse.Namespace) -> None:
    """Erase, or only say what would be erased."""
    ready_identity()
    from server.access import audit  # noqa: PLC0415 - Django's models cannot be imported before it has started
    from server.fleet import retention  # noqa: PLC0415 - alike

    now = utc_now()
    kept = retention.limits()
    if kept is None:
        print(
            json.dumps({"policy": None}) if arguments.json else "No policy is published; nothing is erased."
        )
        return
    if arguments.dry_run:
        erased = retention.overdue(kept, now)
    else:
        erased = retention.apply(kept, now, audit.COMMAND_LINE, state())
    if arguments.json:
        told = {"dry_run": arguments.dry_run, **msgspec.to_builtins(kept), **msgspec.to_builtins(erased)}
        print(json.dumps(told))
        return
    days = f"personal data after {kept.personal_data_days} days, records after {kept.records_days}"
    print(f"{'To erase' if arguments.dry_run else 'Erased'}: {erased.in_words()}.")
    print(f"Policy number {kept.policy}: {days}.")
