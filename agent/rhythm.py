"""How long the agent waits between two looks. Pure.

Told of starts by the system it waits for that, and rests a little after each look, in proportion to what the look cost: what comes
meanwhile is taken together, so that its work is bounded however much starts. Without that it looks again and again: often while
things start, less and less often after nothing has for a while, and not quite so seldom while somebody is there.

>>> [pause_seconds(0.75, quiet, someone_there=False) for quiet in (0, 30, 60, 3600)]
[0.75, 0.75, 1.5, 3.0]
>>> [pause_seconds(0.75, quiet, someone_there=True) for quiet in (0, 30, 60, 3600)]
[0.75, 0.75, 1.5, 1.5]
>>> [pause_seconds(0.75, quiet, someone_there=False, tells_applications=True) for quiet in (0, 60, 3600)]
[1.5, 1.5, 6.0]
>>> pause_seconds(10.0, 3600, someone_there=False)
12.0
>>> [round(rest_seconds(busy), 4) for busy in (0.0002, 0.01, 5.0)]
[0.01, 0.19, 1.0]
"""

QUIET_SHARE = 40
"""The pause grows to this part of the time since something started."""
SLOWER_AT_MOST, SLOWER_WITH_SOMEONE = 4.0, 2.0
"""How many times longer than set it becomes at most, and while a person's tray is connected."""
SLOWER_BESIDE_EVENTS = 2.0
"""How many times longer than set it is from the beginning where applications are told of, and only the rest is looked for."""
LONGEST_PAUSE_SECONDS = 12.0
REST_SECONDS, REST_AT_MOST_SECONDS = 0.01, 1.0
REST_TIMES = 19
"""How many times longer it rests than it was busy: a flood of starts takes a twentieth of a processor."""


def pause_seconds(
    set_seconds: float, quiet_seconds: float, *, someone_there: bool, tells_applications: bool = False
) -> float:
    """Return how long to wait between two looks where nobody tells of starts, or not of all.

    Args:
        set_seconds: the pause that the settings have.
        quiet_seconds: since when nothing new was found.
        someone_there: whether a person uses this device, as far as is known.
        tells_applications: whether the system tells of applications at least.
    """
    if tells_applications:
        set_seconds = within_reason(set_seconds, SLOWER_BESIDE_EVENTS * set_seconds)
    longest = set_seconds * (SLOWER_WITH_SOMEONE if someone_there else SLOWER_AT_MOST)
    return within_reason(set_seconds, min(longest, quiet_seconds / QUIET_SHARE))


def rest_seconds(busy_seconds: float) -> float:
    """Return how long to rest after a look that kept the processor busy for so long."""
    return min(REST_AT_MOST_SECONDS, max(REST_SECONDS, REST_TIMES * busy_seconds))


def within_reason(set_seconds: float, seconds: float) -> float:
    """Return a pause no shorter than was set, and no longer than is reasonable unless more was set."""
    return max(set_seconds, min(seconds, LONGEST_PAUSE_SECONDS))
