"""Who this program acts for, as a number (see `contract.users`); the one place where each system's way is chosen."""

import os
import sys

if sys.platform == "win32":
    from agent.windows import tokens
    from contract.users import number_of_sid
else:
    import pwd

SERVICE_USER = "decorum"
"""Whom the system's service runs as on Linux; on macOS and Windows it is root and the system itself."""


def own_uid() -> int:
    """Return the number of the user whom this program acts for."""
    if sys.platform == "win32":
        return number_of_sid(tokens.own_sid())
    else:  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        return os.getuid()


def is_administrator() -> bool:
    """Tell whether this program has an administrator's rights."""
    if sys.platform == "win32":
        return tokens.administers()
    else:  # noqa: RET505  # as above
        return os.geteuid() == 0


def service_uid() -> int | None:
    """Return the number of the user that the system's service runs as, if this machine has one of its own for it."""
    if sys.platform == "win32":
        return None
    else:  # noqa: RET505  # as above
        return _uid_named(SERVICE_USER)


if sys.platform != "win32":

    def _uid_named(name: str) -> int | None:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            return None
