"""Sets the agent up as a Windows service, and takes it away, as `agent.service.windows_plan` has it (pywin32)."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pywintypes
import win32service
import winerror

from agent.errors import ServiceError
from agent.service import windows_plan
from agent.service.program import program_of, this_interpreter

if TYPE_CHECKING:
    from _win32typing import PySC_HANDLE

assert sys.platform == "win32"  # tells the type checker whose calls these are

_NEEDED = "Run this as an administrator."
_LOOK_AGAIN_SECONDS = 0.2
_STARTED_AT_THE_LATEST_SECONDS = 30.0


def install() -> list[str]:
    """Set the service up and start it; return what Windows did not take of the plan, which is then as it is by default.

    Raises:
        ServiceError: it is there already, or Windows refuses.
    """
    wanted = windows_plan.plan(program_of(this_interpreter(), may_be_environment=False))
    with _translated("be set up"), _manager(win32service.SC_MANAGER_CREATE_SERVICE) as manager:
        service = win32service.CreateService(
            manager,
            windows_plan.NAME,
            windows_plan.DISPLAY_NAME,
            win32service.SERVICE_ALL_ACCESS,
            win32service.SERVICE_WIN32_OWN_PROCESS,
            win32service.SERVICE_AUTO_START,
            win32service.SERVICE_ERROR_NORMAL,
            wanted.command,
            None,
            False,
            None,
            None,  # LocalSystem
            None,
        )
        try:
            refused = list(_configure(service, wanted))
            win32service.StartService(service, None)
            _wait_for(service, win32service.SERVICE_RUNNING, _STARTED_AT_THE_LATEST_SECONDS)
        finally:
            win32service.CloseServiceHandle(service)
    return refused


def remove() -> None:
    """Stop the service, and take it away; its state stays.

    Raises:
        ServiceError: there is none, it does not stop, or Windows refuses.
    """
    with _translated("be taken away"), _manager(win32service.SC_MANAGER_CONNECT) as manager:
        service = win32service.OpenService(manager, windows_plan.NAME, win32service.SERVICE_ALL_ACCESS)
        try:
            if win32service.QueryServiceStatus(service)[1] != win32service.SERVICE_STOPPED:
                win32service.ControlService(service, win32service.SERVICE_CONTROL_STOP)
                _wait_for(
                    service, win32service.SERVICE_STOPPED, windows_plan.STOPPED_AT_THE_LATEST_SECONDS + 5
                )
            win32service.DeleteService(service)
        finally:
            win32service.CloseServiceHandle(service)


def _configure(service: "PySC_HANDLE", wanted: windows_plan.Plan) -> Iterator[str]:
    actions = {
        "ResetPeriod": wanted.reset_seconds,
        "RebootMsg": None,
        "Command": None,
        "Actions": [(win32service.SC_ACTION_RESTART, one.after_milliseconds) for one in wanted.restarts],
    }
    settings: tuple[tuple[str, int, object], ...] = (
        ("a description", win32service.SERVICE_CONFIG_DESCRIPTION, windows_plan.DESCRIPTION),
        ("a start after a failure", win32service.SERVICE_CONFIG_FAILURE_ACTIONS, actions),
        (
            "a start after an end that was not asked for",
            win32service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
            True,
        ),
        ("fewer privileges", win32service.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, list(wanted.privileges)),
        (
            "an identity of its own",
            win32service.SERVICE_CONFIG_SERVICE_SID_INFO,
            win32service.SERVICE_SID_TYPE_UNRESTRICTED,
        ),
    )
    for words, level, value in settings:
        try:
            win32service.ChangeServiceConfig2(service, level, value)
        except pywintypes.error as error:
            yield f"{words} ({error.strerror})"


def _wait_for(service: "PySC_HANDLE", state: int, at_most_seconds: float) -> None:
    until = time.monotonic() + at_most_seconds
    while (now := win32service.QueryServiceStatus(service)[1]) != state:
        if now == win32service.SERVICE_STOPPED:
            raise ServiceError("The service ended as it was started.", "See the event log.")
        if time.monotonic() > until:
            raise ServiceError(
                f"The service does not follow within {at_most_seconds:.0f} s.", "See the event log."
            )
        time.sleep(_LOOK_AGAIN_SECONDS)


@contextlib.contextmanager
def _manager(access: int) -> "Iterator[PySC_HANDLE]":
    manager = win32service.OpenSCManager(None, None, access)
    try:
        yield manager
    finally:
        win32service.CloseServiceHandle(manager)


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except pywintypes.error as error:
        words = {
            winerror.ERROR_ACCESS_DENIED: ("This user may not do that.", _NEEDED),
            winerror.ERROR_SERVICE_EXISTS: (
                "It is set up already.",
                "Take it away first: `decorum service remove`.",
            ),
            winerror.ERROR_SERVICE_DOES_NOT_EXIST: (
                "There is none.",
                "Set it up: `decorum service install`.",
            ),
        }
        detail, remedy = words.get(error.winerror, (f"It cannot {what} ({error.strerror}).", _NEEDED))
        raise ServiceError(detail, remedy) from error
