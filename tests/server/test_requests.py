"""What people ask: once in the list, answered once, by those who may; gone with other personal data and with the device."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from contract.observations import Request
from server.access.models import AuditEntry
from server.conduct.models import EmployeeRequest
from server.fleet import retention
from server.fleet.retention import Limits
from tests.server.conftest import FakeClock
from tests.server.simulated_device import SimulatedDevice
from tests.server.test_console import page, words

LIST = "/conduct/employeerequest/"


@pytest.fixture(params=["alone", "together"])
def way(request: pytest.FixtureRequest) -> str:
    """How check-ins arrive."""
    return str(request.param)


def asked(number: int = 1, **changes: object) -> Request:
    """Return a wish for an exemption."""
    values: dict[str, object] = {
        "request": f"{number:032x}",
        "about": "exemption",
        "messenger": "telegram",
        "name": "Telegram",
        "until": date(2026, 12, 24),
        "lines": ("A client writes there.", "<b>May I?</b>"),
        "at": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    }
    return Request(**(values | changes))  # type: ignore[arg-type]  # checked when the server decodes it


def question(number: int) -> Request:
    return asked(number, about="question", messenger=None, name=None, until=None, lines=("Is Signal fine?",))


def test_what_is_asked_waits_in_the_list_with_its_words_and_on_the_first_page(
    console: Client, device: SimulatedDevice
) -> None:
    device.check_in(device.report(asked()), device.report(question(2)))
    text = words(page(console, LIST))
    assert "Exemption for Telegram until 24 December 2026" in text
    assert "A client writes there." in text
    assert "Question" in text
    assert "&lt;b&gt;May I?&lt;/b&gt;" in page(console, LIST)
    assert "2 requests wait for an answer" in words(page(console, "/"))
    story = words(page(console, f"/fleet/device/{device.id}/change/"))
    assert "Asked for an exemption" in story
    assert "Is Signal fine?" in story


def test_the_same_request_told_twice_is_one(device: SimulatedDevice) -> None:
    device.check_in(device.report(asked()))
    device.check_in(device.report(asked()))
    assert EmployeeRequest.objects.count() == 1


def test_it_is_noted_once_that_it_was_answered_and_by_whom(console: Client, device: SimulatedDevice) -> None:
    device.check_in(device.report(asked()))
    (one,) = EmployeeRequest.objects.all()
    address = f"{LIST}{one.pk}/answered/"
    assert console.get(address).status_code == 403
    said = console.post(address, follow=True).content.decode()
    assert "is noted as answered" in words(said)
    assert "was answered already" in words(console.post(address, follow=True).content.decode())
    assert AuditEntry.objects.filter(action="request.answered").count() == 1
    assert "wait for an answer" not in words(page(console, "/"))
    assert "Answered" in words(page(console, f"{LIST}?state=answered"))
    assert "Telegram" not in words(page(console, f"{LIST}?state=waiting")).partition("In their words")[2]


def test_only_those_who_may_see_and_answer(device: SimulatedDevice) -> None:
    device.check_in(device.report(asked()))
    (one,) = EmployeeRequest.objects.all()
    reader = User.objects.create_user("reader", password=None, is_staff=True)
    browser = Client()
    browser.force_login(reader)
    assert browser.get(LIST).status_code == 403
    reader.user_permissions.add(Permission.objects.get(codename="view_employeerequest"))
    browser.force_login(User.objects.get(pk=reader.pk))
    html = browser.get(LIST).content.decode()
    assert "Telegram" in html
    assert "Note as answered" not in html
    assert browser.post(f"{LIST}{one.pk}/answered/").status_code == 403


def test_it_goes_with_other_personal_data(device: SimulatedDevice, clock: FakeClock, tmp_path: Path) -> None:
    device.check_in(device.report(asked()))
    limits = Limits(1, records_days=200, personal_data_days=30)
    clock.advance(timedelta(days=29))
    retention.apply(limits, clock.now, "test", tmp_path)
    assert EmployeeRequest.objects.count() == 1
    clock.advance(timedelta(days=2))
    retention.apply(limits, clock.now, "test", tmp_path)
    assert EmployeeRequest.objects.count() == 0
