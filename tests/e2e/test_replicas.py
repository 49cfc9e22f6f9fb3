"""Two servers behind one address, on one PostgreSQL with the same keys: whatever either does, the other knows."""

import contextlib
import http.client
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contract.observations import Trouble
from server import databases
from server.policies.templates import template
from tests.e2e.round_robin import RoundRobin
from tests.e2e.stage import Stage, free_port, staged, wait_for
from tests.postgresql import running_postgresql
from tests.server.simulated_device import Report, SimulatedDevice

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
DEVICES = 6
NAMES = ("first", "second")


class Fleet:
    """Both replicas, what stands before them, and their database."""

    def __init__(self, stage: Stage, database: str) -> None:
        self.stage, self.database = stage, database
        self.ports = {name: free_port() for name in NAMES}
        self.balancer = RoundRobin(tuple(self.ports.values()))
        self.environ = {
            databases.VARIABLE: database,
            "DECORUM_SERVER_URL": f"http://127.0.0.1:{self.balancer.port}",
        }
        stage.environment |= self.environ
        stage.server("migrate", "--tenant", "acme", "--company", "Acme")
        shutil.copytree(stage.folder / "server", stage.folder / "second")
        (stage.folder / "second/keys/root.jwk").unlink()  # only the one that renews certificates needs it

    def start(self, name: str) -> None:
        folder = self.stage.folder / ("server" if name == "first" else name)
        address = f"127.0.0.1:{self.ports[name]}"
        command = (sys.executable, "-m", "server.cli", "--state", str(folder), "run", "--address", address)
        self.stage.start(name, *command)
        wait_for(lambda: self._answers(name), f"the {name} server's first answer", 30)

    def _answers(self, name: str) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/login/", self.ports[name])[0] == 200
        return False

    def get(self, path: str, port: int | None = None, cookie: str = "") -> tuple[int, str, str]:
        """Return status, cookies and page."""
        return self._request("GET", path, None, port, {"cookie": cookie})

    def _request(
        self, method: str, path: str, body: bytes | None, port: int | None, headers: dict[str, str]
    ) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.balancer.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            cookies = [
                value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"
            ]
            return answer.status, "; ".join(cookies), answer.read().decode()

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send as a device does; what breaks off is sent again, as agents do."""
        for _ in range(20):
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, _, text = self._request(
                    "POST", path, body, None, {"content-type": "application/json"}
                )
                if status not in {500, 503}:
                    return status, text.encode()
        raise AssertionError("no answer after twenty tries")

    def sign_in(self) -> str:
        """Sign in by a link, a page from either server; return the session's cookie."""
        link = self.stage.server("login-link", "admin").strip()
        path = urllib.parse.urlsplit(link).path
        _, cookie, page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        form = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1]}).encode()
        headers = {"cookie": cookie, "content-type": "application/x-www-form-urlencoded"}
        status, session, _ = self._request("POST", path, form, None, headers)
        assert status == 302
        return session

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(statement.encode()).fetchall()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with running_postgresql() as postgresql, staged(tmp_path) as stage:
        fleet = Fleet(stage, postgresql.new_database())
        try:
            for name in NAMES:
                fleet.start(name)
            yield fleet
        finally:
            fleet.balancer.close()


def _trouble() -> Trouble:
    return Trouble(code=secrets.token_hex(4), detail="", at=datetime.now(UTC))


def _live(device: SimulatedDevice, went: threading.Semaphore, enough: threading.Event) -> int:
    """Report until told to stop, each report a second time, as after a lost answer; return how many there were."""
    last: tuple[Report, ...] = ()
    while not enough.is_set():
        report = device.report(_trouble())
        device.check_in(report)
        acknowledgement, _ = device.check_in(*last, report)
        assert (acknowledgement.forks, acknowledgement.missing) == ((), ())
        last = (report,)
        went.release()
    return device.sequence


def test_two_replicas_are_one_server(fleet: Fleet) -> None:
    stage = fleet.stage
    secret = stage.server("enrol-secret", "--uses", str(DEVICES)).strip()
    policy = stage.folder / "policy.toml"
    policy.write_text(template("ban", "Acme"))
    stage.server("policy", "apply", str(policy))
    devices = [SimulatedDevice(fleet.post) for _ in range(DEVICES)]
    went, enough = threading.Semaphore(0), threading.Event()

    def wait_for_more() -> None:
        for _ in range(DEVICES * 3):
            assert went.acquire(timeout=60)

    with ThreadPoolExecutor(DEVICES + 2) as pool:
        list(pool.map(lambda device: device.enrol(secret), devices))
        lives = [pool.submit(_live, device, went, enough) for device in devices]
        try:
            wait_for_more()
            # Two at once, while both servers work: a server is brought up to date like this.
            migrations = [pool.submit(stage.run, "server.cli", "migrate") for _ in range(2)]
            assert [done.result().returncode for done in migrations] == [0, 0], migrations
            assert min(fleet.balancer.served[port] for port in fleet.ports.values()) > 5
            os.killpg(stage.pid_of("second"), signal.SIGKILL)
            stage.end("second")
            while went.acquire(blocking=False):
                pass
            wait_for_more()
        finally:
            enough.set()
        told = [life.result() for life in lives]
    fleet.start("second")
    for device, count in zip(devices, told, strict=True):
        acknowledgement, _ = device.check_in(device.report(_trouble()))
        assert (acknowledgement.taken_up_to, acknowledgement.current_serial) == (count + 1, 1)
    stored = "SELECT count(*), count(DISTINCT (device_id, sequence)) FROM fleet_receivedobservation"
    assert fleet.ask(stored) == [(sum(told) + DEVICES, sum(told) + DEVICES)]
    assert fleet.ask("SELECT count(*) FROM fleet_receivedobservation WHERE is_fork") == [(0,)]
    assert fleet.ask("SELECT uses FROM fleet_enrolmentsecret") == [(DEVICES,)]
    assert "Traceback" not in stage.log("first")


def test_who_signed_in_at_one_is_signed_in_at_the_other(fleet: Fleet) -> None:
    fleet.stage.server("create-admin", "admin")
    session = fleet.sign_in()
    for port in fleet.ports.values():
        status, _, page = fleet.get("/", port, session)
        assert (status, "No device is enrolled yet" in page) == (200, True)
    fleet.stage.end("first")
    assert fleet.get("/", cookie=session)[0] == 200


def test_a_server_with_other_keys_does_not_touch_the_records(fleet: Fleet) -> None:
    def server(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        return fleet.stage.run("server.cli", "--state", str(folder), *words)

    stranger = fleet.stage.folder / "stranger"
    refused = server(stranger, "migrate")
    assert (refused.returncode, "belongs to the server with root" in refused.stderr) == (1, True)
    assert not (stranger / "keys").exists()
    second = fleet.stage.folder / "second"
    (second / "secret_key").write_text("another")
    refused = server(second, "run", "--address", f"127.0.0.1:{free_port()}")
    assert (refused.returncode, "secret_key is not the one" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr
