"""Enrols from a file: whoever installs a device lays the enrolment secret into the state folder, and the agent does the rest.

The file is looked for while the device is not enrolled, so it may come before the agent starts or long after. It is erased as soon as
the server has taken the device in. A secret that is refused stays, is reported as a problem, and is tried again later and later; another
file is tried at once.
"""

import asyncio
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

from agent.errors import AgentError, EnrolmentError, UnreachableError
from agent.problems import Problems
from agent.reporting.background import in_background
from agent.reporting.backoff import Backoff
from agent.reporting.enrolment import Enroller, current_enrolment
from agent.reporting.transport import Transport
from agent.settings import Settings
from agent.store import Store
from contract.errors import MalformedError
from contract.messages import Assurance

FILE_NAME = "enrolment-secret"
LOOK_SECONDS = 2.0
"""How often it is looked whether a file has come, or another."""
LOOK_ENROLLED_SECONDS = 60.0
"""How often on a device that is enrolled, where a secret is only left to be erased."""
LIMIT_BYTES = 1024
PROBLEM = "enrolment"
_Stamp = tuple[int, int, int]
_log = logging.getLogger(__name__)


class SecretFile:
    """Owns the file with the enrolment secret, and when it is tried.

    Args:
        file: where the secret is laid; one line.
        on_change: called when a problem comes or goes.
    """

    def __init__(
        self,
        file: Path,
        store: Store,
        enroller: Enroller,
        transport: Transport,
        settings: Settings,
        assurance: Assurance,
        backoff: Backoff,
        problems: Problems,
        on_change: Callable[[], None],
    ) -> None:
        self._file, self._store, self._enroller, self._transport = file, store, enroller, transport
        self._settings, self._assurance, self._backoff = settings, assurance, backoff
        self._problems, self._on_change = problems, on_change

    async def run(self) -> None:
        """Look for the file until cancelled."""
        clock = asyncio.get_running_loop().time
        tried: _Stamp | None = None
        again_at = 0.0
        while True:
            stamp = self._stamp()
            if stamp is None:
                self._clear()
            elif stamp != tried or clock() >= again_at:
                if stamp != tried:
                    self._backoff.succeeded()
                tried = stamp
                await self._use()
                again_at = clock() + self._backoff.after_failure()
            is_enrolled = current_enrolment(self._store) is not None
            await asyncio.sleep(LOOK_ENROLLED_SECONDS if is_enrolled else LOOK_SECONDS)

    def _stamp(self) -> _Stamp | None:
        """Return what is another once the file is; None if there is none."""
        try:
            found = self._file.lstat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    async def _use(self) -> None:
        """Enrol with the secret and erase it; a secret that is no longer needed is erased as well."""
        try:
            if current_enrolment(self._store) is None:
                await self._enrol()
            self._erase()
        except UnreachableError as error:
            # Expected on a device that was installed before it had a network; the server's state says so already.
            _log.info("%s", error)
        except (AgentError, MalformedError) as error:
            if self._problems.report(PROBLEM, error):
                self._on_change()
        else:
            self._clear()

    async def _enrol(self) -> None:
        server = self._settings.server_url
        if server is None:
            raise EnrolmentError(
                "There is an enrolment secret, but no server is named.",
                "Set server_url in the settings, then start the agent again.",
            )
        prepared = self._enroller.prepare(server.rstrip("/"), self._read(), self._settings, self._assurance)
        answer = await in_background(
            lambda: self._transport.post(prepared.url, prepared.request), "enrolment"
        )
        enrolment = self._enroller.complete(prepared, answer)
        _log.info("enrolled with %s as %s", enrolment.company, enrolment.device)

    def _read(self) -> str:
        """Return the secret; what is no plain, short file is refused."""
        remedy = f"Write the secret to {self._file} again, owned by the agent's user, mode 600."
        try:
            descriptor = os.open(
                self._file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
            )
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise EnrolmentError(f"{self._file} is no plain file.", remedy)
                untrusted_bytes = file.read(LIMIT_BYTES + 1)
            secret = untrusted_bytes.decode("ascii").strip()
        except OSError as error:
            raise EnrolmentError(f"{self._file} cannot be read ({error.strerror}).", remedy) from error
        except UnicodeDecodeError as error:
            raise EnrolmentError(f"{self._file} holds no enrolment secret.", remedy) from error
        if len(untrusted_bytes) > LIMIT_BYTES or not secret.isprintable():
            raise EnrolmentError(f"{self._file} holds no enrolment secret.", remedy)
        return secret

    def _erase(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise EnrolmentError(
                f"The secret in {self._file} is used and cannot be erased ({error.strerror}).",
                "Erase it by hand.",
            ) from error

    def _clear(self) -> None:
        if self._problems.clear(PROBLEM):
            self._on_change()
