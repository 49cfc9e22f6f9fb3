"""`decorum-server after-restore`: tells the server that its records came back from a backup, before it serves again."""

import argparse

from server.commands.frame import ready_identity
from server.moments import utc_now


def run(_arguments: argparse.Namespace) -> None:
    """Do what must follow a restore."""
    identity = ready_identity()
    from server import recovery  # noqa: PLC0415 - Django's models cannot be imported before it has started
    from server.access import audit  # noqa: PLC0415 - alike

    done = recovery.recover(identity, utc_now(), audit.COMMAND_LINE)
    if done.is_published:
        print(
            f"The policy in force was sealed anew as number {done.serial}. See whether it is the one you want."
        )
    else:
        print(f"No policy could be sealed anew; the next one gets number {done.serial} or higher.")
    print(f"Everybody is signed out; {done.secrets} enrolment secrets were taken back.")
    print(f"{done.devices} devices go on. One that enrolled after the backup was made must enrol again.")
