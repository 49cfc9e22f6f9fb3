"""Somebody who guesses passwords at the door, and what they try besides."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from server.access import throttle
from server.access.models import AuditEntry, FailedSignIn
from server.identity import Identity
from tests.server.conftest import FakeClock

PASSWORD = "correct horse battery"


@pytest.fixture
def person(identity: Identity) -> User:
    return User.objects.create_superuser("alice", password=PASSWORD)


@pytest.mark.parametrize(
    "form",
    [
        {"username": "alice"},
        {"username": "alice", "password": ""},
        {"username": "alice", "password": "\0"},
        {"password": PASSWORD},
        {"username": "a" * 200, "password": PASSWORD},
        {},
    ],
)
def test_a_form_that_is_not_whole_neither_signs_in_nor_forgets_failures(
    person: User, clock: FakeClock, form: dict[str, str]
) -> None:
    throttle.failed("alice", "127.0.0.1", clock.now)
    throttle.failed("", "127.0.0.1", clock.now)
    client = Client()
    assert client.post("/login/", form).status_code == 200
    assert client.get("/").status_code == 302
    assert FailedSignIn.objects.count() >= 2
    assert not AuditEntry.objects.filter(action="person.signed_in").exists()


def test_guessing_is_stopped_whatever_is_sent_in_between(person: User, clock: FakeClock) -> None:
    client = Client()
    for number in range(throttle.PER_ACCOUNT):
        client.post("/login/", {"username": "alice", "password": f"guess {number}"})
        client.post("/login/", {"username": "alice", "password": ""})
    client.post("/login/", {"username": "alice", "password": PASSWORD})
    assert client.get("/").status_code == 302


def test_nobody_signs_in_who_may_not_use_the_console(person: User, clock: FakeClock) -> None:
    User.objects.create_user("bob", password=PASSWORD)
    client = Client()
    client.post("/login/", {"username": "bob", "password": PASSWORD})
    assert client.get("/").status_code == 302
    assert not AuditEntry.objects.filter(action="person.signed_in").exists()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_signing_in_leads_nowhere_else(person: User, clock: FakeClock, target: str) -> None:
    response = Client().post(
        f"/login/?next={target}", {"username": "alice", "password": PASSWORD, "next": target}
    )
    assert response.status_code == 302
    assert "evil" not in response["Location"]
    assert "javascript" not in response["Location"]


def test_a_session_from_before_is_not_the_one_that_is_signed_in(person: User, clock: FakeClock) -> None:
    client = Client()
    client.cookies["decorum_session"] = "a" * 32
    response = client.post("/login/", {"username": "alice", "password": PASSWORD})
    assert response.cookies["decorum_session"].value not in {"", "a" * 32}


def test_a_password_that_is_changed_in_the_console_is_written_down(person: User, clock: FakeClock) -> None:
    client = Client()
    client.force_login(person)
    form = {"old_password": PASSWORD, "new_password1": "another battery staple", "new_password2": "wrong"}
    assert client.post("/password_change/", form).status_code == 200
    assert not AuditEntry.objects.exists()
    form["new_password2"] = form["new_password1"]
    assert client.post("/password_change/", form).status_code == 302
    (entry,) = AuditEntry.objects.all()
    assert (entry.actor, entry.action, entry.address) == ("alice", "person.password_changed", "127.0.0.1")
