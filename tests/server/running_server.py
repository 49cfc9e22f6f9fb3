"""A production server as a process of its own, on either database."""

import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from contract.observations import Trouble
from server import databases
from server.state_folder import DATABASE
from tests.server.conftest import Environ
from tests.server.simulated_device import SimulatedDevice

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """A server on a free port, with a state folder of its own."""

    def __init__(self, state: Path, database: Environ) -> None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.address = f"127.0.0.1:{self.port}"
        self.environ = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "DECORUM_SERVER_STATE": str(state)}
        self.environ |= database
        self.command("migrate", "--tenant", "acme", "--company", "Acme")

    def command(self, *words: str, given: str = "", program: Path = ROOT) -> str:
        """Run `decorum-server` of this checkout, or of another folder that holds one."""
        done = subprocess.run(
            [sys.executable, "-m", "server.cli", *words],
            cwd=program,
            env=self.environ,
            input=given,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        url = self.environ.get(databases.VARIABLE)
        if url is None:
            with closing(sqlite3.connect(Path(self.environ["DECORUM_SERVER_STATE"]) / DATABASE)) as database:
                return database.execute(statement).fetchall()
        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode()).fetchall()

    @contextmanager
    def running(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        command = [sys.executable, "-m", "server.cli", "run", "--address", self.address, *words]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            self._wait_for(process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)

    def _wait_for(self, process: "subprocess.Popen[str]") -> None:
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            try:
                self.post("/agent/v1/enrol", b"{}")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the server did not start: {process.returncode}")

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with closing(connection):
            connection.request("POST", path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()


def enrolled(server: Server) -> SimulatedDevice:
    device = SimulatedDevice(server.post)
    device.enrol(server.command("enrol-secret"))
    return device


def trouble(number: int) -> Trouble:
    return Trouble(code=f"t{number}", detail="", at=datetime.now(UTC))
