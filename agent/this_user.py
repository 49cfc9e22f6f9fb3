"""Who this program acts for, as a number (see `contract.users`); the one place where each system's way is chosen."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def acting_as_owner_of(folder: Path) -> Iterator[None]:
    """Let root act as the owner of a folder meanwhile, so that nothing in it becomes root's; anybody else stays who they are.

    A folder that is not there is nobody's yet.
    """
    if sys.platform == "win32" or os.geteuid() != 0 or not folder.exists():
        yield
        return
    else:  # as above
        about, groups = folder.stat(), os.getgroups()
        os.setgroups([about.st_gid])
        os.setegid(about.st_gid)
        os.seteuid(about.st_uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)


if sys.platform != "win32":

    def _uid_named(name: str) -> int | None:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            return None
