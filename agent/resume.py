"""Takes up the sightings that were open when the agent last ran: what still runs goes on, what is gone has ended.

A page goes on with its browser, until the browser's extension had time to say that it is still open.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from agent.compliance import PageKey, Sighting, Transition
from agent.sensing.process_source import GoneError, ProcessKey, ProcessSource

SAME_START_SECONDS = 2.0
"""The system derives a start time from the wall clock, which may have been corrected since."""


def resume(
    before: Iterable[Sighting], source: ProcessSource, now: datetime
) -> tuple[list[Sighting], list[Transition]]:
    """Return the sightings that go on, and the ends of the others, at the time they were noticed."""
    resumed: list[Sighting] = []
    ended: list[Transition] = []
    for sighting in before:
        alive = tuple(key for old in sighting.processes for key in _still_there(old, source))
        pages = tuple(page for old in sighting.pages for page in _still_open(old, source))
        if alive or pages:
            resumed.append(msgspec.structs.replace(sighting, processes=alive, pages=pages))
        else:
            ended.append(Transition("ended", sighting, now))
    return resumed, ended


def _still_there(old: ProcessKey, source: ProcessSource) -> Iterable[ProcessKey]:
    try:
        key = source.key(old.pid)
    except GoneError:
        return
    if abs(key.started - old.started) <= SAME_START_SECONDS:
        yield key


def _still_open(old: PageKey, source: ProcessSource) -> Iterable[PageKey]:
    for browser in _still_there(old.browser, source):
        yield msgspec.structs.replace(old, browser=browser)
