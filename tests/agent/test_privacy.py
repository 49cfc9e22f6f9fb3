"""The door: what leaves, how coarse it is, and that its sending tells no more than its words."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from agent.privacy import WITHHELD, Cleared, Door
from contract import observations, wire
from contract.ceiling import DETAILS, Ceiling, Detail, ObservationCeiling, ProfileCeiling
from contract.observations import (
    DailyCount,
    ExposureObserved,
    InstalledObserved,
    NoticeRecord,
    ReminderReceipt,
    SightingObserved,
    Trouble,
    Unlisted,
)
from contract.policy import Ownership, Profile

UID = 1000
TELLING = [one for one in DETAILS if one not in {"nothing", "count"}]
AT = datetime(2026, 3, 2, 9, 47, 31, tzinfo=UTC)
SIGHTING = SightingObserved(
    sighting="a" * 32,
    transition="started",
    detail="exact",
    profile="work",
    messenger="telegram",
    name="Telegram",
    listed=True,
    day=date(2026, 3, 2),
    at=AT,
    verdict="violation",
    rule="no-telegram",
    policy_serial=4,
)
INSTALLED = InstalledObserved(
    installation="d" * 32,
    change="found",
    detail="exact",
    profile="work",
    messenger="telegram",
    name="Telegram",
    listed=True,
    day=date(2026, 3, 2),
    at=AT,
)
EXPOSURE = ExposureObserved(
    exposure="e" * 32,
    detail="exact",
    messenger="telegram",
    name="Telegram",
    listed=True,
    day=date(2026, 3, 1),
    sessions=3,
    uncaptured_sessions=2,
    seconds=4000,
    uncaptured_seconds=449,
)
RECEIPT = ReminderReceipt(
    reminder="b" * 32,
    rule="no-telegram",
    policy_serial=4,
    language="en",
    text_digest="c" * 64,
    outcome="shown",
    at=AT,
)


def same_everywhere(detail: Detail) -> Ceiling:
    side = ProfileCeiling(work=detail, personal=detail, unknown=detail)
    return Ceiling(company=side, personal=side)


def door(detail: Detail = "exact", ownership: Ownership = "company", *, told: bool = True) -> Door:
    return Door(same_everywhere(detail), ownership, everybody_told=told)


def cleared_sighting(detail: Detail) -> Cleared:
    cleared = door(detail).clear_sighting(SIGHTING, "consumer", AT, UID)
    assert cleared is not None
    return cleared


def test_nothing_but_the_door_makes_what_the_outbox_takes() -> None:
    with pytest.raises(TypeError, match="only agent"):
        Cleared(object(), Trouble(code="c", detail="d", at=AT), AT, None)  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("ownership", ["company", "personal"])
@pytest.mark.parametrize("profile", ["work", "personal", "unknown"])
def test_an_empty_ceiling_lets_nothing_about_anybody_through(ownership: Ownership, profile: Profile) -> None:
    closed = Door(Ceiling(), ownership, everybody_told=True)
    sighting = msgspec.structs.replace(SIGHTING, profile=profile)
    assert closed.clear_sighting(sighting, "consumer", AT, UID) is None
    assert closed.clear_receipt(RECEIPT, profile, UID) is None
    installed = msgspec.structs.replace(INSTALLED, profile=profile)
    assert closed.clear_installed(installed, "consumer", AT, UID) is None
    assert closed.clear_installed(installed, "consumer", AT, None) is None


def test_before_the_notice_nothing_leaves_and_afterwards_only_about_those_who_were_told() -> None:
    silent = door(told=False)
    trouble = Trouble(code="c", detail="d", at=AT)
    assert silent.clear_sighting(SIGHTING, "consumer", AT, UID) is None
    assert silent.clear_receipt(RECEIPT, "work", UID) is None
    assert silent.clear_device(trouble, AT) is None
    assert silent.clear_installed(INSTALLED, "consumer", AT, UID) is None
    assert silent.clear_installed(INSTALLED, "consumer", AT, None) is None
    silent.tell(UID)
    assert silent.clear_installed(INSTALLED, "consumer", AT, UID) is not None
    assert silent.clear_installed(INSTALLED, "consumer", AT, UID + 1) is None
    assert silent.clear_installed(INSTALLED, "consumer", AT, None) is not None
    assert silent.clear_sighting(SIGHTING, "consumer", AT, UID) is not None
    assert silent.clear_sighting(SIGHTING, "consumer", AT, UID + 1) is None
    assert silent.clear_receipt(RECEIPT, "work", UID + 1) is None
    assert silent.clear_device(trouble, AT) is not None


@pytest.mark.parametrize("device", DETAILS)
@pytest.mark.parametrize("policy", DETAILS)
def test_a_policy_takes_away_and_never_gives(device: Detail, policy: Detail) -> None:
    lowered = door(device)
    lowered.lower(same_everywhere(policy))
    assert lowered.detail("work", UID) == min(device, policy, key=DETAILS.index)
    lowered.lower(None)
    assert lowered.detail("work", UID) == device


def test_exact_tells_all_that_is_known() -> None:
    cleared = cleared_sighting("exact")
    assert cleared.observation == msgspec.structs.replace(SIGHTING, kind="consumer")
    assert cleared.not_before == AT
    assert cleared.uid == UID


def test_hour_tells_the_hour_and_is_sent_after_it() -> None:
    cleared = cleared_sighting("hour")
    assert isinstance(cleared.observation, SightingObserved)
    assert cleared.observation.at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert cleared.observation.name == "Telegram"
    assert cleared.not_before == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_name_tells_the_day_and_is_sent_after_it() -> None:
    cleared = cleared_sighting("name")
    assert isinstance(cleared.observation, SightingObserved)
    assert cleared.observation.at is None
    assert cleared.observation.rule == "no-telegram"
    assert cleared.not_before == datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize("detail", TELLING)
def test_what_an_unlisted_messenger_says_of_itself_leaves_only_where_its_name_does(detail: Detail) -> None:
    said = Unlisted(
        platform="linux", kind="desktop_id", value="org.chatter", evidence=("It opens irc links.",)
    )
    cleared = door(detail).clear_sighting(
        msgspec.structs.replace(SIGHTING, messenger="unlisted:org.chatter", listed=False, unlisted=said),
        None,
        AT,
        UID,
    )
    assert cleared is not None
    assert isinstance(cleared.observation, SightingObserved)
    assert cleared.observation.unlisted == (None if detail == "kind" else said)


def test_kind_names_neither_the_messenger_nor_a_rule_that_would_name_it() -> None:
    cleared = cleared_sighting("kind")
    seen = cleared.observation
    assert isinstance(seen, SightingObserved)
    assert (seen.messenger, seen.name, seen.listed, seen.at) == (None, None, None, None)
    assert (seen.kind, seen.day, seen.rule) == ("consumer", date(2026, 3, 2), WITHHELD)
    assert b"elegram" not in wire.encode(seen)
    assert cleared.not_before == datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize("detail", TELLING)
def test_what_is_installed_is_as_coarse_and_waits_as_long_as_a_sighting(detail: Detail) -> None:
    cleared, like = door(detail).clear_installed(INSTALLED, "consumer", AT, UID), cleared_sighting(detail)
    assert cleared is not None
    told, seen = cleared.observation, like.observation
    assert isinstance(told, InstalledObserved)
    assert isinstance(seen, SightingObserved)
    assert (cleared.not_before, cleared.uid, told.detail) == (like.not_before, UID, detail)
    for field in ("messenger", "name", "kind", "listed", "day", "at"):
        assert getattr(told, field) == getattr(seen, field)
    assert detail != "kind" or b"elegram" not in wire.encode(told)


@pytest.mark.parametrize(
    ("detail", "seconds", "uncaptured", "captured_is_told"),
    [
        ("exact", 4000, 449, True),
        ("hour", 3600, 0, True),
        ("name", 3600, 0, True),
        ("kind", None, None, False),
    ],
)
def test_a_days_exposure_is_rounded_as_the_ceiling_says_and_waits_for_midnight(
    detail: Detail, seconds: int | None, uncaptured: int | None, *, captured_is_told: bool
) -> None:
    cleared = door(detail).clear_exposure(EXPOSURE, "consumer", "exact", AT, UID)
    assert cleared is not None
    assert (cleared.not_before, cleared.uid) == (datetime(2026, 3, 2, tzinfo=UTC), UID)
    told = cleared.observation
    assert isinstance(told, ExposureObserved)
    assert (told.detail, told.kind, told.day, told.sessions) == (detail, "consumer", date(2026, 3, 1), 3)
    assert (told.seconds, told.uncaptured_seconds) == (seconds, uncaptured)
    assert (told.uncaptured_sessions is not None) is captured_is_told
    assert (b"elegram" in wire.encode(told)) is (detail != "kind")


@pytest.mark.parametrize("detail", DETAILS)
def test_a_days_exposure_tells_no_more_than_was_allowed_while_it_was_counted(detail: Detail) -> None:
    counted_so = door("exact").clear_exposure(EXPOSURE, "consumer", detail, AT, UID)
    told_so = door(detail).clear_exposure(EXPOSURE, "consumer", "exact", AT, UID)
    assert (counted_so is None) is (told_so is None) is (detail in {"nothing", "count"})
    if counted_so is not None and told_so is not None:
        assert counted_so.observation == told_so.observation


def test_a_days_exposure_is_under_the_work_sides_ceiling_and_after_its_users_notice() -> None:
    personal = ProfileCeiling(work="nothing", personal="exact", unknown="exact")
    closed = Door(Ceiling(company=personal, personal=personal), "company", everybody_told=True)
    assert closed.clear_exposure(EXPOSURE, "consumer", "exact", AT, UID) is None
    silent = Door(same_everywhere("exact"), "company", everybody_told=False, told=[UID + 1])
    assert silent.clear_exposure(EXPOSURE, "consumer", "exact", AT, UID) is None


def test_a_receipt_is_as_coarse_as_the_sighting_that_it_is_about() -> None:
    kind = door("kind").clear_receipt(RECEIPT, "work", UID)
    hour = door("hour").clear_receipt(RECEIPT, "work", UID)
    exact = door("exact").clear_receipt(RECEIPT, "work", UID)
    assert kind is not None
    assert hour is not None
    assert exact is not None
    assert kind.observation == msgspec.structs.replace(
        RECEIPT, rule=WITHHELD, text_digest="0" * 64, at=datetime(2026, 3, 2, tzinfo=UTC)
    )
    assert hour.observation == msgspec.structs.replace(RECEIPT, at=datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert exact.observation == RECEIPT
    assert kind.not_before == datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize("detail", TELLING)
def test_what_leaves_says_in_which_detail_it_was_let_through(detail: Detail) -> None:
    seen = cleared_sighting(detail).observation
    assert isinstance(seen, SightingObserved)
    assert seen.detail == detail


@pytest.mark.parametrize("name", ["x" * 300, "Tele\ngram", "bad\x00name", "\udcff"])
def test_a_messenger_with_an_odd_name_is_reported_in_a_form_that_the_server_takes(name: str) -> None:
    odd = msgspec.structs.replace(SIGHTING, name=name, messenger=f"unlisted:{name}")
    cleared = door().clear_sighting(odd, None, AT, UID)
    assert cleared is not None
    taken = observations.decode(wire.encode(cleared.observation))
    assert isinstance(taken, SightingObserved)
    assert taken.sighting == SIGHTING.sighting


def test_the_notice_itself_may_leave_once_somebody_was_told() -> None:
    told = door(told=False)
    told.tell(UID)
    record = NoticeRecord(version=1, how="shown", at=AT)
    cleared = told.clear_device(record, AT + timedelta(seconds=1))
    assert cleared is not None
    assert cleared.observation == record
    assert cleared.not_before == AT + timedelta(seconds=1)


def test_where_days_are_counted_no_single_messenger_is_told_of() -> None:
    counted = door("count")
    assert counted.clear_sighting(SIGHTING, "consumer", AT, UID) is None
    assert counted.clear_receipt(RECEIPT, "work", UID) is None
    assert counted.clear_installed(INSTALLED, "consumer", AT, UID) is None
    full = DailyCount(profile="work", day=AT.date(), messengers=3)
    cleared = counted.clear_daily_count(full, {UID})
    assert cleared is not None
    assert (cleared.observation, cleared.not_before) == (full, datetime(2026, 3, 3, tzinfo=UTC))
    assert (cleared.uid, door("nothing").clear_daily_count(full, {UID})) == (UID, None)
    assert door("count", told=False).clear_daily_count(full, {UID}) is None


def test_each_observation_has_a_ceiling_of_its_own() -> None:
    side = ProfileCeiling(work=ObservationCeiling(sighting="exact", receipt="name"))
    own = Door(Ceiling(company=side), "company", everybody_told=True)
    assert own.clear_installed(INSTALLED, "consumer", AT, UID) is None
    receipt = own.clear_receipt(RECEIPT, "work", UID)
    assert receipt is not None
    assert receipt.not_before == datetime(2026, 3, 3, tzinfo=UTC)
    sighting = own.clear_sighting(SIGHTING, "consumer", AT, UID)
    assert sighting is not None
    assert sighting.not_before == AT
