"""D-Bus services: the command that the bus starts an application by (D-Bus Specification 0.42, "Message Bus Starting Services")."""

import shlex
from pathlib import Path

from contract import programs

FILE_LIMIT_BYTES = 16 * 1024


def bus_name(command: tuple[str, ...], desktop_id: str, *, is_started_by_bus: bool) -> str | None:
    """Return the name under which the bus starts an application, None where it does not.

    `gapplication launch NAME` (gapplication(1)) asks for it, and so does an entry with DBusActivatable, by its own id.
    """
    if programs.base_name(command[0]) == "gapplication" and command[1:2] == ("launch",):
        return next((word for word in command[2:] if not word.startswith("-")), None)
    return desktop_id if is_started_by_bus else None


def bus_command(share: Path, name: str) -> tuple[str, ...]:
    """Return the words that start a service, none where there is no such service or its file is malformed.

    Args:
        share: the folder that holds `dbus-1`.
        name: the service's name.
    """
    if "/" in name:
        return ()
    file = share / "dbus-1" / "services" / f"{name}.service"
    try:
        if not file.is_file():
            return ()
        with file.open("rb") as opened:
            lines = opened.read(FILE_LIMIT_BYTES).decode().splitlines()
        value = next(
            (line.partition("=")[2] for line in lines if line.replace(" ", "").startswith("Exec=")), ""
        )
        return tuple(shlex.split(value))
    except (OSError, ValueError):
        return ()
