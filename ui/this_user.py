"""Whom this program acts for, as a number (see `contract.users`); the one place where each system's way is chosen."""

import os
import sys

if sys.platform == "win32":
    import win32api
    import win32security

    from contract.users import number_of_sid
else:
    import pwd

SERVICE_USER = "decorum"
"""Whom the system's service runs as on Linux; on macOS and Windows it is root and the system itself."""


def own_uid() -> int:
    """Return the number of the user whom this program acts for."""
    if sys.platform == "win32":
        token = win32security.OpenProcessToken(win32api.GetCurrentProcess(), win32security.TOKEN_QUERY)
        sid, _ = win32security.GetTokenInformation(token, win32security.TokenUser)
        return number_of_sid(win32security.ConvertSidToStringSid(sid))
    else:  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        return os.getuid()


def service_uid() -> int | None:
    """Return the user that the system's service runs as, if this machine has one of its own for it."""
    if sys.platform == "win32":
        return None
    else:  # noqa: RET505  # as above
        try:
            return pwd.getpwnam(SERVICE_USER).pw_uid
        except KeyError:
            return None
