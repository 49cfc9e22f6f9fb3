"""The outbox: what waits keeps its number, salt and digest, however often it is sent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from agent.privacy import Cleared, Door
from agent.reporting.outbox import BODY_BYTES_AT_MOST, Bounds, Outbox, Waiting
from agent.store import Store
from contract import wire
from contract.ceiling import Ceiling, ProfileCeiling
from contract.messages import LIMIT_BYTES, OBSERVATIONS_AT_MOST, salted_digest
from contract.observations import Observation, ReminderReceipt, SightingObserved, Tombstone, Trouble, decode
from tests.fakes.device import EVERYTHING

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Box:
    """An outbox with its file, which can be opened anew."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.open()

    def open(self) -> None:
        self.store = Store(self.file)
        self.outbox = Outbox(self.store)

    def add(self, detail: str, after: timedelta = timedelta(0)) -> None:
        with self.store.transaction():
            self.outbox.add(cleared(detail, AT + after))

    def due(self, at: datetime = AT) -> tuple[Waiting, ...]:
        with self.store.transaction():
            return self.outbox.due(at)


def cleared(detail: str, not_before: datetime) -> Cleared:
    door = Door(EVERYTHING, "company", everybody_told=True)
    one = door.clear_device(Trouble(code="c", detail=detail, at=AT), not_before)
    assert one is not None
    return one


def details(rows: tuple[Waiting, ...]) -> list[str]:
    return [getattr(decode(row.body), "detail", "") for row in rows]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path / "state.sqlite3")
    yield box
    box.store.close()


def test_it_takes_nothing_that_the_privacy_door_did_not_clear(box: Box) -> None:
    # The type checker says so first; this is for whoever does not ask it.
    with pytest.raises(AttributeError):
        box.outbox.add(Trouble(code="c", detail="d", at=AT))  # type: ignore[arg-type]  # what is tested
    assert box.due() == ()


def test_rows_come_oldest_first_with_numbers_without_a_gap(box: Box) -> None:
    for detail in "abc":
        box.add(detail)
    rows = box.due()
    assert details(rows) == ["a", "b", "c"]
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert all(row.digest == salted_digest(row.salt, row.body) for row in rows)


def test_a_row_sent_again_is_the_same_to_the_last_byte_even_after_a_new_start(box: Box) -> None:
    box.add("a")
    first = box.due()
    box.add("b")
    box.store.close()
    box.open()
    again = box.due()
    assert again[:1] == first
    assert [row.sequence for row in again] == [1, 2]


def test_a_number_that_was_given_is_never_given_again(box: Box) -> None:
    box.add("a")
    (row,) = box.due()
    box.outbox.remove(row)
    box.store.close()
    box.open()
    box.add("b")
    assert [row.sequence for row in box.due()] == [2]


def test_what_waits_for_its_hour_gets_its_number_when_it_leaves(box: Box) -> None:
    box.add("later", after=HOUR)
    box.add("now")
    assert [(row.sequence, detail) for row, detail in zip(box.due(), ["now"], strict=True)] == [(1, "now")]
    assert box.outbox.count_due(AT + HOUR - timedelta(microseconds=1)) == 1
    assert box.outbox.count_due(AT + HOUR) == 2
    assert details(box.due(AT + HOUR)) == ["now", "later"]
    assert [row.sequence for row in box.due(AT + HOUR)] == [1, 2]


def test_what_has_left_once_is_due_even_if_the_clock_goes_back(box: Box) -> None:
    box.add("a", after=HOUR)
    sent = box.due(AT + HOUR)
    assert box.due(AT - HOUR) == sent
    assert box.outbox.count_due(AT - HOUR) == 1


def test_times_of_different_zones_are_in_their_true_order(box: Box) -> None:
    # As text, 10:30+05:30 would come after 09:00+00:00; it is four hours earlier.
    india = timezone(timedelta(hours=5, minutes=30))
    with box.store.transaction():
        box.outbox.add(cleared("early", datetime(2026, 3, 2, 10, 30, tzinfo=india)))
    assert box.outbox.next_due() == datetime(2026, 3, 2, 5, tzinfo=UTC)
    assert details(box.due(datetime(2026, 3, 2, 5, tzinfo=UTC))) == ["early"]


def test_the_next_time_is_that_of_the_earliest(box: Box) -> None:
    assert box.outbox.next_due() is None
    box.add("b", after=2 * HOUR)
    box.add("a", after=HOUR)
    assert box.outbox.next_due() == AT + HOUR


def test_no_more_leave_at_once_than_a_check_in_takes(box: Box) -> None:
    for number in range(OBSERVATIONS_AT_MOST + 5):
        box.add(str(number))
    rows = box.due()
    assert len(rows) == OBSERVATIONS_AT_MOST
    assert box.outbox.count_due(AT) == OBSERVATIONS_AT_MOST + 5
    for row in rows:
        box.outbox.remove(row)
    assert details(box.due()) == [str(number) for number in range(50, 55)]


def test_large_reports_share_a_request_only_as_far_as_it_has_room(box: Box) -> None:
    for _ in range(OBSERVATIONS_AT_MOST):
        box.add("💬" * 200)
    rows = box.due()
    size = sum(len(row.body) for row in rows)
    assert 1 < len(rows) < OBSERVATIONS_AT_MOST
    assert size <= BODY_BYTES_AT_MOST < LIMIT_BYTES
    assert box.outbox.count_due(AT) == OBSERVATIONS_AT_MOST


def test_a_number_given_in_a_failed_transaction_was_not_given(box: Box) -> None:
    box.add("a")

    def number_and_fail() -> None:
        with box.store.transaction():
            assert [row.sequence for row in box.outbox.due(AT)] == [1]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        number_and_fail()
    assert [row.sequence for row in box.due()] == [1]


SMALL = Bounds(rows=10, size_bytes=10_000, age=timedelta(days=90))
DOOR = Door(EVERYTHING, "company", everybody_told=True)


def receipt(number: int) -> Cleared:
    full = ReminderReceipt(
        reminder=f"{number:032x}",
        rule="telegram",
        policy_serial=1,
        language="en",
        text_digest="0" * 64,
        outcome="shown",
        at=AT,
    )
    one = DOOR.clear_receipt(full, "work", 1000)
    assert one is not None
    return one


def sighting(number: int, at: datetime = AT) -> Cleared:
    full = SightingObserved(
        sighting=f"{number:032x}",
        transition="started",
        detail="exact",
        profile="work",
        messenger="telegram",
        name="Telegram",
        listed=True,
        day=at.date(),
        at=at,
        verdict="violation",
        rule="telegram",
        policy_serial=1,
    )
    one = DOOR.clear_sighting(full, "consumer", at, 1000)
    assert one is not None
    return one


class SmallBox(Box):
    """An outbox that holds little."""

    def open(self) -> None:
        super().open()
        self.outbox = Outbox(self.store, SMALL)

    def put(self, *cleared: Cleared) -> None:
        with self.store.transaction():
            for one in cleared:
                self.outbox.add(one)

    def trim(self, now: datetime | None = AT) -> int:
        with self.store.transaction():
            return self.outbox.trim(now, DOOR, now or AT)

    def all(self) -> list[Observation]:
        return [decode(row.body) for row in self.due(AT + timedelta(days=400))]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallBox]:
    box = SmallBox(tmp_path / "state.sqlite3")
    yield box
    box.store.close()


def test_what_the_bounds_hold_stays(small: SmallBox) -> None:
    small.put(*(sighting(number) for number in range(10)))
    assert small.trim() == 0
    assert len(small.all()) == 10


def test_too_many_rows_lose_the_oldest_sightings_and_a_tombstone_says_how_many(small: SmallBox) -> None:
    small.put(receipt(1), *(sighting(number) for number in range(12)), receipt(2))
    assert small.trim() == 5
    kinds = small.all()
    assert [type(one).__name__ for one in kinds] == [
        "ReminderReceipt",
        *["SightingObserved"] * 7,
        "ReminderReceipt",
        "Tombstone",
    ]
    assert [one.sighting for one in kinds if isinstance(one, SightingObserved)] == [
        f"{number:032x}" for number in range(5, 12)
    ]
    assert kinds[-1] == Tombstone(count=5, first_due=AT.date(), last_due=AT.date(), at=AT)


def test_receipts_go_last(small: SmallBox) -> None:
    small.put(*(receipt(number) for number in range(12)), sighting(1))
    assert small.trim() == 4
    assert [one.reminder for one in small.all() if isinstance(one, ReminderReceipt)] == [
        f"{number:032x}" for number in range(3, 12)
    ]


def test_bytes_are_bounded_too(small: SmallBox) -> None:
    small.outbox = Outbox(small.store, Bounds(rows=100, size_bytes=2_000))
    small.put(*(sighting(number) for number in range(10)))
    dropped = small.trim()
    rows = small.due(AT)
    assert 0 < dropped < 10
    assert sum(len(row.body) for row in rows[:-1]) <= 2_000
    assert decode(rows[-1].body) == Tombstone(count=dropped, first_due=AT.date(), last_due=AT.date(), at=AT)


def test_what_is_too_old_is_dropped_but_never_on_a_clock_in_doubt(small: SmallBox) -> None:
    small.put(sighting(1), sighting(2, AT + timedelta(days=80)))
    assert small.trim(None) == 0
    assert small.trim(AT + timedelta(days=90)) == 0
    assert small.trim(AT + timedelta(days=90, seconds=1)) == 1
    assert [type(one).__name__ for one in small.all()] == ["SightingObserved", "Tombstone"]


def test_one_tombstone_stands_for_all_until_it_is_sent(small: SmallBox) -> None:
    for day in range(5):
        small.put(*(sighting(number, AT + timedelta(days=day)) for number in range(6)))
        small.trim(AT + timedelta(days=day))
    (tombstone,) = [one for one in small.all() if isinstance(one, Tombstone)]
    kept = sum(isinstance(one, SightingObserved) for one in small.all())
    assert tombstone.count + kept == 30
    assert tombstone.first_due == AT.date()
    # It has its number now, so it stays as it is, and what is dropped later gets another.
    small.put(*(sighting(number, AT + timedelta(days=9)) for number in range(12)))
    small.trim(AT + timedelta(days=9))
    assert sum(isinstance(one, Tombstone) for one in small.all()) == 2
    assert (
        sum(one.count for one in small.all() if isinstance(one, Tombstone))
        + sum(isinstance(one, SightingObserved) for one in small.all())
        == 42
    )


def test_what_has_a_number_is_never_dropped(small: SmallBox) -> None:
    small.put(*(sighting(number) for number in range(8)))
    numbered = [row.id for row in small.due()]
    small.put(*(sighting(number) for number in range(8, 20)))
    small.trim()
    assert [row.id for row in small.due()][:8] == numbered
    assert [row.sequence for row in small.due()] == list(range(1, 11))


def test_a_tombstone_tells_no_earlier_than_what_it_stands_for(small: SmallBox) -> None:
    day = Door(
        Ceiling(company=ProfileCeiling(work="name", personal="name", unknown="name")),
        "company",
        everybody_told=True,
    )
    full = decode(wire.encode(sighting(1).observation))
    assert isinstance(full, SightingObserved)
    for _ in range(12):
        one = day.clear_sighting(full, "consumer", AT, 1000)
        assert one is not None
        small.put(one)
    small.trim()
    assert small.due(AT + timedelta(hours=14)) == ()
    assert len(small.due(AT + timedelta(hours=15))) == 10


def test_a_wait_that_a_wrong_clock_gave_ends_when_the_clock_is_right_again(box: Box) -> None:
    box.add("made when the clock said 2030", timedelta(days=1400))
    assert details(box.due()) == ["made when the clock said 2030"]


def test_on_a_clock_that_nobody_believes_nothing_becomes_due(box: Box) -> None:
    box.add("sent before")
    box.due()
    box.add("new")
    with box.store.transaction():
        assert details(box.outbox.due(None)) == ["sent before"]
    assert box.outbox.count_due(None) == 1
