"""Ends whatever the demo started if the demo itself is gone, however it went; even SIGKILL closes its pipe.

Run alone, as `python leash.py` with the pipe as standard input. Each program is started through `LEASHED`, which tells the
number of the program's process group before it becomes the program, so that none is ever unknown here.
A line is a group's number, or the number with a minus when that group has ended.
"""

import os
import signal
import sys
import time

LEASHED = ("/bin/sh", "-c", 'echo "$$" >&0 && exec "$@" </dev/null', "leashed")
"""Goes before a command whose standard input is the pipe's writing end and which leads a group of its own."""
ASK_AGAIN_SECONDS = 1.0
"""A server's worker that has just been forked loses a signal (granian 2.8), so one is not enough."""
PATIENCE_SECONDS = 5.0


def main() -> None:
    """Read until the pipe closes; then end every group that still lives."""
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line)
        if number > 0:
            groups.add(number)
        else:
            groups.discard(-number)
    end(groups)


def end(groups: set[int]) -> None:
    """Ask every group to end, again and again; kill what does not in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while groups and time.monotonic() < deadline:
        groups = {group for group in groups if send(group, signal.SIGTERM)}
        ask_again = time.monotonic() + ASK_AGAIN_SECONDS
        while groups and time.monotonic() < ask_again:
            time.sleep(0.05)
            groups = {group for group in groups if send(group, 0)}
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, signal_number: int) -> bool:
    """Signal a process group (0 only asks); tell whether it still has a member."""
    try:
        os.killpg(group, signal_number)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # macOS says so of a group whose only member has ended and waits to be collected
    return True


if __name__ == "__main__":
    main()
