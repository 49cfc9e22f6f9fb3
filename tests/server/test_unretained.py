"""Files for work that nothing retained: on the device's page by its newest word, in its story, and gone with the rest."""

from datetime import date

from django.test import Client

from contract.observations import UnretainedObserved
from server.fleet.models import Device
from server.fleet.unretained import unretained_on
from tests.server.simulated_device import SimulatedDevice
from tests.server.test_console import page, words

FIRST, SECOND = "1a" * 16, "2b" * 16


def noted(identity: str, handed_over: int, **changes: object) -> UnretainedObserved:
    """Return a day's report of Telegram."""
    values: dict[str, object] = {
        "unretained": identity,
        "detail": "exact",
        "profile": "work",
        "messenger": "telegram",
        "name": "Telegram",
        "kind": "consumer",
        "listed": True,
        "day": date(2026, 11, 20),
        "files": 3,
        "total_bytes": 2_500_000,
        "types": {"document": 2, "image": 1},
        "handed_over": handed_over,
    }
    return UnretainedObserved(**(values | changes))  # type: ignore[arg-type]  # checked when the server decodes it


def shown(console: Client, device: SimulatedDevice) -> str:
    """Return what a device's page says of such files."""
    html = page(console, f"/fleet/device/{device.id}/change/")
    return words(html.partition("Files for work that nothing retained</h3>")[2].partition("<h3>Facts")[0])


def test_a_day_stands_as_it_was_told_last(console: Client, device: SimulatedDevice) -> None:
    assert shown(console, device) == "", "where there is none, nothing is said"
    device.check_in(device.report(noted(FIRST, 0)))
    assert "Telegram 20 November · 3 files, 2.4 MB (2 document, 1 image) none handed over" in shown(
        console, device
    )
    device.check_in(
        device.report(noted(FIRST, 1)), device.report(noted(SECOND, 3, messenger=None, name=None))
    )
    text = shown(console, device)
    assert "2 not handed over" in text
    assert "A consumer messenger" in text
    assert "all handed over" in text
    assert text.count("20 November") == 2


def test_names_of_files_stand_there_if_they_were_told(console: Client, device: SimulatedDevice) -> None:
    device.check_in(device.report(noted(FIRST, 0, file_names=("offer <1>.pdf",))))
    assert "offer &lt;1&gt;.pdf" in page(console, f"/fleet/device/{device.id}/change/")


def test_the_story_has_each_report_under_its_day(console: Client, device: SimulatedDevice) -> None:
    device.check_in(device.report(noted(FIRST, 0)))
    story = words(page(console, f"/fleet/device/{device.id}/change/"))
    assert "Friday, 20 November 2026" in story
    assert (
        "3 files (2,500,000 bytes) came in for work by Telegram on 2026-11-20 and nothing retained them."
        in story
    )


def test_an_erased_report_is_shown_no_more(device: SimulatedDevice) -> None:
    device.check_in(device.report(noted(FIRST, 0)))
    record = Device.objects.get(pk=device.id)
    assert len(unretained_on(record)) == 1
    record.observations.update(body=None)
    assert unretained_on(record) == ()
