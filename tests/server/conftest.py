"""What tests of the server share. They run on SQLite, and with DECORUM_TEST_DATABASE=postgresql on PostgreSQL."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from pytest_django import Settings

from contract.observations import SightingObserved
from server import databases
from server.access import audit
from server.fleet import agent_api, secrets
from server.identity import Identity, establish, identity_in
from server.policies import catalogues, publishing
from server.policies.models import Publication
from server.policies.templates import template
from server.records import rules
from tests.postgresql import Postgresql, running_postgresql
from tests.server.simulated_device import Post, SimulatedDevice

CHOICE = "DECORUM_TEST_DATABASE"
KINDS = ("sqlite", "postgresql")
Environ = dict[str, str]
NOTHING: Mapping[str, str] = MappingProxyType({})
ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def chosen_database() -> str:
    """Return which database the tests run on."""
    chosen = os.environ.get(CHOICE) or "sqlite"
    if chosen not in KINDS:
        raise pytest.UsageError(f"{CHOICE} is {chosen!r}; it may be {' or '.join(KINDS)}.")
    return chosen


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the other database only."""
    other = "only_postgresql" if chosen_database() == "sqlite" else "only_sqlite"
    left_out = [item for item in items if item.get_closest_marker(other)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql | None]:
    """The PostgreSQL of this session; None where tests run on SQLite."""
    if chosen_database() == "sqlite":
        yield None
        return
    with running_postgresql() as one:
        yield one


@pytest.fixture(scope="session")
def new_database(postgresql: Postgresql | None) -> Callable[[], Environ]:
    """Make a database for a server that is a process of its own; return what its environment needs."""

    def made() -> Environ:
        return {} if postgresql is None else {databases.VARIABLE: postgresql.new_database()}

    return made


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, postgresql: Postgresql | None
) -> None:
    """Lead Django to the session's PostgreSQL before it makes its test database."""
    if postgresql is None:
        return
    django_settings.DATABASES["default"] = databases.postgresql(postgresql.url("postgres"))
    connections.close_all()
    del connections["default"]
    del connections.settings
    connections._settings = None  # type: ignore[attr-defined]  # what is read once is read again


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "state"


@pytest.fixture(scope="module")
def run(state: Path, new_database: Callable[[], Environ]) -> Run:
    """Run `decorum-server` on a state folder that is set up already."""
    database = new_database()

    def command(
        *words: str, given: str = "", folder: Path | None = state, environ: Mapping[str, str] = NOTHING
    ) -> subprocess.CompletedProcess[str]:
        everything = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **database, **environ}
        if folder is not None:
            everything["DECORUM_SERVER_STATE"] = str(folder)
        return subprocess.run(
            [sys.executable, "-m", "server.cli", *words],
            cwd=ROOT,
            env=everything,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    made = command("migrate", "--tenant", "acme", "--company", "Acme")
    assert made.returncode == 0, made.stderr
    return command


class FakeClock:
    """The server's time, advanced by tests."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    for place in (
        "server.fleet.agent_api",
        "server.records.api",
        "server.records.admin",
        "server.records.pages",
        "server.fleet.admin",
        "server.fleet.pages",
        "server.fleet.filters",
        "server.access.views",
        "server.access.forms",
        "server.policies.views",
        "server.console.site",
        "server.console.channels",
        "server.fleet.figures",
        "server.console.templatetags.console",
    ):
        monkeypatch.setattr(f"{place}.utc_now", lambda: fake.now)
    return fake


@pytest.fixture
def identity(
    tmp_path: Path, settings: Settings, clock: FakeClock, db: None, monkeypatch: pytest.MonkeyPatch
) -> Identity:
    """A server of its own for each test."""
    # A test is one transaction on one connection, which stays open here, as Django's own test client keeps it.
    monkeypatch.setattr(agent_api, "close_old_connections", lambda: None)
    for kept in (publishing.kept, catalogues.sealed_under, catalogues.merged, rules._rules):
        kept.cache_clear()
    folder = tmp_path / "state"
    folder.mkdir()
    establish(folder, "acme", "Acme", clock.now)
    settings.STATE = folder
    return identity_in(folder)


@pytest.fixture
def way() -> str:
    """How check-ins arrive: `alone`, or `together` with others that wait, as far as the lane answers them."""
    return "alone"


@pytest.fixture
def post(identity: Identity, way: str) -> Post:
    """Send a device's request through everything that stands before the way for devices."""
    client = Client(raise_request_exception=False)

    def send(path: str, body: bytes) -> tuple[int, bytes]:
        if way == "together" and path == agent_api.CHECK_IN:
            (answer,) = agent_api.together([as_environ(body)])
            if answer is not None:
                return 200, answer
        response = client.post(path, data=body, content_type="application/json")
        return response.status_code, response.content

    return send


def as_environ(body: bytes, **changes: str) -> dict[str, Any]:
    """Return a check-in as the gate gives it to the lane."""
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": agent_api.CHECK_IN,
        "CONTENT_TYPE": "application/json",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
        **changes,
    }


@pytest.fixture
def issue(identity: Identity, clock: FakeClock) -> Callable[..., str]:
    """Issue enrolment secrets."""

    def new_secret(uses: int = 1, days: int = 7, note: str = "") -> str:
        wish = secrets.Wish(uses=uses, days=days, note=note)
        return secrets.issue(wish, audit.COMMAND_LINE, identity.tenant.id, clock.now)

    return new_secret


@pytest.fixture
def device(post: Post, issue: Callable[..., str]) -> SimulatedDevice:
    """An enrolled device."""
    one = SimulatedDevice(post)
    one.enrol(issue())
    return one


@pytest.fixture
def publish(identity: Identity, clock: FakeClock) -> Callable[..., Publication]:
    """Publish the model `restrict`, in a given version."""

    def published(version: int = 1, valid_days: int = 90) -> Publication:
        text = template("restrict", "Acme").replace("version = 1\n", f"version = {version}\n", 1)
        text = text.replace("valid_days = 90\n", f"valid_days = {valid_days}\n", 1)
        return publishing.publish(text, "alice", identity, clock.now).publication

    return published


@pytest.fixture
def admin_user(db: None) -> User:
    return User.objects.create_user("alice", is_staff=True, is_superuser=True)


@pytest.fixture
def console(identity: Identity, admin_user: User) -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(admin_user)
    return client


def seen(sighting: str, transition: str, verdict: str, at: datetime, **changes: object) -> SightingObserved:
    """Return an observation of Telegram at work."""
    values: dict[str, object] = {
        "sighting": sighting,
        "transition": transition,
        "detail": "exact",
        "profile": "work",
        "messenger": "telegram",
        "name": "Telegram",
        "kind": "consumer",
        "listed": True,
        "day": at.date(),
        "at": at,
        "verdict": verdict,
        "rule": "telegram",
        "policy_serial": 1,
    }
    return SightingObserved(**(values | changes))  # type: ignore[arg-type]  # checked when the server decodes it
