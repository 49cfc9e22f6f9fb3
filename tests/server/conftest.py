from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from contract.observations import SightingObserved
from server.access import audit
from server.fleet import secrets
from server.identity import Identity, establish, identity_in
from server.policies import publishing
from server.policies.models import Publication
from server.policies.templates import template
from tests.server.simulated_device import Post, SimulatedDevice


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
        "server.fleet.admin",
        "server.fleet.pages",
        "server.fleet.filters",
        "server.access.views",
        "server.access.forms",
        "server.policies.views",
        "server.console.site",
        "server.console.templatetags.console",
        "server.console.templatetags.console_lists",
    ):
        monkeypatch.setattr(f"{place}.utc_now", lambda: fake.now)
    return fake


@pytest.fixture
def identity(tmp_path: Path, settings: Settings, clock: FakeClock, db: None) -> Identity:
    """A server of its own for each test."""
    folder = tmp_path / "state"
    folder.mkdir()
    establish(folder, "acme", "Acme", clock.now)
    settings.STATE = folder
    return identity_in(folder)


@pytest.fixture
def post(identity: Identity) -> Post:
    """Send a device's request through everything that stands before the way for devices."""
    client = Client(raise_request_exception=False)

    def send(path: str, body: bytes) -> tuple[int, bytes]:
        response = client.post(path, data=body, content_type="application/json")
        return response.status_code, response.content

    return send


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
