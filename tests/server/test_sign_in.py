import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from server.access import login_links, throttle
from server.access.models import AuditEntry, LoginLink
from server.configuration import from_environ
from server.identity import Identity
from tests.server.conftest import FakeClock

PASSWORD = "correct horse battery"


@pytest.fixture
def person(identity: Identity) -> User:
    return User.objects.create_superuser("alice", password=PASSWORD)


def _try(password: str, name: str = "alice", **extra: str) -> bool:
    client = Client(headers=extra)
    client.post("/login/", {"username": name, "password": password})
    return client.get("/").status_code == 200


def test_a_link_signs_in_once(person: User, clock: FakeClock) -> None:
    token = login_links.create(person, clock.now)
    path = f"/login/once/{token}"
    first, second = Client(), Client()
    assert first.post(path).status_code == 302
    assert first.get("/").status_code == 200
    assert second.post(path).status_code == 410
    assert second.get("/").status_code == 302
    assert AuditEntry.objects.filter(action="person.signed_in", detail="by link").count() == 1


def test_looking_at_a_link_does_not_use_it_up(person: User, clock: FakeClock) -> None:
    path = f"/login/once/{login_links.create(person, clock.now)}"
    client = Client()
    for _ in range(3):
        assert b"Sign in as alice" in client.get(path).content
    assert client.get("/").status_code == 302
    assert client.post(path).status_code == 302


def test_the_links_form_is_protected_against_forged_requests(person: User, clock: FakeClock) -> None:
    path = f"/login/once/{login_links.create(person, clock.now)}"
    client = Client(enforce_csrf_checks=True)
    assert client.post(path).status_code == 403
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', client.get(path).content)
    assert token is not None
    assert client.post(path, {"csrfmiddlewaretoken": token[1].decode()}).status_code == 302


def test_a_link_ends_and_its_token_is_not_kept(person: User, clock: FakeClock) -> None:
    token = login_links.create(person, clock.now)
    assert token not in repr(list(LoginLink.objects.values()))
    clock.advance(timedelta(minutes=15))
    assert Client().get(f"/login/once/{token}").status_code == 410
    assert Client().post(f"/login/once/{token}").status_code == 410


def test_a_link_for_somebody_who_left_opens_nothing(person: User, clock: FakeClock) -> None:
    token = login_links.create(person, clock.now)
    User.objects.update(is_active=False)
    assert Client().post(f"/login/once/{token}").status_code == 410


def test_a_password_signs_in_and_is_written_down(person: User, clock: FakeClock) -> None:
    assert not _try("wrong")
    assert _try(PASSWORD)
    assert AuditEntry.objects.get(action="person.signed_in").actor == "alice"
    assert PASSWORD not in repr(list(AuditEntry.objects.values()))


def test_too_many_failures_make_an_account_wait_even_for_the_right_password(
    person: User, clock: FakeClock
) -> None:
    for _ in range(throttle.PER_ACCOUNT):
        throttle.failed("alice", "192.0.2.1", clock.now)
    assert not _try(PASSWORD)
    assert not _try(PASSWORD, "Alice")
    clock.advance(throttle.WINDOW)
    assert _try(PASSWORD)


def test_too_many_failures_make_an_address_wait(person: User, clock: FakeClock) -> None:
    for number in range(throttle.PER_ADDRESS):
        throttle.failed(f"guess-{number}", "127.0.0.1", clock.now)
    assert not _try(PASSWORD)


def test_a_wrong_password_counts(person: User, clock: FakeClock) -> None:
    for _ in range(throttle.PER_ACCOUNT - 1):
        throttle.failed("alice", "192.0.2.1", clock.now)
    assert not _try("wrong")
    assert throttle.must_wait("alice", "", clock.now)


def test_the_forwarded_address_counts_only_behind_our_own_proxy(
    person: User, clock: FakeClock, settings: Settings
) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.7, 192.0.2.9"}
    _try("wrong", "alice", **forwarded)
    assert AuditEntry.objects.get(action="sign_in.failed").address == "127.0.0.1"
    settings.CONFIGURATION = from_environ({"DECORUM_SERVER_BEHIND_PROXY": "yes"})
    _try("wrong", "alice", **forwarded)
    assert AuditEntry.objects.first().address == "192.0.2.9"  # type: ignore[union-attr]  # there are two


def test_sessions_are_bound_to_this_site_and_out_of_scripts_reach(person: User, clock: FakeClock) -> None:
    client = Client()
    response = client.post("/login/", {"username": "alice", "password": PASSWORD})
    cookie = response.cookies["decorum_session"]
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)
    assert not cookie["max-age"]


def test_people_sign_in_at_a_page_of_ours_and_nowhere_else(person: User) -> None:
    response = Client().post(
        "/login/?next=https://evil.example/", {"username": "alice", "password": PASSWORD}
    )
    assert response["Location"] == "/"
