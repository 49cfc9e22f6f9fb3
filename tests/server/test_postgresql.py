"""What is about PostgreSQL: the one setting that names it, and what it does otherwise than SQLite."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from server import databases
from server.access import audit
from server.configuration import from_environ
from server.errors import ConfigurationError
from server.identity import Identity
from server.locks import _number
from server.policies import composing, publishing
from tests.postgresql import GUARDED, Postgresql
from tests.server.conftest import FakeClock, Run
from tests.server.simulated_device import Post, SimulatedDevice


@pytest.mark.parametrize(
    ("url", "name", "host", "port"),
    [
        ("postgresql://decorum:s3cret@db.example.com:5433/fleet", "fleet", "db.example.com", "5433"),
        ("postgres://decorum:s3cret@/fleet?host=%2Frun%2Fpostgresql", "fleet", "/run/postgresql", ""),
        ("postgresql://decorum:s3cret@[2001:db8::1]/fleet?sslmode=verify-full", "fleet", "2001:db8::1", ""),
    ],
)
def test_one_setting_names_the_database(url: str, name: str, host: str, port: str) -> None:
    said = databases.postgresql(url)
    assert (said["NAME"], said["HOST"], said["PORT"], said["USER"], said["PASSWORD"]) == (
        name,
        host,
        port,
        "decorum",
        "s3cret",
    )
    assert said["OPTIONS"].get("sslmode") == ("verify-full" if "sslmode" in url else None)
    assert said["OPTIONS"]["connect_timeout"] == "10"


def test_what_the_url_says_wins_over_our_defaults() -> None:
    options = databases.postgresql("postgresql:///fleet?connect_timeout=3&options=-c%20work_mem%3D8MB")[
        "OPTIONS"
    ]
    assert options["connect_timeout"] == "3"
    assert options["options"].endswith("-c work_mem=8MB")
    assert "lock_timeout" in options["options"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://decorum:s3cret@db.example.com",
        "postgresql://decorum:s3cret@db.example.com/fleet?colour=red",
        "postgresql://decorum:s3cret@[::1/fleet",
        "postgresql://decorum:s3cret%zz@db/fleet",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        databases.postgresql(url)
    assert databases.VARIABLE in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["mysql://decorum@/fleet", "fleet", "postgresql://a b/fleet", "postgresql:fleet"]
)
def test_what_is_no_such_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=databases.VARIABLE):
        from_environ({databases.VARIABLE: url})


def test_sqlite_stays_the_default() -> None:
    assert from_environ({}).database is None
    assert databases.sqlite(None)["ENGINE"].endswith("sqlite3")


@pytest.mark.only_postgresql
def test_a_database_that_cannot_be_reached_is_said_so_with_a_remedy(run: Run, postgresql: Postgresql) -> None:
    for url, said in (
        ("postgresql://decorum@127.0.0.1:9/fleet", "refused"),
        (postgresql.url("postgres", GUARDED, "wrong"), "password authentication failed"),
        (postgresql.url("absent"), "does not exist"),
        (postgresql.url("postgres", "nobody"), "does not exist"),
        ("postgresql://db.example.com", "names no database"),
    ):
        for words in (("migrate",), ("run",), ("policy", "list")):
            refused = run(*words, environ={databases.VARIABLE: url})
            assert refused.returncode == 1, words
            assert said in refused.stderr
            assert databases.VARIABLE in refused.stderr
            assert "Traceback" not in refused.stderr
            assert "wrong" not in refused.stderr


@pytest.mark.only_postgresql
def test_a_user_without_rights_is_told_so(run: Run, postgresql: Postgresql) -> None:
    refused = run("migrate", environ={databases.VARIABLE: postgresql.url("postgres", GUARDED, GUARDED)})
    assert (refused.returncode, "permission denied" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr


def is_held(name: str) -> bool:
    """Tell whether this test's transaction holds the lock of a name."""
    question = """
        SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
        AND ((classid::bigint << 32) | objid::bigint) = %s
    """
    with connection.cursor() as cursor:
        cursor.execute(question, [_number(name)])
        return bool(cursor.fetchone()[0])


@pytest.mark.only_postgresql
def test_the_next_serial_is_taken_by_one_at_a_time(
    publish: Callable[..., object], identity: Identity, clock: FakeClock
) -> None:
    assert not is_held("serial")
    publish()
    assert is_held("serial")


@pytest.mark.only_postgresql
def test_a_renewal_is_made_by_one_at_a_time(
    publish: Callable[..., object], identity: Identity, clock: FakeClock
) -> None:
    publish(valid_days=90)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        publishing.renewed(identity, clock.now)
        assert not any("advisory" in one["sql"] for one in asked.captured_queries)
        clock.advance(timedelta(days=80))
        publishing.renewed(identity, clock.now)
        assert any("advisory" in one["sql"] for one in asked.captured_queries)
        cursor.execute("SELECT max(serial) FROM policies_publication")
        assert cursor.fetchone() == (2,)


@pytest.mark.only_postgresql
def test_what_is_written_down_rarely_is_looked_for_by_one_at_a_time(
    identity: Identity, clock: FakeClock
) -> None:
    audit.record_rarely(clock.now, "x", "a.b", "same")
    assert is_held("audit a.b same")


@pytest.mark.only_postgresql
def test_a_device_is_taken_in_by_one_at_a_time(post: Post, issue: Callable[..., str]) -> None:
    device, secret = SimulatedDevice(post), issue()
    with CaptureQueriesContext(connection) as asked:
        device.enrol(secret, hardware="ab" * 32)
    assert is_held(f"enrol {device.key.public.text}")
    assert is_held("hardware " + "ab" * 32)
    assert any(
        "fleet_enrolmentsecret" in q["sql"] and "FOR UPDATE" in q["sql"] for q in asked.captured_queries
    )


@pytest.mark.only_postgresql
def test_a_devices_check_ins_wait_for_each_other(device: SimulatedDevice) -> None:
    with CaptureQueriesContext(connection) as asked:
        device.check_in()
    assert any('"fleet_device"' in q["sql"] and "FOR UPDATE" in q["sql"] for q in asked.captured_queries)


@pytest.mark.parametrize(
    "address", ["/fleet/device/%00/change/", "/?q=%00", "/login/once/a%00/", "/fleet/device/?q=a%00"]
)
def test_nul_in_an_address_is_refused_with_a_page(console: Client, address: str) -> None:
    response = console.get(address)
    assert response.status_code == 400
    assert b"makes no sense" in response.content


def test_nul_in_a_draft_is_refused_with_a_sentence(console: Client) -> None:
    response = console.post("/policies/edit/", {"text": "a\0b", "revision": "0"})
    assert "NUL" in response.content.decode()
    assert composing.draft() is None
