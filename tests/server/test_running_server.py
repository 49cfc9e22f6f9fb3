"""The production server as a process: exactly once under concurrency, sudden ends, and how it starts and stops."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.server.conftest import Environ
from tests.server.running_server import ROOT, Server, enrolled, trouble
from tests.server.simulated_device import RefusedError, SimulatedDevice

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], Environ]) -> Server:
    return Server(tmp_path_factory.mktemp("server") / "state", new_database())


def test_at_once_from_everywhere_is_still_exactly_once(server: Server) -> None:
    with server.running("--workers", "2"), ThreadPoolExecutor(8) as pool:
        devices = [enrolled(server) for _ in range(4)]
        requests = [
            device.request(device.report(trouble(1)), device.report(trouble(2))) for device in devices
        ]
        jobs = [
            pool.submit(device.send, request)
            for device, request in zip(devices, requests, strict=True)
            for _ in range(6)
        ]
        for job in jobs:
            assert job.result()
        for device in devices:
            acknowledgement, _ = device.check_in(device.report(trouble(3)))
            assert (acknowledgement.taken_up_to, acknowledgement.forks, acknowledgement.missing) == (
                3,
                (),
                (),
            )


def test_a_refusal_is_written_down_once_however_many_come_at_once(server: Server) -> None:
    with server.running("--workers", "2"), ThreadPoolExecutor(8) as pool:
        device = enrolled(server)
        clones = [SimulatedDevice(server.post) for _ in range(16)]
        for clone in clones:
            clone.id = device.id
        for job in [pool.submit(_reason, clone) for clone in clones]:
            assert job.result() == "seal_signature"
    count = f"SELECT count(*) FROM access_auditentry WHERE subject = 'device {device.id}'"
    assert server.ask(f"{count} AND action = 'check_in.seal_signature'") == [(1,)]


def _reason(device: SimulatedDevice) -> str:
    with pytest.raises(RefusedError) as refused:
        device.check_in()
    return refused.value.reason


def test_serials_are_given_once_however_many_publish_at_once(server: Server) -> None:
    text = server.command("policy", "template", "ban")
    texts = [text.replace("version = 1\n", f"version = {version}\n", 1) for version in range(2, 6)]
    before = len(server.ask("SELECT serial FROM policies_publication"))
    with ThreadPoolExecutor(4) as pool:
        for job in [pool.submit(server.command, "policy", "apply", "-", given=one) for one in texts]:
            assert "is published" in job.result()
    serials = [serial for (serial,) in server.ask("SELECT serial FROM policies_publication ORDER BY serial")]
    assert serials == list(range(1, before + 5))


def test_a_running_server_erases_by_itself_and_only_one_worker_does(server: Server) -> None:
    server.command("policy", "apply", "-", given=server.command("policy", "template", "records"))
    count = "SELECT count(*) FROM access_auditentry WHERE action = 'retention.applied' AND actor = 'server'"
    with server.running("--workers", "2"):
        deadline = time.monotonic() + 20
        while server.ask(count) == [(0,)] and time.monotonic() < deadline:
            time.sleep(0.05)
    with server.running("--workers", "2"):
        pass
    assert server.ask(count) == [(1,)]


def test_a_quota_holds_against_many_at_once(server: Server) -> None:
    secret = server.command("enrol-secret", "--uses", "3")

    def enrol(_number: int) -> str:
        try:
            SimulatedDevice(server.post).enrol(secret)
        except RefusedError as error:
            return error.reason
        return "taken in"

    with server.running("--workers", "2"), ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(enrol, range(12)))
    assert outcomes == {"taken in": 3, "secret_used_up": 9}


def test_what_was_acknowledged_survives_a_sudden_end(server: Server) -> None:
    with server.running() as process:
        device = enrolled(server)
        reports = [device.report(trouble(number)) for number in range(5)]
        assert device.check_in(*reports)[0].taken_up_to == 5
        for child in _children(process.pid):
            os.kill(child, signal.SIGKILL)
        process.wait(20)
        assert process.returncode != 0
    with server.running():
        assert device.check_in(*reports)[0].taken_up_to == 5


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_time_when_told_to(server: Server, how: signal.Signals) -> None:
    with server.running() as process:
        process.send_signal(how)
        out, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert out == f"Serving Acme at http://{server.address} (Ctrl-C stops).\n"
    assert errors == ""


def test_nothing_stays_behind_when_it_is_killed(server: Server) -> None:
    with server.running() as process:
        process.kill()
        process.wait(10)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", server.port)) != 0:
                    return
            time.sleep(0.05)
    raise AssertionError("a worker still listens")


def test_a_taken_port_is_said_so(server: Server) -> None:
    with server.running():
        second = subprocess.run(
            [sys.executable, "-m", "server.cli", "run", "--address", server.address],
            cwd=ROOT,
            env=server.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert (second.returncode, "Address already in use" in second.stderr) == (1, True)
    assert "Traceback" not in second.stderr


def test_more_than_the_limit_is_refused_before_it_is_read(server: Server) -> None:
    with server.running(), closing(socket.create_connection(("127.0.0.1", server.port), 10)) as connection:
        connection.sendall(
            b"POST /agent/v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000000000\r\n\r\n{"
        )
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_of_unknown_length_is_refused_not_waited_for(server: Server) -> None:
    with server.running(), closing(socket.create_connection(("127.0.0.1", server.port), 10)) as connection:
        connection.sendall(
            b"POST /agent/v1/enrol HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        )
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_the_console_is_there(server: Server) -> None:
    with server.running():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        with closing(connection):
            connection.request("GET", "/login/")
            answer = connection.getresponse()
            assert (answer.status, b"Sign in" in answer.read()) == (200, True)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
