"""Gives jobs to launchd and takes them away again; it has not run on macOS yet, only against a stand-in."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.errors import ServiceError
from agent.service import launchd
from contract.places import Scope

Call = Callable[[Sequence[str]], None]
"""Runs a program; raises OSError or subprocess.SubprocessError if it fails."""
LAUNCHCTL = "/bin/launchctl"
PATIENCE_SECONDS = 30.0


class Jobs:
    """Owns where a scope's job lies, and in which of launchd's domains.

    Args:
        scope: the system's agent or this user's own.
        uid: this user.
        home: their home.
        root: the root of the file system, another in tests.
        call: how programs are run.
    """

    def __init__(
        self, scope: Scope, uid: int, home: Path, root: Path = Path("/"), call: Call | None = None
    ) -> None:
        is_systems = scope == "system"
        self._scope, self._home, self._call = scope, home, call or _call
        self._domain = "system" if is_systems else f"gui/{uid}"
        folder = root / launchd.DAEMONS.lstrip("/") if is_systems else home / "Library/LaunchAgents"
        self._file = folder / f"{launchd.AGENT_LABEL}.plist"

    def install(self, program: Sequence[str]) -> None:
        """Write the job down and have it started, now and from now on.

        Raises:
            ServiceError: it is there already, cannot be written, or launchd refuses.
        """
        job = (
            launchd.daemon(program)
            if self._scope == "system"
            else launchd.users_agent(program, str(self._home))
        )
        if self._file.exists():
            raise ServiceError("It is set up already.", "Take it away first: `decorum service remove`.")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_bytes(launchd.written(job))
            self._file.chmod(0o644)  # launchd refuses one that others may write
            self._call((LAUNCHCTL, "bootstrap", self._domain, str(self._file)))
        except (OSError, subprocess.SubprocessError) as error:
            self._file.unlink(missing_ok=True)
            raise ServiceError(f"launchd did not take it ({error}).", _remedy(self._scope)) from error

    def remove(self) -> None:
        """Have it stopped, and take it away; its state stays.

        Raises:
            ServiceError: there is none, or launchd refuses.
        """
        if not self._file.exists():
            raise ServiceError("There is none.", "Set it up: `decorum service install`.")
        try:
            self._call((LAUNCHCTL, "bootout", f"{self._domain}/{launchd.AGENT_LABEL}"))
            self._file.unlink()
        except (OSError, subprocess.SubprocessError) as error:
            raise ServiceError(f"launchd did not let it go ({error}).", _remedy(self._scope)) from error


def _remedy(scope: Scope) -> str:
    return "Run this with sudo." if scope == "system" else "Run this in the user's own session."


def _call(command: Sequence[str]) -> None:
    subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C"},
        timeout=PATIENCE_SECONDS,
        check=True,
    )
