"""Notices that the settings were changed, so that the agent takes them up without being started again by anybody.

It looks at stamps, not into files. What is wrong is told as a problem, and the settings that were in force stay, with one exception: while
they cannot be read, it is not known any more what may leave, so nothing does.
"""

import asyncio
from collections.abc import Callable

import msgspec

from agent.errors import SettingsError
from agent.problems import CANNOT_WRITE, Problems
from agent.settings import Settings

LOOK_SECONDS = 15.0
PROBLEM = "settings"


class SettingsPlace(msgspec.Struct, frozen=True):
    """Where settings are written."""

    read: Callable[[], Settings]
    """Returns them as they are written now."""
    stamp: Callable[[], object]
    """Returns what is another once anything was changed; cheap."""


class SettingsWatch:
    """Owns the rhythm.

    Args:
        in_force: the settings that the agent runs with.
        on_change: called when a problem comes or goes.
        on_broken: called when they cannot be read.
        on_mended: called when the settings in force can be read again.
    """

    def __init__(
        self,
        in_force: Settings,
        place: SettingsPlace,
        problems: Problems,
        on_change: Callable[[], None],
        on_broken: Callable[[], None] = lambda: None,
        on_mended: Callable[[], None] = lambda: None,
    ) -> None:
        self._in_force, self._read, self._stamp = in_force, place.read, place.stamp
        self._problems, self._on_change = problems, on_change
        self._on_broken, self._on_mended = on_broken, on_mended
        self._seen = self._stamped()
        self.changed: Settings | None = None
        """The settings to go on with, once they are others."""

    async def run(self, stop: asyncio.Event) -> None:
        """Look until there are others, then ask the agent to stop and go on with them."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.look():
                stop.set()

    def look(self) -> bool:
        """Look once; tell whether the settings are others now."""
        stamp = self._stamped()
        if stamp == self._seen or self._problems.has(CANNOT_WRITE):
            return False  # what waits to be written would be lost by starting over
        self._seen = stamp
        try:
            written = self._read()
        except SettingsError as error:
            self._on_broken()
            if self._problems.report(PROBLEM, error):
                self._on_change()
            return False
        was_broken = self._problems.clear(PROBLEM)
        if was_broken:
            self._on_change()
        if not _starts_over(written, self._in_force):
            if was_broken:
                self._on_mended()
            return False
        self.changed = written
        return True

    def _stamped(self) -> object:
        try:
            return self._stamp()
        except SettingsError as error:
            return str(error)


def _starts_over(written: Settings, in_force: Settings) -> bool:
    """Tell whether the agent must start over for what changed; the reporter heeds the server's rhythm by itself."""
    return any(
        value != in_force.values[name] and (name, value.origin) != ("check_in_seconds", "server")
        for name, value in written.values.items()
    )
