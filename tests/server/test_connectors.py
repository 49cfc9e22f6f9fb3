"""Capture connectors: a heartbeat with a token of its own, which opens nothing else; what devices and officers are told of it."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from contract.capture import AHEAD
from server import chores
from server.access.models import AuditEntry
from server.errors import RequestError
from server.fleet.pace import Pace
from server.identity import Identity
from server.policies import publishing
from server.policies.checking import check
from server.policies.templates import template
from server.records import api, connectors, heartbeats
from server.records.models import Connector, ConnectorTurn
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import SimulatedDevice

HOUR = timedelta(hours=1)
EVIL = "<img src=x onerror=alert(1)>{{7*7}}"
Beat = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins with nobody having hurried."""
    monkeypatch.setattr(api, "REFUSALS", Pace(burst=200, a_second=2))
    monkeypatch.setattr(heartbeats, "CONNECTORS", Pace(burst=60, a_second=1))


@pytest.fixture
def orchestrated(identity: Identity, clock: FakeClock) -> None:
    """A policy is in force that names LeapXpert FMOP for leapxpert (12 hours) and Microsoft Purview for Teams."""
    publishing.publish(template("orchestrate", "Acme"), "alice", identity, clock.now)


@pytest.fixture
def make(identity: Identity, clock: FakeClock) -> Callable[..., str]:
    def made(name: str = "LeapXpert FMOP", days: int = 30) -> str:
        wish = connectors.Wish(name=name, kind="orchestration_platform", days=days)
        return connectors.make(wish, "alice", identity.tenant.id, clock.now)

    return made


@pytest.fixture
def beat(identity: Identity) -> Beat:
    client = Client()

    def send(token: str | None, *messengers: str, **said: object) -> tuple[int, dict[str, Any]]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        body = json.dumps({"messengers": messengers, **said})
        response = client.post(api.HEARTBEAT, body, content_type="application/json", headers=headers)
        assert response["Cache-Control"] == "no-store"
        assert "set-cookie" not in {name.lower() for name in response.headers}
        return response.status_code, json.loads(response.content)

    return send


def turns() -> list[tuple[str, str]]:
    return [(one.what, one.detail) for one in ConnectorTurn.objects.order_by("id")]


def test_a_heartbeat_is_heard_at_the_servers_own_time(
    orchestrated: None, make: Callable[..., str], beat: Beat, clock: FakeClock
) -> None:
    token = make()
    written = clock.now - 3 * HOUR
    status, told = beat(token, "leapxpert", "telegram", written_at=written.isoformat())
    assert status == 200
    assert (told["connector"], told["captures"], told["not_in_policy"]) == (
        "LeapXpert FMOP",
        ["leapxpert"],
        ["telegram"],
    )
    assert told["again_within_hours"] == 12
    kept = Connector.objects.get()
    assert (kept.last_heard_at, kept.last_written_at, kept.covers) == (
        clock.now,
        written,
        ["leapxpert", "telegram"],
    )


def test_the_token_itself_is_not_kept(make: Callable[..., str]) -> None:
    token = make()
    assert token.startswith("acme.")
    kept = [*Connector.objects.values(), *AuditEntry.objects.values(), *ConnectorTurn.objects.values()]
    assert token.partition(".")[2] not in repr(kept)


@pytest.mark.parametrize(
    ("token", "status", "reason"),
    [
        (None, 401, "token_missing"),
        ("", 401, "token_missing"),
        ("two words", 401, "token_missing"),
        ("x" * 301, 401, "token_missing"),
        ("acme.guessed", 401, "token_unknown"),
    ],
)
def test_without_a_token_that_opens_nothing_is_heard(
    make: Callable[..., str], beat: Beat, token: str | None, status: int, reason: str
) -> None:
    make()
    answered, told = beat(token, "leapxpert")
    assert (answered, told["reason"]) == (status, reason)
    assert told["detail"].endswith(".")
    assert told["remedy"].endswith(".")
    assert Connector.objects.get().last_heard_at is None


def test_a_token_ends_is_taken_back_and_is_renewed(
    make: Callable[..., str], beat: Beat, clock: FakeClock, identity: Identity
) -> None:
    token = make(days=1)
    assert beat(token)[0] == 200
    clock.advance(timedelta(days=1))
    assert beat(token)[1]["reason"] == "token_expired"
    connector = Connector.objects.get()
    fresh = connectors.renew(connector, 5, "alice", identity.tenant.id, clock.now)
    assert beat(token)[1]["reason"] == "token_unknown"
    assert beat(fresh)[0] == 200
    connectors.revoke(connector, "alice", clock.now)
    status, told = beat(fresh)
    assert (status, told["reason"]) == (403, "token_revoked")
    connectors.revoke(connector, "alice", clock.now)
    actions = [entry.action for entry in AuditEntry.objects.order_by("id")]
    assert actions == [
        "connector.made",
        "connector.token_expired",
        "connector.token_renewed",
        "connector.token_unknown",
        "connector.revoked",
        "connector.token_revoked",
    ]


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"{", "application/json", 400, "malformed"),
        (b"[]", "application/json", 400, "malformed"),
        (b"{}", "application/json", 400, "malformed"),
        (b'{"messengers": "telegram"}', "application/json", 400, "malformed"),
        (b'{"messengers": [""]}', "application/json", 400, "malformed"),
        (b'{"messengers": ["a\\nb"]}', "application/json", 400, "malformed"),
        (b'{"messengers": [], "writen_at": null}', "application/json", 400, "malformed"),
        (b'{"messengers": [], "written_at": "2026-11-23T12:00:00"}', "application/json", 400, "malformed"),
        (json.dumps({"messengers": ["a"] * 101}).encode(), "application/json", 400, "malformed"),
        (b'{"messengers": ["' + b"a" * 16384 + b'"]}', "application/json", 413, "too_large"),
        (b"messengers=telegram", "application/x-www-form-urlencoded", 415, "not_json"),
    ],
)
def test_what_is_not_in_the_agreed_form_is_refused_with_its_remedy(
    make: Callable[..., str], body: bytes, kind: str, status: int, reason: str
) -> None:
    headers = {"Authorization": f"Bearer {make()}"}
    response = Client().post(api.HEARTBEAT, body, content_type=kind, headers=headers)
    told = json.loads(response.content)
    assert (response.status_code, told["reason"]) == (status, reason)
    assert told["remedy"]
    assert Connector.objects.get().last_heard_at is None


@pytest.mark.parametrize("path", ["/api/", "/api/connectors", "/api/connectors/heartbeat/", "/api/x"])
def test_nothing_else_answers_there(identity: Identity, path: str) -> None:
    response = Client().post(path, b"{}", content_type="application/json")
    assert (response.status_code, json.loads(response.content)["reason"]) == (404, "path_unknown")
    asked = Client().get(api.HEARTBEAT)
    assert (asked.status_code, asked["Allow"]) == (405, "POST")


def test_what_is_still_to_come_was_not_written(
    make: Callable[..., str], beat: Beat, clock: FakeClock
) -> None:
    token = make()
    assert beat(token, written_at=(clock.now + AHEAD).isoformat())[0] == 200
    later = (clock.now + AHEAD + timedelta(seconds=1)).isoformat()
    assert beat(token, written_at=later)[1]["reason"] == "written_in_future"
    assert beat(token, written_at="9998-12-31T23:59:59Z")[1]["reason"] == "written_in_future"


def test_a_connector_that_hurries_waits_and_so_does_an_address_that_is_refused_again_and_again(
    make: Callable[..., str], beat: Beat, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = make()
    monkeypatch.setattr(heartbeats, "CONNECTORS", Pace(burst=2, a_second=0.1, clock=lambda: 0.0))
    assert [beat(token)[0] for _ in range(3)] == [200, 200, 429]
    monkeypatch.setattr(heartbeats, "CONNECTORS", Pace(burst=60, a_second=1))
    monkeypatch.setattr(api, "REFUSALS", Pace(burst=3, a_second=0.1, clock=lambda: 0.0))
    assert [beat("acme.no")[0] for _ in range(4)] == [401, 401, 401, 429]
    assert beat(token)[1]["reason"] == "refused_too_often"
    assert AuditEntry.objects.filter(action="connector.token_unknown").count() == 1


def test_a_token_opens_nothing_but_this(make: Callable[..., str], orchestrated: None) -> None:
    bearer = {"Authorization": f"Bearer {make()}"}
    for path in ("/", "/fleet/device/", "/records/connector/", "/policies/edit/", "/access/auditentry/"):
        assert Client().get(path, headers=bearer).status_code == 302
    for path in ("/agent/v1/check-in", "/agent/v1/enrol"):
        assert Client().post(path, b"{}", content_type="application/json", headers=bearer).status_code == 400
    assert Client().get("/metrics", headers=bearer).status_code != 200


def test_only_changes_are_kept_not_heartbeats(
    orchestrated: None, make: Callable[..., str], beat: Beat, clock: FakeClock
) -> None:
    token = make()
    for _ in range(5):
        beat(token, "leapxpert")
        clock.advance(HOUR)
    assert turns() == [("made", "by alice"), ("heard", ""), ("covers", "leapxpert")]
    beat(token)
    assert turns()[-1] == ("covers", "nothing")


def test_silence_is_noted_by_itself_once_and_from_when_the_limit_was_over(
    orchestrated: None,
    make: Callable[..., str],
    beat: Beat,
    clock: FakeClock,
    identity: Identity,
    settings: Any,
) -> None:
    token = make()
    beat(token, "leapxpert")
    heard = clock.now
    clock.advance(12 * HOUR)
    chores.do(settings.STATE, clock.now)
    assert "silent" not in dict(turns())
    clock.advance(HOUR)
    for _ in range(2):
        chores.do(settings.STATE, clock.now)
    silent = ConnectorTurn.objects.get(what="silent")
    assert silent.at == heard + 12 * HOUR
    beat(token, "leapxpert")
    assert turns()[-1] == ("heard", "after a silence")
    clock.advance(13 * HOUR)
    beat(token, "leapxpert")
    assert [what for what, _ in turns()[-2:]] == ["silent", "heard"], "noted although nobody looked meanwhile"


def test_a_story_does_not_grow_without_bound(
    make: Callable[..., str], beat: Beat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connectors, "TURNS_KEPT", 5)
    token = make()
    for number in range(10):
        beat(token, f"messenger-{number}")
    assert turns() == [("covers", f"messenger-{number}") for number in range(5, 10)]


def test_devices_are_told_of_connectors_that_the_policy_names_and_no_others(
    orchestrated: None, make: Callable[..., str], beat: Beat, clock: FakeClock, device: SimulatedDevice
) -> None:
    assert device.check_in()[0].connectors == ()
    token, other = make(), make("Another")
    beat(other, "leapxpert")
    (told,) = device.check_in()[0].connectors
    assert (told.connector, told.heard_at, told.messengers) == ("LeapXpert FMOP", None, ())
    beat(token, "leapxpert", "telegram")
    (told,) = device.check_in()[0].connectors
    assert (told.heard_at, told.messengers, told.is_revoked) == (clock.now, ("leapxpert",), False)
    connectors.revoke(Connector.objects.get(name="LeapXpert FMOP"), "alice", clock.now)
    (told,) = device.check_in()[0].connectors
    assert told.is_revoked


@pytest.mark.parametrize("way", ["alone", "together"])
@pytest.mark.parametrize(("model", "looks"), [("restrict", 0), ("orchestrate", 1)])
def test_connectors_are_looked_up_once_and_only_where_the_policy_names_any(
    identity: Identity, clock: FakeClock, device: SimulatedDevice, model: str, looks: int
) -> None:
    publishing.publish(template(model, "Acme"), "alice", identity, clock.now)
    device.check_in()
    with CaptureQueriesContext(connection) as asked:
        device.check_in()
    assert len([one for one in asked if "records_connector" in one["sql"]]) == looks


@pytest.mark.parametrize(
    ("name", "days", "why"),
    [
        ("a\nb", 30, "name"),
        (" ", 30, "name"),
        ("LeapXpert FMOP", 30, "already"),
        ("B", 0, "0 days"),
        ("B", 367, "367"),
    ],
)
def test_a_connector_that_makes_no_sense_is_not_made(
    make: Callable[..., str], name: str, days: int, why: str
) -> None:
    make()
    with pytest.raises(RequestError, match=why):
        make(name, days)
    assert Connector.objects.count() == 1


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def read(html: str) -> str:
    """Return a page's own text."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.partition('id="content"')[2] or html))


def test_the_console_says_which_of_the_policys_connectors_are_silent(
    console: Client,
    orchestrated: None,
    make: Callable[..., str],
    beat: Beat,
    clock: FakeClock,
    device: SimulatedDevice,
) -> None:
    device.check_in(device.report(seen("1a" * 16, "started", "compliant", clock.now)))
    absent = "The policy names LeapXpert FMOP, and no connector of that name reports here"
    assert absent in page(console, "/records/connector/")
    assert "LeapXpert" not in page(console, "/"), "it may fill a folder on devices"
    token = make()
    assert absent not in page(console, "/records/connector/")
    assert "LeapXpert FMOP has never been heard from" in page(console, "/records/connector/")
    assert "LeapXpert FMOP has never been heard from" in page(console, "/")
    beat(token)
    assert "LeapXpert FMOP is heard, and does not say that it retains LeapXpert" in page(console, "/")
    beat(token, "leapxpert")
    assert "LeapXpert" not in page(console, "/")
    clock.advance(13 * HOUR)
    for path in ("/", "/records/connector/"):
        assert "LeapXpert FMOP is silent: it was last heard from on" in page(console, path)
    connectors.revoke(Connector.objects.get(), "alice", clock.now)
    assert "LeapXpert FMOP may no longer report" in page(console, "/")


def test_a_connector_is_made_in_the_console_and_its_token_shown_once(
    console: Client, orchestrated: None, beat: Beat
) -> None:
    link = re.search(
        r'href="(/records/connector/add/\?name=LeapXpert[^"]*)"', page(console, "/records/connector/")
    )
    assert link is not None
    form = page(console, link[1])
    assert 'value="LeapXpert FMOP"' in form
    wish = {"name": "LeapXpert FMOP", "kind": "orchestration_platform", "days": 90, "form_id": str(uuid4())}
    shown = console.post("/records/connector/add/", wish).content.decode()
    token = re.search(r'id="secret"[^>]*>(acme\.[\w-]{43})<', shown)
    assert token is not None
    assert beat(token[1], "leapxpert")[0] == 200
    assert token[1] not in page(console, "/records/connector/")
    again = console.post("/records/connector/add/", wish, follow=True)
    assert "sent twice" in again.content.decode()
    taken = console.post("/records/connector/add/", wish | {"form_id": str(uuid4())}).content.decode()
    assert "There is a connector LeapXpert FMOP already." in taken
    assert AuditEntry.objects.get(action="connector.made").actor == "alice"


def test_a_connectors_page_tells_its_story_and_gives_another_token(
    console: Client, orchestrated: None, make: Callable[..., str], beat: Beat, clock: FakeClock
) -> None:
    old = make()
    beat(old, "leapxpert", "telegram", written_at=clock.now.isoformat())
    pk = Connector.objects.get().pk
    story = read(page(console, f"/records/connector/{pk}/change/"))
    for words in (
        "Made by alice",
        "Says that it retains LeapXpert",
        "12 hours yes",
        "also says that it retains Telegram",
    ):
        assert words in story, words
    wish = {"days": 30, "form_id": str(uuid4())}
    shown = console.post(f"/records/connector/{pk}/token/", wish).content.decode()
    token = re.search(r'id="secret"[^>]*>(acme\.[\w-]{43})<', shown)
    assert token is not None
    assert (beat(old)[0], beat(token[1])[0]) == (401, 200)
    assert "sent twice" in console.post(f"/records/connector/{pk}/token/", wish, follow=True).content.decode()
    for wrong in ({}, {"days": 0, "form_id": str(uuid4())}):
        answer = console.post(f"/records/connector/{pk}/token/", wrong, follow=True).content.decode()
        assert "Choose 1 to 366 days" in answer
    assert console.get(f"/records/connector/{pk}/revoke/").status_code == 403
    console.post(f"/records/connector/{pk}/revoke/")
    assert beat(token[1])[0] == 403
    assert "revoked" in read(page(console, f"/records/connector/{pk}/change/"))
    for path in ("x", "0", "9" * 30):
        assert console.get(f"/records/connector/{path}/change/").status_code == 404


@pytest.mark.parametrize("path", ["{}/change/", "{}/token/", "{}/revoke/", "", "add/"])
def test_only_who_may_sees_or_changes_a_connector(make: Callable[..., str], path: str) -> None:
    make()
    address = f"/records/connector/{path.format(Connector.objects.get().pk)}"
    for answer in (Client().get(address), Client().post(address)):
        assert (answer.status_code, answer["Location"].startswith("/login/")) == (302, True)
    reader = User.objects.create_user("reader", is_staff=True)
    client = Client()
    client.force_login(reader)
    assert (client.get(address).status_code, client.post(address).status_code) == (403, 403)
    reader.user_permissions.add(Permission.objects.get(codename="view_connector"))
    assert client.post(f"/records/connector/{Connector.objects.get().pk}/revoke/").status_code == 403
    assert Connector.objects.get().revoked_at is None


def test_what_connectors_say_is_shown_as_text(
    console: Client, orchestrated: None, make: Callable[..., str], beat: Beat
) -> None:
    for name in (EVIL, "LeapXpert FMOP"):
        assert beat(make(name), EVIL, "leapxpert", "unlisted:x")[0] == 200
    pages = [f"/records/connector/{one.pk}/change/" for one in Connector.objects.all()]
    for path in ("/", "/records/connector/", "/records/connector/add/?name=" + EVIL, *pages):
        assert "<img src=x" not in page(console, path)


def test_a_policy_that_names_more_than_an_answer_tells_is_remarked_on(identity: Identity) -> None:
    text = template("orchestrate", "Acme")
    assert not [one for one in check(text).remarks if "connectors" in one]
    many = "".join(f'\n[[capture]]\nmessenger = "telegram"\nconnector = "{n:0>190}"\n' for n in range(60))
    assert [one for one in check(text + many).remarks if "more connectors than" in one]
