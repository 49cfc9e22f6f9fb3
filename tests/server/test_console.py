import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from contract.observations import (
    ASKED_FOR_MORE,
    DailyCount,
    NoticeRecord,
    PolicyAnswer,
    ReminderReceipt,
    Trouble,
)
from server.access.models import AuditEntry
from server.fleet.models import Device, EnrolmentSecret, ReceivedObservation, Sighting
from server.identity import Identity
from server.policies.models import Draft, Publication
from server.policies.templates import template
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, SimulatedDevice

Issue = Callable[..., str]
Publish = Callable[..., Publication]
PAGES = (
    "/",
    "/fleet/device/",
    "/policies/publication/",
    "/policies/edit/",
    "/policies/unlisted/",
    "/fleet/enrolmentsecret/",
    "/fleet/enrolmentsecret/add/",
    "/records/connector/",
    "/records/connector/add/",
    "/access/auditentry/",
)
LONG = "a-very-long-name-without-any-place-to-break-it-" * 4


@pytest.fixture
def busy(device: SimulatedDevice, publish: Publish, clock: FakeClock) -> SimulatedDevice:
    """A device with one of everything in its story."""
    publish()
    device.check_in()
    at = clock.now
    device.check_in(
        device.report(seen("1a" * 16, "started", "violation", at)),
        device.report(seen("1a" * 16, "judged", "compliant", at + timedelta(minutes=3))),
        device.report(
            seen("2b" * 16, "started", "violation", at, name=LONG[:200], messenger="unlisted:x", listed=False)
        ),
        device.report(PolicyAnswer(serial=1, outcome="applied", reason="", at=at)),
        device.report(PolicyAnswer(serial=None, outcome="refused", reason="older", at=at)),
        device.report(NoticeRecord(version=1, how="shown", at=at)),
        device.report(Trouble(code="browser_unseen", detail="<b>not bold</b>", at=at)),
        device.report(
            ReminderReceipt(
                reminder="3c" * 16,
                rule="telegram",
                policy_serial=1,
                language="en",
                text_digest="0" * 64,
                outcome="shown",
                at=at,
            )
        ),
        device.report(b'{"type":"hologram"}'),
        device.report(b'{"type":"trouble"}'),
    )
    return device


def page(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    return response.content.decode()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_stands_when_there_is_nothing_yet(console: Client, path: str) -> None:
    page(console, path)


@pytest.mark.parametrize(
    "path", [*PAGES, "/policies/publication/1/change/", "/policies/publication/1/change/?language=de"]
)
def test_every_page_stands_with_data(console: Client, busy: SimulatedDevice, path: str) -> None:
    page(console, path)


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        "/fleet/device/x/change/",
        "/policies/publication/1/change/",
        "/fleet/enrolmentsecret/1/take-back/",
    ],
)
def test_strangers_see_nothing_but_the_door(identity: Identity, busy: SimulatedDevice, path: str) -> None:
    for response in (Client().get(path), Client().post(path)):
        assert response.status_code == 302
        assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("path", PAGES[1:])
def test_staff_without_permission_see_nothing(busy: SimulatedDevice, path: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user("bob", is_staff=True))
    assert client.get(path).status_code == 403
    assert client.post(path).status_code == 403
    assert "may not see anything yet" in page(client, "/")


def test_staff_see_what_they_are_permitted_and_no_more(busy: SimulatedDevice) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_device"))
    client = Client()
    client.force_login(reader)
    page(client, "/")
    page(client, f"/fleet/device/{busy.id}/change/")
    assert client.get("/access/auditentry/").status_code == 403
    assert client.get("/policies/edit/").status_code == 403
    assert client.post("/fleet/enrolmentsecret/add/", {"uses": 1, "days": 1}).status_code == 403
    assert EnrolmentSecret.objects.count() == 1  # the one with which the device was taken in


def test_people_who_are_no_staff_do_not_come_in(identity: Identity) -> None:
    client = Client()
    client.force_login(User.objects.create_user("carol"))
    assert client.get("/").status_code == 302


def test_nobody_changes_devices_policies_or_the_audit_log_by_hand(
    console: Client, busy: SimulatedDevice
) -> None:
    entry = AuditEntry.objects.first()
    assert entry is not None
    for path in (
        "/fleet/device/add/",
        f"/fleet/device/{busy.id}/delete/",
        "/policies/publication/add/",
        "/policies/publication/1/delete/",
        "/access/auditentry/add/",
        f"/access/auditentry/{entry.pk}/delete/",
    ):
        assert console.get(path).status_code == 403, path
        assert console.post(path, {"post": "yes"}).status_code == 403, path
    before = (entry.actor, AuditEntry.objects.count())
    console.post(f"/access/auditentry/{entry.pk}/change/", {"actor": "nobody"})
    entry.refresh_from_db()
    assert (entry.actor, AuditEntry.objects.count()) == before


def test_pages_bind_the_browser(console: Client) -> None:
    for path in (*PAGES, "/login/"):
        response = console.get(path)
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self' 'unsafe-eval';" in policy
        assert "frame-ancestors 'none'" in policy
        assert (response["X-Frame-Options"], response["X-Content-Type-Options"]) == ("DENY", "nosniff")
        assert response["Referrer-Policy"] == "same-origin"
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", [*PAGES, "/login/"])
def test_pages_hold_no_script_and_nothing_from_elsewhere(
    console: Client, busy: SimulatedDevice, path: str
) -> None:
    html = page(Client() if path == "/login/" else console, path)
    assert not re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", html)
    assert not re.findall(r"\son(?:click|change|submit|load)=", html)
    assert not re.findall(r"(?:src|<link[^>]*href)=[\"'](?:https?:)?//", html)


def test_what_a_page_needs_is_served_from_here(console: Client) -> None:
    html = page(console, "/")
    needed = re.findall(r"(?:src|href)=[\"'](/static/[^\"']+)", html)
    assert len(needed) > 5
    browser = Client()
    for path in needed:
        response = browser.get(path)
        assert response.status_code == 200, path
        assert response.getvalue()
        response.close()


def test_the_first_page_says_what_to_do_next(console: Client, publish: Publish, issue: Issue) -> None:
    html = page(console, "/")
    assert "No device is enrolled yet" in html
    assert "/policies/edit/?start=restrict" in html
    publish()
    issue()
    assert "Policy number 1 is published" in page(console, "/")


def test_the_console_has_pages_for_these_records_and_no_others() -> None:
    offered = {model._meta.label for model in admin.site._registry}
    assert offered == {
        "access.AuditEntry",
        "conduct.EmployeeRequest",
        "fleet.Device",
        "fleet.EnrolmentSecret",
        "policies.Publication",
        "records.Connector",
    }


def test_every_count_on_the_first_page_leads_to_what_it_counts(
    console: Client, post: Post, issue: Issue, publish: Publish, clock: FakeClock
) -> None:
    publish()
    verdicts = ["compliant", "attention", "violation", "violation", "exempt", "pending", None]
    for verdict in verdicts:
        device = SimulatedDevice(post)
        device.enrol(issue(), device_name=f"desk-{len(Device.objects.all())}")
        device.check_in(device.report(NoticeRecord(version=1, how="shown", at=clock.now)))
        if verdict is not None:
            device.check_in(device.report(seen(secrets.token_hex(16), "started", verdict, clock.now)))
        else:
            device.check_in()
    clock.advance(timedelta(minutes=14))
    device.check_in()  # the last one, in line; the others fall silent a minute later
    html = page(console, "/")
    assert "2 devices are not in line" in html
    tiles = re.findall(r'class="tile[^"]*" href="([^"]+)"><span class="count">(\d+)<', html)
    assert [int(count) for _, count in tiles] == [3, 1, 2, 0, 1, 7]
    for link, count in tiles:
        assert f"{count} device" in words(page(console, link.replace("&amp;", "&"))), link
    clock.advance(timedelta(minutes=1))
    html = page(console, "/")
    tiles = re.findall(r'class="tile[^"]*" href="([^"]+)"><span class="count">(\d+)<', html)
    assert [int(count) for _, count in tiles] == [1, 0, 0, 6, 7]
    assert "Every device that is heard from is in line" in html


def test_a_channel_leads_to_the_devices_it_was_seen_on(
    console: Client, busy: SimulatedDevice, post: Post, issue: Issue, clock: FakeClock
) -> None:
    other = SimulatedDevice(post)
    other.enrol(issue(), device_name="other-side")
    other.check_in(
        other.report(seen("7e" * 16, "started", "compliant", clock.now, profile="personal")),
        other.report(seen("8e" * 16, "started", "compliant", clock.now, messenger="slack")),
    )
    html = page(console, "/fleet/device/?messenger=telegram&profile=work")
    assert "desk-1" in html
    assert "other-side" not in html
    assert "other-side" in page(console, "/fleet/device/?messenger=telegram&profile=personal")


@pytest.mark.parametrize(
    "query",
    [
        "standing=x",
        "serial=x",
        "serial=99999999999999999999",
        "messenger=%00",
        "q=" + "x" * 500,
        "nothing=1",
        "o=99",
    ],
)
def test_a_strange_address_is_no_fault(console: Client, busy: SimulatedDevice, query: str) -> None:
    assert console.get(f"/fleet/device/?{query}").status_code in {200, 302, 400}


def test_a_devices_page_tells_its_story(console: Client, busy: SimulatedDevice) -> None:
    text = words(page(console, f"/fleet/device/{busy.id}/change/"))
    for told in (
        "Telegram",
        "not in line",
        "in line",
        "Reminder shown",
        "Rule telegram, in en",
        "Policy number 1 applied",
        "Policy refused",
        "Notice of what is collected",
        "A report of a kind that this server does not know yet",
        "A report that cannot be read",
        "rule telegram",
        "unlisted",
        LONG[:100],
    ):
        assert told in text, told


def test_what_devices_say_is_never_markup(console: Client, busy: SimulatedDevice) -> None:
    html = page(console, f"/fleet/device/{busy.id}/change/")
    assert "<b>not bold</b>" not in html
    assert "&lt;b&gt;not bold&lt;/b&gt;" in html


def test_an_erased_report_is_said_to_be_erased(console: Client, busy: SimulatedDevice) -> None:
    ReceivedObservation.objects.filter(kind="receipt").update(body=None)
    assert "An erased report" in page(console, f"/fleet/device/{busy.id}/change/")


def test_a_counted_day_stands_on_its_day_and_says_no_more(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    day = (clock.now - timedelta(days=1)).date()
    device.check_in(device.report(DailyCount(profile="personal", day=day, messengers=3)))
    text = words(page(console, f"/fleet/device/{device.id}/change/"))
    assert f"3 messengers on the personal side on {day.day} {day:%B %Y}" in text
    assert "tells what happened only after the day is over" in text
    assert ReceivedObservation.objects.get().kind == "daily_count"


def test_that_a_device_was_asked_for_more_than_it_grants_is_told_as_that(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    device.check_in(
        device.report(Trouble(code=ASKED_FOR_MORE, detail="The server asked for the moon.", at=clock.now))
    )
    text = words(page(console, f"/fleet/device/{device.id}/change/"))
    assert "It was asked for more than it grants" in text
    assert "The server asked for the moon." in text
    assert "does not work there" not in text


def test_a_long_story_has_pages(console: Client, device: SimulatedDevice, clock: FakeClock) -> None:
    for batch in range(5):
        device.check_in(
            *(device.report(Trouble(code=f"t{batch}-{one}", detail="", at=clock.now)) for one in range(50))
        )
    newest = page(console, f"/fleet/device/{device.id}/change/")
    assert "(t4-49)" in newest
    assert "(t0-0)" not in newest
    older = re.search(r"\?before=\d+", newest)
    assert older is not None
    oldest = page(console, f"/fleet/device/{device.id}/change/{older[0]}")
    assert "(t0-0)" in oldest
    assert "?before=" not in oldest


@pytest.mark.parametrize(
    "path",
    [
        "/fleet/device/nobody/change/",
        "/policies/publication/99/change/",
        "/policies/publication/x/change/",
        "/policies/publication/99999999999999999999/change/",
        "/nowhere/",
    ],
)
def test_what_is_not_there_is_said_kindly(console: Client, path: str) -> None:
    assert "There is nothing here" in page(console, path, 404)


def test_odd_devices_are_flagged_in_the_list(
    console: Client, post: Post, issue: Issue, publish: Publish, clock: FakeClock
) -> None:
    for name in ("one", "two"):
        device = SimulatedDevice(post)
        device.enrol(issue(), device_name=name, hardware="ab" * 32, assurance="self_attested")
    device.check_in(device.report(Trouble(code="mine", detail="", at=clock.now)))
    device.check_in(device.report(Trouble(code="clone", detail="", at=clock.now), sequence=1))
    publish()
    text = words(page(console, "/fleet/device/"))
    for flag in ("two devices?", "shares hardware", "never heard", "older policy", "self-attested"):
        assert flag in text
    assert "one (" in words(page(console, f"/fleet/device/{device.id}/change/"))


@pytest.mark.parametrize(
    ("detail", "told"),
    [("exact", None), ("hour", "the hour is over"), ("name", "the day is over"), ("kind", "the day is over")],
)
def test_a_device_that_tells_late_is_said_to(
    console: Client, device: SimulatedDevice, clock: FakeClock, detail: str, told: str | None
) -> None:
    report = seen("1a" * 16, "started", "compliant", clock.now, detail=detail)
    if detail in {"name", "kind"}:
        report = msgspec.structs.replace(report, at=None)
    device.check_in(device.report(report))
    text = words(page(console, f"/fleet/device/{device.id}/change/"))
    assert ("For privacy, this device tells what happened only after" in text) == (told is not None)
    assert told is None or told in text


def test_a_secret_is_shown_exactly_once(console: Client, clock: FakeClock) -> None:
    wish = {"note": "Branch office", "uses": 3, "days": 2, "form_id": str(uuid4())}
    response = console.post("/fleet/enrolmentsecret/add/", wish)
    found = re.search(r'id="secret"[^>]*>(acme\.[\w-]{43})<', response.content.decode())
    assert found is not None
    assert "no-store" in response["Cache-Control"]
    for path in PAGES:
        assert found[1] not in page(console, path)
    entry = AuditEntry.objects.get(action="secret.issued")
    assert (entry.actor, found[1] in entry.detail) == ("alice", False)
    assert "0 of 3" in page(console, "/fleet/enrolmentsecret/")


def test_a_form_that_is_sent_again_makes_no_second_secret(console: Client) -> None:
    form_id = re.search(r'name="form_id" value="([^"]+)"', page(console, "/fleet/enrolmentsecret/add/"))
    assert form_id is not None
    wish = {"uses": 1, "days": 1, "form_id": form_id[1]}
    assert b'id="secret"' in console.post("/fleet/enrolmentsecret/add/", wish).content
    again = console.post("/fleet/enrolmentsecret/add/", wish, follow=True)
    assert "sent twice" in again.content.decode()
    assert EnrolmentSecret.objects.count() == 1
    fresh = re.search(r'name="form_id" value="([^"]+)"', page(console, "/fleet/enrolmentsecret/add/"))
    assert fresh is not None
    assert fresh[1] != form_id[1]


@pytest.mark.parametrize("folder", ["fleet", "policies", "access"])
def test_a_folder_in_an_address_leads_to_a_list(console: Client, folder: str) -> None:
    response = console.get(f"/{folder}/", follow=True)
    assert response.status_code == 200
    assert response.redirect_chain[0][0] in PAGES


@pytest.mark.parametrize(
    "wrong", [{"uses": 0}, {"uses": 10**9}, {"days": 0}, {"days": 999}, {"note": "x" * 201}, {"days": "x"}]
)
def test_a_wrong_wish_makes_no_secret(console: Client, wrong: dict[str, object]) -> None:
    response = console.post(
        "/fleet/enrolmentsecret/add/", {"note": "", "uses": 1, "days": 1, "form_id": str(uuid4())} | wrong
    )
    assert b'id="secret"' not in response.content
    assert not EnrolmentSecret.objects.exists()


def test_a_secret_is_taken_back_by_a_form_only(console: Client, issue: Issue) -> None:
    issue()
    secret = EnrolmentSecret.objects.get()
    path = f"/fleet/enrolmentsecret/{secret.pk}/take-back/"
    assert console.get(path).status_code == 403
    assert console.post(path).status_code == 302
    secret.refresh_from_db()
    assert secret.revoked_at is not None
    assert AuditEntry.objects.get(action="secret.revoked").actor == "alice"
    assert "taken back" in page(console, "/fleet/enrolmentsecret/")


def test_composing_starts_from_a_model_for_this_company(console: Client) -> None:
    html = page(console, "/policies/edit/?start=orchestrate")
    assert "company = &quot;Acme&quot;" in html
    assert "This is a valid policy" in html
    assert not Draft.objects.exists()


def test_checking_names_the_wrong_place_and_publishes_nothing(console: Client) -> None:
    text = template("restrict", "Acme").replace('stance = "approved"', 'stance = "maybe"', 1)
    response = console.post("/policies/edit/", {"text": text, "revision": 0, "do": "publish"})
    assert response.status_code == 422
    html = response.content.decode()
    assert "<code>$.channels[0].stance</code>" in html
    assert "disabled" in html
    assert not Publication.objects.exists()
    assert Draft.objects.get().text == text


def test_publishing_seals_exactly_the_text_with_plain_lines(console: Client) -> None:
    text = template("restrict", "Acme")
    form = {"text": text.replace("\n", "\r\n"), "revision": 0, "do": "publish"}
    response = console.post("/policies/edit/", form)
    assert response["Location"] == "/policies/publication/1/change/"
    publication = Publication.objects.get()
    assert (publication.text, publication.published_by) == (text, "alice")
    assert "Policy number 1 is published" in page(console, response["Location"])
    console.post("/policies/edit/", form | {"revision": 1})
    assert Publication.objects.count() == 1


def test_two_people_do_not_write_over_one_another(console: Client) -> None:
    text = template("ban", "Acme")
    console.post("/policies/edit/", {"text": text, "revision": 0, "do": "check"})
    response = console.post("/policies/edit/", {"text": text + "# mine\n", "revision": 0, "do": "publish"})
    html = response.content.decode()
    assert "has saved the draft in between" in html
    assert "# mine" in html
    assert Draft.objects.get().text == text
    assert not Publication.objects.exists()


def test_the_policy_is_read_in_its_languages(console: Client, publish: Publish) -> None:
    publish()
    assert "Whoever is troubled" in page(console, "/policies/publication/1/change/")
    german = page(console, "/policies/publication/1/change/?language=de")
    assert "Wen etwas in einem Kanal belastet" in german
    assert "Whoever is troubled" in page(console, "/policies/publication/1/change/?language=xx")


@pytest.mark.parametrize(
    "path",
    ["/fleet/device/", "/", "/fleet/enrolmentsecret/", "/access/auditentry/", "/conduct/employeerequest/"],
)
def test_a_page_asks_the_database_as_often_for_many_rows_as_for_few(
    console: Client,
    post: Post,
    issue: Issue,
    publish: Publish,
    clock: FakeClock,
    path: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    publish()
    for number in range(25):
        device = SimulatedDevice(post)
        device.enrol(issue(note=f"secret {number}"), device_name=f"desk-{number}")
        device.check_in(device.report(seen(secrets.token_hex(16), "started", "violation", clock.now)))
    with django_assert_max_num_queries(17):
        page(console, path)


def test_a_devices_page_asks_as_often_for_a_long_story(
    console: Client,
    device: SimulatedDevice,
    clock: FakeClock,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(3):
        reports = [
            device.report(seen(secrets.token_hex(16), "started", "violation", clock.now)) for _ in range(40)
        ]
        device.check_in(*reports)
    assert Sighting.objects.count() == 120
    with django_assert_max_num_queries(13):
        page(console, f"/fleet/device/{device.id}/change/")


@pytest.mark.parametrize("path", ["/password_change/", "/jsi18n/"])
def test_the_pages_that_come_with_the_theme_stand(console: Client, busy: SimulatedDevice, path: str) -> None:
    page(console, path)
