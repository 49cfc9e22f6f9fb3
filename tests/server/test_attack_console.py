"""What devices and addresses say reaches the console as text, and never as a page that breaks."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec
import pytest
from django.test import Client

from contract.observations import NoticeRecord, Observation, PolicyAnswer, ReminderReceipt, Trouble
from server.identity import Identity
from server.policies.models import Publication
from tests.server.conftest import FakeClock, seen
from tests.server.simulated_device import Post, SimulatedDevice

EVIL = "<img src=x onerror=alert(1)>\"'{{7*7}}{%x%}\u202e\u2028"
PAGES = (
    "/",
    "/fleet/device/",
    "/fleet/device/{}/change/",
    "/policies/publication/",
    "/policies/publication/1/change/",
    "/policies/edit/",
    "/fleet/enrolmentsecret/",
    "/records/connector/",
    "/records/connector/add/",
    "/access/auditentry/",
)
NUMBERS = ("", "x", "-1", "²", "9" * 19, "9" * 5000, "\0", EVIL)
FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)


def _everything_odd(now: datetime) -> Iterable[Observation]:
    yield seen("a1" * 16, "started", "violation", now, messenger=EVIL, name=EVIL, rule=EVIL)
    yield seen("a2" * 16, "started", "violation", FIRST)
    yield seen("a3" * 16, "ended", "violation", LAST, messenger=f"unlisted:{EVIL}", name="")
    withheld = {"messenger": None, "name": None, "kind": None, "listed": None, "at": None}
    yield msgspec.structs.replace(seen("a4" * 16, "started", "violation", now), **withheld)
    yield ReminderReceipt(
        reminder="b" * 32,
        rule=EVIL,
        policy_serial=2**53,
        language=EVIL,
        text_digest="0" * 64,
        outcome="shown",
        at=now,
    )
    yield PolicyAnswer(serial=2**53, outcome="refused", reason=EVIL, at=now)
    yield NoticeRecord(version=2**53, how="shown", at=LAST)
    yield Trouble(code=EVIL, detail=EVIL, at=FIRST)


@pytest.fixture
def odd(post: Post, issue: Callable[..., str], publish: Callable[..., Publication], clock: FakeClock) -> str:
    """The id of a device that says everything as oddly as it may."""
    publish()
    device = SimulatedDevice(post)
    device.enrol(issue(note=EVIL), device_name=EVIL, version=EVIL)
    device.check_in(
        *(device.report(one) for one in _everything_odd(clock.now)), policy_serial=2**53, waiting=2**53
    )
    device.check_in(device.report(Trouble(code="", detail="", at=clock.now), sequence=2**53))
    return device.id


@pytest.mark.parametrize("page", PAGES)
def test_what_devices_say_is_shown_as_text(console: Client, odd: str, page: str) -> None:
    response = console.get(page.format(odd))
    assert response.status_code == 200
    assert b"<img src=x" not in response.content


@pytest.mark.parametrize(
    "name", ["serial", "before", "p", "o", "q", "standing", "messenger", "language", "start"]
)
@pytest.mark.parametrize("page", PAGES)
def test_what_addresses_say_breaks_no_page(console: Client, odd: str, page: str, name: str) -> None:
    for value in NUMBERS:
        response = console.get(page.format(odd), {name: value})
        assert response.status_code in {200, 302, 400}
        assert b"<img src=x" not in response.content


@pytest.mark.parametrize("serial", ["9" * 19, "9" * 5000, "٣", "-1", "1.0"])
def test_a_policy_of_no_possible_number_is_not_there(console: Client, odd: str, serial: str) -> None:
    assert console.get(f"/policies/publication/{serial}/change/").status_code in {302, 404}


@pytest.mark.parametrize("revision", ["9" * 5000, "-1", "²", "\0"])
def test_a_draft_of_no_possible_revision_is_not_saved(
    console: Client, identity: Identity, revision: str
) -> None:
    response = console.post("/policies/edit/", {"text": "x", "revision": revision})
    assert response.status_code == 200
    assert "yours was not saved" in response.content.decode()


def test_strangers_cannot_fill_the_log(identity: Identity) -> None:
    """The quiet run fails this test on any record of WARNING or above."""
    assert Client(headers={"host": "other.example"}).get("/login/").status_code == 400
    assert Client().post("/login/", {f"field-{number}": "" for number in range(2000)}).status_code == 400
    assert Client().post("/login/", {"username": "a" * 3_000_000}).status_code == 400
