"""The agent as a Windows service while it runs: what answers Windows (pywin32).

Windows starts `decorum service run`. It is told at once that the service runs, and again when it stops; whatever the agent has to say
goes to the event log, since a service has no terminal.
"""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable

import pywintypes
import servicemanager
import win32service
import win32serviceutil
import winerror

from agent.commands import exits
from agent.errors import ServiceError
from agent.service import windows_plan

assert sys.platform == "win32"  # tells the type checker whose calls these are


def run() -> int:
    """Be the service; Windows alone may start this.

    Raises:
        ServiceError: it was not Windows.
    """
    try:
        servicemanager.Initialize(windows_plan.NAME, servicemanager.__file__)
        servicemanager.PrepareToHostSingle(DecorumService)
        servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call]  # as its stub has it
    except pywintypes.error as error:
        if error.winerror == winerror.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT:
            raise ServiceError(
                "Windows alone starts this.", "To run the agent in this window: `decorum run`."
            ) from error
        raise
    return exits.COMPLIANT


class DecorumService(win32serviceutil.ServiceFramework):
    """Owns the way from Windows' word to stop into the agent's loop."""

    _svc_name_ = windows_plan.NAME

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self._is_asked = threading.Event()
        self._end: Callable[[], None] = _nothing

    def SvcDoRun(self) -> None:  # noqa: N802 - pywin32's name
        """Run the agent until it ends; one that ends unasked fails, so that Windows starts it again.

        The agent is loaded only now: Windows gives up on a program that has not answered after a while.
        """
        import asyncio  # noqa: PLC0415 - see above

        from agent.commands.arguments import build_parser  # noqa: PLC0415
        from agent.commands.run import serve  # noqa: PLC0415

        logging.basicConfig(level=logging.WARNING, handlers=[_EventLog()], format="%(name)s: %(message)s")
        code = asyncio.run(serve(build_parser().parse_args(["run", "--scope", "system"]), self._hear_stop))
        if code != exits.COMPLIANT:
            raise ServiceError("The agent ended by itself.", "See the event log.")

    def SvcStop(self) -> None:  # noqa: N802 - pywin32's name
        """Have the agent end; if it cannot, end without it."""
        self.ReportServiceStatus(
            win32service.SERVICE_STOP_PENDING, waitHint=windows_plan.STOPPING_SECONDS * 1000
        )
        last_resort = threading.Timer(windows_plan.STOPPED_AT_THE_LATEST_SECONDS, self._give_up)
        last_resort.daemon = True
        last_resort.start()
        self._is_asked.set()
        self._end()

    SvcShutdown = SvcStop

    def _hear_stop(self, end: Callable[[], None]) -> None:
        import asyncio  # noqa: PLC0415 - as above

        loop = asyncio.get_running_loop()

        def end_in_loop() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has closed: it has ended already
                loop.call_soon_threadsafe(end)

        self._end = end_in_loop
        if self._is_asked.is_set():
            end()

    def _give_up(self) -> None:
        self.ReportServiceStatus(win32service.SERVICE_STOPPED)
        os._exit(exits.FAULT)


class _EventLog(logging.Handler):
    """Writes to Windows' event log, under the service's name."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        write = (
            servicemanager.LogErrorMsg if record.levelno >= logging.ERROR else servicemanager.LogWarningMsg
        )
        with contextlib.suppress(pywintypes.error):  # a full event log must not end the agent
            write(self.format(record))


def _nothing() -> None:
    """Stand in until there is a loop to end."""
