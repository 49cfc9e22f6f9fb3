r"""Windows, without an administrator: a user's own agent, started at logon by the user's own `Run` key (Microsoft, "Run and RunOnce").

Nothing starts it again before the next logon if it fails. The agent is a program with a terminal, so it starts itself once more without one.
"""

import subprocess
import sys
import winreg
from collections.abc import Sequence

from agent.errors import ServiceError
from agent.folders import folders_of

assert sys.platform == "win32"  # tells the type checker whose calls these are

RUN_KEY = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run"
VALUE = "Decorum agent"


def install(program: Sequence[str]) -> None:
    """Have the agent started at each logon, and start it now.

    Args:
        program: the command line that is `decorum`.

    Raises:
        ServiceError: it is there already, or may not be written.
    """
    try:
        with winreg.CreateKeyEx(winreg.HKEY_CURRENT_USER, RUN_KEY, access=winreg.KEY_ALL_ACCESS) as key:
            if _is_set(key):
                raise ServiceError("It is set up already.", "Take it away first: `decorum service remove`.")
            command = subprocess.list2cmdline([*program, "service", "run", "--scope", "user"])
            winreg.SetValueEx(key, VALUE, 0, winreg.REG_SZ, command)
    except OSError as error:
        raise ServiceError(
            f"HKCU\\{RUN_KEY} cannot be written ({error}).", "Ask your administrator."
        ) from error
    start(program)


def remove() -> None:
    """Have the agent started no more; the one that runs stays until the user logs off.

    Raises:
        ServiceError: there is none.
    """
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, RUN_KEY, access=winreg.KEY_ALL_ACCESS) as key:
            winreg.DeleteValue(key, VALUE)
    except OSError as error:
        raise ServiceError("There is none.", "Set it up: `decorum service install`.") from error


def start(program: Sequence[str]) -> None:
    """Start the user's own agent without a terminal; what it complains of is in `agent.log` beside its state.

    Args:
        program: the command line that is `decorum`.
    """
    folder = folders_of("user").state.parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "agent.log").open("wb") as log:
        subprocess.Popen(
            [*program, "run", "--scope", "user"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            creationflags=subprocess.CREATE_NO_WINDOW,
        )


def _is_set(key: winreg.HKEYType) -> bool:
    try:
        winreg.QueryValueEx(key, VALUE)
    except FileNotFoundError:
        return False
    return True
