"""What machines are told: the truth in a sentence, and numbers only to whom they are for."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from server import probes
from server.fleet import secrets
from server.identity import CERTIFICATE_LIFE, Identity
from tests.postgresql import Postgresql
from tests.server.conftest import Environ, FakeClock, seen
from tests.server.running_server import Server, enrolled, trouble
from tests.server.simulated_device import SimulatedDevice

TOKEN = "correct-horse-battery"


@pytest.fixture
def configured(settings: Settings, identity: Identity) -> Callable[..., None]:
    def configure(**changes: object) -> None:
        settings.CONFIGURATION = msgspec.structs.replace(settings.CONFIGURATION, **changes)

    return configure


def metrics(client: Client, **headers: str) -> dict[str, float]:
    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"} | headers)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    text = response.content.decode()
    assert re.fullmatch(
        r'(# HELP decorum_\w+ [^\n]+\n# TYPE decorum_\w+ gauge\n(decorum_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [-+.e\d]+\n)*)+',
        text,
    )
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def test_it_lives_whatever_host_is_named(db: None) -> None:
    response = Client().get("/health/live", headers={"host": "10.0.0.5"})
    assert (response.status_code, response.content) == (200, b"The server answers.\n")
    assert not response.cookies


def test_it_is_ready_once_everything_is_there(identity: Identity) -> None:
    response = Client().get("/health/ready", headers={"host": "10.0.0.5"})
    assert (response.status_code, response.content) == (200, b"The server is ready.\n")


@pytest.mark.expected_warnings("Service Unavailable")
def test_it_is_not_ready_without_its_keys(identity: Identity, settings: Settings) -> None:
    assert settings.STATE is not None
    key = Path(settings.STATE) / "keys/policy.jwk"
    key.write_text("damaged")
    response = Client().get("/health/ready")
    assert response.status_code == 503
    assert b"keys cannot be read" in response.content
    assert str(key).encode() not in response.content


@pytest.mark.expected_warnings("Service Unavailable")
def test_it_is_not_ready_with_an_old_database(identity: Identity) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(name) FROM django_migrations WHERE app = 'fleet'")
        (newest,) = cursor.fetchone()
        cursor.execute("DELETE FROM django_migrations WHERE app = 'fleet' AND name = %s", [newest])
    response = Client().get("/health/ready")
    assert (response.status_code, b"decorum-server migrate" in response.content) == (503, True)


@pytest.mark.expected_warnings("Service Unavailable")
def test_it_is_not_ready_without_its_database(
    identity: Identity, configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OperationalError("connection to 10.1.2.3 failed")

    configured(metrics_token=TOKEN)
    monkeypatch.setattr(probes, "pending_migrations", fails)
    monkeypatch.setattr(probes, "current", fails)
    for path in ("/health/ready", "/metrics"):
        response = Client().get(path, headers={"authorization": f"Bearer {TOKEN}"})
        assert (response.status_code, response.content) == (503, b"The database does not answer.\n")


@pytest.mark.parametrize(
    ("configuration", "headers", "address", "status"),
    [
        ({}, {}, "127.0.0.1", 403),
        ({}, {"authorization": "Bearer "}, "127.0.0.1", 403),
        ({}, {"authorization": "Bearer None"}, "127.0.0.1", 403),
        ({"metrics_token": TOKEN}, {}, "127.0.0.1", 403),
        ({"metrics_token": TOKEN}, {"authorization": f"Bearer {TOKEN}"}, "192.0.2.1", 200),
        ({"metrics_token": TOKEN}, {"authorization": f"Bearer {TOKEN}x"}, "192.0.2.1", 403),
        ({"metrics_token": TOKEN}, {"authorization": "Bearer \N{SNOWMAN}"}, "192.0.2.1", 403),
        ({"metrics_addresses": "192.0.2.0/24, 2001:db8::1"}, {}, "192.0.2.7", 200),
        ({"metrics_addresses": "192.0.2.0/24, 2001:db8::1"}, {}, "::ffff:192.0.2.7", 200),
        ({"metrics_addresses": "192.0.2.0/24, 2001:db8::1"}, {}, "2001:db8::1", 200),
        ({"metrics_addresses": "192.0.2.0/24"}, {}, "192.0.3.7", 403),
        ({"metrics_addresses": "192.0.2.0/24"}, {}, "", 403),
        ({"metrics_addresses": "192.0.2.0/24"}, {"x-forwarded-for": "192.0.2.7"}, "127.0.0.1", 403),
        (
            {"metrics_addresses": "192.0.2.0/24", "behind_proxy": True},
            {"x-forwarded-for": "192.0.2.7"},
            "127.0.0.1",
            200,
        ),
    ],
)
def test_metrics_are_for_whom_the_settings_allow(
    configured: Callable[..., None],
    configuration: dict[str, object],
    headers: dict[str, str],
    address: str,
    status: int,
) -> None:
    configured(**configuration)
    response = Client(REMOTE_ADDR=address).get("/metrics", headers=headers)
    assert response.status_code == status
    if status == 403:
        assert b"DECORUM_SERVER_METRICS_TOKEN" in response.content


def test_numbers_are_those_of_the_fleet(
    configured: Callable[..., None],
    device: SimulatedDevice,
    publish: Callable[..., object],
    issue: Callable[..., str],
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configured(metrics_token=TOKEN)
    monkeypatch.setattr(probes, "utc_now", lambda: clock.now)
    empty = metrics(Client())
    assert "decorum_policy_expires_timestamp_seconds" not in empty
    assert empty["decorum_devices_with_policy"] == 0
    publish()
    device.check_in()
    device.check_in(device.report(seen("5e" * 16, "started", "violation", clock.now)), waiting=7)
    device.check_in(device.report(seen("5e" * 16, "started", "violation", clock.now), sequence=1), waiting=7)
    issue(note="Anna's laptop")
    told = metrics(Client())
    for name, value in {
        'decorum_devices{standing="not_in_line"}': 1,
        'decorum_devices{standing="in_line"}': 0,
        "decorum_devices_with_policy": 1,
        "decorum_devices_forked": 1,
        "decorum_devices_with_losses": 0,
        "decorum_reports_waiting": 7,
        'decorum_sightings_open{verdict="violation"}': 1,
        "decorum_enrolment_secrets_open": 2,
        "decorum_policy_serial": 1,
        "decorum_check_in_last_timestamp_seconds": clock.now.timestamp(),
        "decorum_certificates_expire_timestamp_seconds": (clock.now + CERTIFICATE_LIFE).timestamp(),
    }.items():
        assert told[name] == pytest.approx(value, abs=0.001), name
    text = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).content.decode()
    for secret in ("Anna", "desk-1", device.id, "telegram", secrets.__name__, TOKEN):
        assert secret not in text


@pytest.mark.only_postgresql
@pytest.mark.timeout(60)
def test_a_server_outlives_its_databases_absence(
    tmp_path: Path, new_database: Callable[[], Environ], postgresql: Postgresql
) -> None:
    environ = new_database()
    server = Server(tmp_path / "state", environ)
    (url,) = environ.values()
    name = url.partition("@/")[2].partition("?")[0]
    with server.running() as process:
        device = enrolled(server)
        report = device.report(trouble(1))
        device.check_in(report)
        with ThreadPoolExecutor(8) as pool:  # every thread of the server has a connection now
            assert {status for status, _ in pool.map(server.get, ["/health/ready"] * 32)} == {200}
        postgresql.ask("postgres", f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgresql.ask(
            "postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        assert server.get("/health/live")[0] == 200
        assert server.get("/health/ready") == (503, b"The database does not answer.\n")
        status, body = server.post("/agent/v1/check-in", msgspec.json.encode(device.request(report)))
        assert (status, b'"busy"' in body) == (503, True)
        postgresql.ask("postgres", f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        with ThreadPoolExecutor(8) as pool:  # and none fails because its own was cut
            assert {status for status, _ in pool.map(server.get, ["/health/ready"] * 32)} == {200}
        assert device.check_in(report, device.report(trouble(2)))[0].taken_up_to == 2
        assert process.poll() is None
