"""A lost device is taken out: its key opens nothing any more. A machine set up anew takes its old record's place, in time or by a person."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from server.access.models import AuditEntry
from server.fleet import revocation
from server.fleet.models import Device, ReceivedObservation
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, RefusedError, SimulatedDevice

Issue = Callable[..., str]
HARDWARE = "ab" * 32


@pytest.fixture(params=["alone", "together"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def record(device: SimulatedDevice) -> Device:
    return Device.objects.get(pk=device.id)


def press(client: Client, path: str) -> str:
    response = client.post(path, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_a_revoked_device_is_refused_from_its_next_word_on_and_what_it_reported_stays(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    device.check_in(device.report(seen("1a" * 16, "started", "violation", clock.now)))
    assert "was taken out" in press(console, f"/fleet/device/{device.id}/revoke/")
    with pytest.raises(RefusedError) as refused:
        device.check_in(device.report(seen("1a" * 16, "ended", "violation", clock.now)))
    assert (refused.value.status, refused.value.reason) == (403, "device_revoked")
    assert ReceivedObservation.objects.count() == 1
    assert AuditEntry.objects.get(action="device.revoked").actor == "alice"


def test_its_key_cannot_enrol_again(device: SimulatedDevice, issue: Issue, clock: FakeClock) -> None:
    revocation.revoke(record(device), "alice", clock.now)
    with pytest.raises(RefusedError, match="device_revoked"):
        device.enrol(issue())


def test_nobody_but_the_device_learns_that_it_was_revoked(
    device: SimulatedDevice, post: Post, issue: Issue, clock: FakeClock
) -> None:
    revocation.revoke(record(device), "alice", clock.now)
    stranger = SimulatedDevice(post)
    stranger.enrol(issue())
    stranger.id = device.id
    with pytest.raises(RefusedError, match="seal_signature"):
        stranger.check_in()


def test_let_back_in_it_goes_on_where_it_was(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    waiting = device.report(seen("1a" * 16, "started", "violation", clock.now))
    revocation.revoke(record(device), "alice", clock.now)
    with pytest.raises(RefusedError):
        device.check_in(waiting)
    assert "was let back in" in press(console, f"/fleet/device/{device.id}/let-back/")
    device.check_in(waiting)
    assert ReceivedObservation.objects.count() == 1
    assert AuditEntry.objects.get(action="device.let_back").actor == "alice"


def test_a_revoked_device_counts_nowhere_but_among_the_revoked(
    console: Client, device: SimulatedDevice, clock: FakeClock
) -> None:
    device.check_in(device.report(seen("1a" * 16, "started", "violation", clock.now)))
    assert "1 device is not in line" in console.get("/").content.decode()
    revocation.revoke(record(device), "alice", clock.now)
    assert "No device is enrolled yet" in console.get("/").content.decode()
    rows = console.get("/fleet/device/?standing=revoked").content.decode()
    assert "desk-1" in rows
    assert "desk-1" not in console.get("/fleet/device/?standing=not_in_line").content.decode()
    assert "desk-1" not in console.get("/fleet/device/?standing=silent").content.decode()


@pytest.mark.parametrize("action", ["revoke/", "let-back/", "replace/x/"])
def test_only_a_form_of_somebody_who_may_changes_a_device(
    console: Client, device: SimulatedDevice, action: str
) -> None:
    path = f"/fleet/device/{device.id}/{action}"
    assert console.get(path).status_code == 403
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_device"))
    client = Client()
    client.force_login(reader)
    assert client.post(path).status_code == 403
    assert "Revoke this device" not in client.get(f"/fleet/device/{device.id}/change/").content.decode()
    assert console.post("/fleet/device/nobody/revoke/").status_code == 404
    assert record(device).revoked_at is None


@pytest.fixture
def anew(post: Post, issue: Issue, clock: FakeClock) -> tuple[SimulatedDevice, SimulatedDevice]:
    """One machine before and after it was set up anew."""
    old, new = SimulatedDevice(post), SimulatedDevice(post)
    old.enrol(issue(), hardware=HARDWARE)
    old.check_in()
    clock.advance(timedelta(minutes=5))
    new.enrol(issue(), hardware=HARDWARE)
    return old, new


def test_a_machine_set_up_anew_takes_its_place_once_the_old_key_was_silent_for_a_week(
    anew: tuple[SimulatedDevice, SimulatedDevice], clock: FakeClock
) -> None:
    old, new = anew
    for _ in range(7):
        clock.advance(timedelta(days=1))
        new.check_in()
    assert record(old).revoked_at is None
    clock.advance(timedelta(days=1))
    new.check_in()
    assert record(old).replaced_by_id == new.id
    assert not record(new).shares_hardware
    with pytest.raises(RefusedError, match="device_revoked"):
        old.check_in()
    assert AuditEntry.objects.get(action="device.replaced").detail == f"by device {new.id}"


def test_a_copy_never_takes_the_place_of_the_one_that_is_heard(
    anew: tuple[SimulatedDevice, SimulatedDevice], clock: FakeClock
) -> None:
    old, new = anew
    for _ in range(10):
        clock.advance(timedelta(days=1))
        old.check_in()
        new.check_in()
    assert record(old).revoked_at is None
    assert record(old).shares_hardware


def test_the_older_key_never_takes_the_place_of_the_newer(
    anew: tuple[SimulatedDevice, SimulatedDevice], clock: FakeClock
) -> None:
    old, new = anew
    clock.advance(timedelta(days=20))
    old.check_in()
    assert record(new).revoked_at is None


def test_an_administrator_may_say_at_once_that_it_is_the_same_machine(
    console: Client, anew: tuple[SimulatedDevice, SimulatedDevice]
) -> None:
    old, new = anew
    page = console.get(f"/fleet/device/{new.id}/change/").content.decode()
    assert "This record replaces it" in page
    assert "took the place" in press(console, f"/fleet/device/{new.id}/replace/{old.id}/")
    assert record(old).replaced_by_id == new.id
    assert "replaced by" in console.get(f"/fleet/device/{old.id}/change/").content.decode()
    assert console.post(f"/fleet/device/{new.id}/replace/{old.id}/").status_code == 404


def test_machines_that_have_nothing_in_common_replace_nobody(
    console: Client, device: SimulatedDevice, post: Post, issue: Issue
) -> None:
    other = SimulatedDevice(post)
    other.enrol(issue())
    assert console.post(f"/fleet/device/{device.id}/replace/{other.id}/").status_code == 404
