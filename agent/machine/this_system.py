"""The one place where it is chosen how this system's ids are read."""

import sys

if sys.platform == "win32":
    from agent.machine import windows
    from agent.windows.firmware import ASKED
elif sys.platform == "darwin":
    from agent.machine import macos
else:
    from agent.machine import linux


def machine_id() -> str | None:
    """Return this machine's id; None if the system has none of its own."""
    if sys.platform == "win32":
        return windows.machine_id(ASKED)
    elif sys.platform == "darwin":  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        return macos.machine_id()
    else:
        return linux.machine_id()


def boot_id() -> str | None:
    """Return an id that changes with each boot; None if the system has none."""
    if sys.platform == "win32":
        return windows.boot_id(ASKED)
    elif sys.platform == "darwin":  # noqa: RET505  # as above
        return macos.boot_id()
    else:
        return linux.boot_id()
