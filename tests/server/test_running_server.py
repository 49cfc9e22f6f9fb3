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
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from server import databases
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


@pytest.mark.timeout(180)
def test_check_ins_that_wait_together_are_exactly_once_through_sudden_ends(server: Server) -> None:
    """Twenty-four devices at once, and the server is killed among them, twice; what has no answer is sent again."""
    secret = server.command("enrol-secret", "--uses", "24")
    with server.running():
        devices = [SimulatedDevice(server.post) for _ in range(24)]
        for device in devices:
            device.enrol(secret)
    for _ in range(2):
        requests = {
            device.id: device.request(*(device.report(trouble(1)) for _ in "ab")) for device in devices
        }
        with server.running() as process, ThreadPoolExecutor(24) as pool:
            answers = [pool.submit(device.send, requests[device.id]) for device in devices]
            next(as_completed(answers))
            for child in _children(process.pid):
                os.kill(child, signal.SIGKILL)
            wait(answers)
            process.wait(20)
        with server.running(), ThreadPoolExecutor(24) as pool:
            for device, first in zip(devices, answers, strict=True):
                if first.exception() is None:
                    told = device.answered(requests[device.id], first.result())[0]
                    assert told.taken_up_to == device.sequence
                else:
                    assert isinstance(first.exception(), OSError | http.client.HTTPException)
            again = [pool.submit(device.send, requests[device.id]) for device in devices]
            for device, answer in zip(devices, again, strict=True):
                told = device.answered(requests[device.id], answer.result())[0]
                assert (told.taken_up_to, told.missing, told.forks) == (device.sequence, (), ())
    ids = ", ".join(f"'{device.id}'" for device in devices)
    stored = server.ask(
        f"SELECT count(*), count(DISTINCT device_id || sequence) FROM fleet_receivedobservation WHERE device_id IN ({ids})"
    )
    assert stored == [(24 * 4, 24 * 4)]


@pytest.mark.only_postgresql
def test_a_device_that_is_locked_elsewhere_makes_no_other_wait(server: Server) -> None:
    """Its row is held by somebody, such as a replica that hangs; it waits there alone, and those that came with it are answered."""
    with server.running(), ThreadPoolExecutor(8) as pool:
        secret = server.command("enrol-secret", "--uses", "8")
        devices = [SimulatedDevice(server.post) for _ in range(8)]
        for device in devices:
            device.enrol(secret)
        held, *free = devices
        with psycopg.connect(server.environ[databases.VARIABLE]) as other:
            other.execute("SELECT 1 FROM fleet_device WHERE id = %s FOR UPDATE", [held.id])
            waiting = pool.submit(held.check_in, held.report(trouble(1)))
            jobs = [pool.submit(device.check_in, device.report(trouble(1))) for device in free]
            assert [job.result(15)[0].taken_up_to for job in jobs] == [1] * 7
            assert not waiting.done()
        assert waiting.result(15)[0].taken_up_to == 1


@pytest.mark.only_postgresql
def test_indexes_for_searching_are_made_while_others_write_and_one_that_was_interrupted_is_made_anew(
    server: Server,
) -> None:
    entry = "INSERT INTO access_auditentry (at, actor, action, subject, detail, address) VALUES (now(), 'a', 'x', %s, '', '')"
    url = server.environ[databases.VARIABLE]
    with psycopg.connect(url) as busy, psycopg.connect(url, autocommit=True) as other:
        other.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'audit_words'::regclass")
        busy.execute(entry, ["before"])
        with ThreadPoolExecutor(1) as pool:
            migrated = pool.submit(server.command, "migrate")
            making = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%INDEX CONCURRENTLY%audit_words%' AND pid <> pg_backend_pid()"
            while other.execute(making).fetchone() is None:
                assert not migrated.done(), migrated.result()
                time.sleep(0.05)
            other.execute("SET statement_timeout = '20s'")
            other.execute(entry, ["meanwhile"])
            assert not migrated.done()
            busy.commit()
            migrated.result(60)
        assert other.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'audit_words'::regclass"
        ).fetchone() == (True,)
        other.execute("SET enable_seqscan = off")
        asked = "EXPLAIN SELECT * FROM access_auditentry WHERE upper(subject::text) LIKE '%MEANWHILE%'"
        assert "audit_words" in str(other.execute(asked).fetchall())


@pytest.mark.only_postgresql
def test_check_ins_go_on_when_the_database_has_dropped_every_connection(server: Server) -> None:
    drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'decorum-server'"
    with server.running():
        device = enrolled(server)
        for number in range(1, 7):
            if number % 2:
                assert server.ask(drop)
            assert device.check_in(device.report(trouble(number)))[0].taken_up_to == number


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
