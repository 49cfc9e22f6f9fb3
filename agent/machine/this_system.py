"""The one place where it is chosen how this system's ids are read, and for how long it has been awake."""

import sys
import time

if sys.platform == "win32":
    from agent.machine import windows
    from agent.windows import awake
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


def awake_seconds() -> float:
    """Return seconds since an arbitrary moment of this boot, without those for which the machine slept.

    Linux: CLOCK_MONOTONIC stands still in suspend (clock_gettime(2)). macOS: CLOCK_MONOTONIC counts sleep, CLOCK_UPTIME_RAW does not
    (clock_gettime(3)). Windows: see `agent.windows.awake`.
    """
    if sys.platform == "win32":
        return awake.seconds()
    elif sys.platform == "darwin":  # noqa: RET505  # as above
        return time.clock_gettime(time.CLOCK_UPTIME_RAW)
    else:
        return time.clock_gettime(time.CLOCK_MONOTONIC)
