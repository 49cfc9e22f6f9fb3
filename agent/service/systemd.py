"""What systemd is told of the agent: that it is ready, and, as long as it is well, that it is alive (sd_notify(3)).

Each word is one datagram to the socket that systemd names; `@` stands for the zero byte of an abstract address. Whoever is not started by
systemd has no such socket, and tells nobody.
"""

import asyncio
import logging
import socket
import sys
from collections.abc import MutableMapping

READY, ALIVE = b"READY=1", b"WATCHDOG=1"
SOCKET_VARIABLE, PERIOD_VARIABLE, PID_VARIABLE = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_log = logging.getLogger(__name__)


class Systemd:
    """Tells the service manager how the agent is.

    Args:
        address: the manager's socket; None if there is none.
        period_seconds: within which the manager wants to hear; None if it does not.
    """

    def __init__(self, address: str | None = None, period_seconds: float | None = None) -> None:
        self._address, self._period_seconds = address, period_seconds

    @classmethod
    def taken_from(cls, environ: MutableMapping[str, str], pid: int) -> "Systemd":
        """Return what the environment names, and take it out: it is meant for nobody whom the agent starts.

        Args:
            environ: the environment.
            pid: this process; a watchdog that is meant for another is not fed.
        """
        address = environ.pop(SOCKET_VARIABLE, None)
        period = environ.pop(PERIOD_VARIABLE, "")
        meant_for = environ.pop(PID_VARIABLE, "")
        is_fed = period.isdecimal() and int(period) > 0 and meant_for in {"", str(pid)}
        return cls(address or None, int(period) / 1_000_000 if is_fed else None)

    async def run(self) -> None:
        """Say that the agent is ready, then that it is alive, until cancelled.

        Run among the agent's own actors it falls silent when they hang, and systemd starts the agent anew.
        """
        self._tell(READY)
        if self._address is None or self._period_seconds is None:
            await asyncio.Event().wait()
            return
        while True:
            self._tell(ALIVE)
            await asyncio.sleep(self._period_seconds / 2)

    def _tell(self, word: bytes) -> None:
        if self._address is not None and sys.platform != "win32":
            address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                    channel.sendto(word, address)
            except OSError as error:
                _log.warning("systemd was not told %s: %s", word.decode(), error)
