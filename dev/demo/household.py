"""What the demo consists of, and in which order it comes up: the first time, and every other time."""

import asyncio
import hashlib
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dev.demo.errors import DemoError
from dev.demo.folder import RunFolder
from dev.demo.programs import Programs
from dev.demo.surroundings import (
    HOST,
    free_port,
    has_display,
    is_free,
    until_http_answers,
    until_socket_answers,
    who_listens,
)

MODEL = "server/policies/models/restrict.toml"
BIN = Path(sys.executable).parent
TENANT, COMPANY, ADMINISTRATOR = "acme", "Acme", "admin"
CHECK_IN_SECONDS = 30
SIMULATED, SIMULATED_DAYS = "simulated devices", 14


class Household:
    """Knows the commands; `Programs` runs them.

    Args:
        checkout: the folder of the source.
        folder: where everything is kept, already opened.
        environ: this process's environment.
        simulated: how many simulated devices there are besides the real one.
    """

    def __init__(
        self, checkout: Path, folder: RunFolder, environ: Mapping[str, str], simulated: int = 0
    ) -> None:
        folder.make_rooms()
        self._simulated = simulated
        self._checkout = checkout
        self._folder = folder
        self._memory = folder.remembered()
        self._socket = folder.socket()
        self._port = self._choose_port()
        self._address = f"http://{HOST}:{self._port}"
        self._has_display = has_display(environ)
        self.environment = {
            **{name: value for name, value in environ.items() if not name.startswith("DECORUM_")},
            "DECORUM_SERVER_STATE": str(folder.server),
            "DECORUM_SERVER_URL": self._address,
            "DECORUM_SERVER_CHECK_IN_SECONDS": str(CHECK_IN_SECONDS),
        }

    async def bring_up(self, programs: Programs, say: Callable[[str], None]) -> str:
        """Start everything; return what a person should know then.

        Raises:
            DemoError: a step failed.
        """
        say(f"State is kept in {self._folder.path} (`make clean-run` removes it).")
        is_first = not self._memory.get("ready")
        if is_first:
            say(
                "This is the first start: making the server's database, a policy, an administrator and a device."
            )
        await self._prepare_server(programs, is_first=is_first)
        await programs.start(
            "server", [*_program("decorum-server"), "run", "--address", f"{HOST}:{self._port}"]
        )
        link = asyncio.create_task(self._login_link(programs))
        if is_first:
            await until_http_answers(self._port)
            await self._enrol(programs)
        await self._start_device(programs)
        await asyncio.gather(until_http_answers(self._port), until_socket_answers(self._socket), link)
        if self._simulated:
            say(f"Filling the console with {self._simulated} simulated devices; this takes some seconds.")
            await self._simulate(programs)
        return self._told(link.result())

    async def _prepare_server(self, programs: Programs, *, is_first: bool) -> None:
        schema = _digest_of(sorted((self._checkout / "server").glob("*/migrations/*.py")))
        server = _program("decorum-server")
        if self._memory.get("schema") != schema:
            await programs.finish("migrate", [*server, "migrate", "--tenant", TENANT, "--company", COMPANY])
        self._memory |= {"port": self._port, "schema": schema}
        if is_first:
            await programs.finish("policy", [*server, "policy", "apply", str(self._checkout / MODEL)])
            await programs.finish("create-admin", [*server, "create-admin", ADMINISTRATOR])
        self._folder.remember(self._memory)

    async def _login_link(self, programs: Programs) -> str:
        command = [*_program("decorum-server"), "login-link", ADMINISTRATOR, "--base-url", self._address]
        return _last_word(await programs.finish("login-link", command))

    async def _enrol(self, programs: Programs) -> None:
        secret = _last_word(
            await programs.finish("enrol-secret", [*_program("decorum-server"), "enrol-secret"])
        )
        root = _last_word(
            await programs.finish("root-fingerprint", [*_program("decorum-server"), "root-fingerprint"])
        )
        self._write_settings({"server_url": self._address, "root_fingerprint": root})
        enrol = [*_program("decorum"), "enrol", "--server", self._address, "--secret", secret]
        await programs.finish("enrol", [*enrol, *self._places()])
        self._memory["ready"] = True
        self._folder.remember(self._memory)

    def _write_settings(self, values: Mapping[str, str]) -> None:
        text = (self._checkout / "dev/demo/settings.toml").read_text(encoding="utf-8")
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        self._folder.settings.write_text(text, encoding="utf-8")

    async def _start_device(self, programs: Programs) -> None:
        socket = ["--socket", str(self._socket)]
        await programs.start("agent", [*_program("decorum"), "run", *self._places(), *socket])
        if self._has_display:
            await programs.start("tray", [*_program("decorum-tray"), *socket])

    async def _simulate(self, programs: Programs) -> None:
        """Tell the server of the days up to now, then let the simulated people go on working while the demo runs."""
        secret = _last_word(
            await programs.finish(
                "enrol-secret",
                [
                    *_program("decorum-server"),
                    "enrol-secret",
                    "--uses",
                    str(self._simulated),
                    "--note",
                    SIMULATED,
                ],
            )
        )
        fleet = [sys.executable, "-m", "bench.simulator", "--url", self._address, "--secret", secret]
        fleet += ["--devices", str(self._simulated), "--keep", str(self._folder.server / "simulated.json")]
        past = ["--days", str(SIMULATED_DAYS), "--ramp", "1", "--heartbeat", "0", "--together", "720"]
        await programs.finish("simulated-past", [*fleet, *past])
        await programs.start("simulated", [*fleet, "--heartbeat", "0", "--live", str(CHECK_IN_SECONDS)])

    def _places(self) -> list[str]:
        return ["--settings", str(self._folder.settings), "--state", str(self._folder.device / "state")]

    def _choose_port(self) -> int:
        known = self._memory.get("port")
        if isinstance(known, int):
            if not is_free(known):
                raise DemoError(
                    f"Port {known}, at which this demo's device is enrolled, is taken by {who_listens(known)}.\n"
                    "Stop that program, or start anew: make clean-run run"
                )
            return known
        port = free_port()
        if port is None:
            raise DemoError(
                f"No port is free on {HOST} from 8420 on. Stop one of the programs that listen there."
            )
        return port

    def _told(self, link: str) -> str:
        status = shlex.join([_relative(BIN / "decorum"), "status", "--socket", _relative(self._socket)])
        tray = "in your panel" if self._has_display else "No display: running without the tray."
        return (
            "\nDecorum is running.\n\n"
            f"  Console   {self._address}/\n"
            f"  Sign in   {link}\n"
            "            (works once)\n"
            f"  Tray      {tray}\n"
            f"{self._of_simulated()}"
            f"  Try       {status}\n"
            f"  Logs      {self._folder.logs}\n"
        )

    def _of_simulated(self) -> str:
        if not self._simulated:
            return ""
        return f"  Devices   this one, and {self._simulated} simulated ones with the last {SIMULATED_DAYS} days of made-up people\n"


def _program(name: str) -> list[str]:
    return [str(BIN / name)]


def _relative(path: Path) -> str:
    """Return the shorter way to say it to somebody who is in the current folder."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _last_word(written: str) -> str:
    words = written.split()
    if not words:
        raise DemoError("A command of the server printed nothing.")
    return words[-1]


def _digest_of(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
