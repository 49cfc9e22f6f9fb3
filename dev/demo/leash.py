"""Ends whatever the demo started if the demo itself is gone, however it went; even SIGKILL closes its pipe.

Run alone, as `python leash.py` with the pipe as standard input. Each program is started through `LEASHED`, which tells the
number of the program's process group before it becomes the program, so that none is ever unknown here.
A line is a group's number, or the number with a minus when that group has ended.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

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
        for group in groups:
            send(group, signal.SIGTERM)
        ask_again = time.monotonic() + ASK_AGAIN_SECONDS
        while groups and time.monotonic() < ask_again:
            time.sleep(0.05)
            groups = {group for group in groups if lives(group)}
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, signal_number: int) -> None:
    """Signal a process group, if there still is one."""
    with contextlib.suppress(
        ProcessLookupError, PermissionError
    ):  # macOS refuses where only zombies are left
        os.killpg(group, signal_number)


def lives(group: int) -> bool:
    """Tell whether a process group has a member that has not ended.

    A zombie has ended. Waiting for init to collect it can take seconds, where init is not a real one (in containers).
    """
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    states = [state for member, state in _groups_and_states() if member == group]
    return not states or any(state not in "ZX" for state in states)


def _groups_and_states() -> Iterator[tuple[int, str]]:
    """Yield the group and state of every process (proc_pid_stat(5)); nothing where there is no /proc."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = file.read_text(encoding="utf-8", errors="replace")
            state, _parent, group = text.rpartition(")")[2].split()[:3]
            yield int(group), state


if __name__ == "__main__":
    main()
