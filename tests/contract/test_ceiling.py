from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ceiling import (
    DETAILS,
    SUBJECTS,
    Ceiling,
    Detail,
    ObservationCeiling,
    ProfileCeiling,
    allowed,
    exceeding,
    is_empty,
)
from contract.errors import MalformedError
from contract.wire import convert, encode
from tests.contract.strategies import ownerships, profiles, values_of

ceilings = values_of(Ceiling)
DISTINCT = Ceiling(
    company=ProfileCeiling(work="exact", personal="kind", unknown="nothing"),
    personal=ProfileCeiling(work="hour", personal="nothing", unknown="name"),
)


@pytest.mark.parametrize("ownership", ["company", "personal"])
@pytest.mark.parametrize("profile", ["work", "personal", "unknown"])
def test_an_empty_ceiling_lets_nothing_through_whatever_the_policy_asks(ownership: str, profile: str) -> None:
    everything = ProfileCeiling(work="exact", personal="exact", unknown="exact")
    asked = Ceiling(company=everything, personal=everything)
    for subject in SUBJECTS:
        assert allowed(Ceiling(), asked, ownership, profile, subject) == "nothing"
        assert allowed(Ceiling(), None, ownership, profile, subject) == "nothing"
        assert allowed(asked, Ceiling(), ownership, profile, subject) == "nothing"
    assert is_empty(Ceiling(), ownership)
    assert not is_empty(asked, ownership)


@pytest.mark.parametrize(
    ("ownership", "profile", "detail"),
    [
        ("company", "work", "exact"),
        ("company", "personal", "kind"),
        ("company", "unknown", "nothing"),
        ("personal", "work", "hour"),
        ("personal", "personal", "nothing"),
        ("personal", "unknown", "name"),
    ],
)
def test_each_ownership_and_profile_has_a_ceiling_of_its_own(
    ownership: str, profile: str, detail: Detail
) -> None:
    for subject in SUBJECTS:
        assert allowed(DISTINCT, None, ownership, profile, subject) == detail


subjects = st.sampled_from(SUBJECTS)


def spoken_of(ceiling: Ceiling, ownership: str, profile: str, subject: str) -> Detail:
    """Return what a ceiling says by its own written form."""
    written: Any = msgspec.to_builtins(ceiling)[ownership][profile]
    detail: Detail = written[subject] if isinstance(written, dict) else written
    return detail


@given(ceilings, st.none() | ceilings, ownerships, profiles, subjects)
def test_what_is_allowed_is_what_is_written_and_a_policy_only_ever_lowers(
    device: Ceiling, policy: Ceiling | None, ownership: str, profile: str, subject: str
) -> None:
    own = DETAILS.index(spoken_of(device, ownership, profile, subject))
    asked = own if policy is None else DETAILS.index(spoken_of(policy, ownership, profile, subject))
    assert DETAILS.index(allowed(device, policy, ownership, profile, subject)) == min(own, asked)


@given(ceilings, ceilings, ceilings, ownerships, profiles, subjects)
def test_lowering_is_monotone_and_in_any_order(
    device: Ceiling, one: Ceiling, other: Ceiling, ownership: str, profile: str, subject: str
) -> None:
    def level(own: Ceiling, policy: Ceiling | None) -> int:
        return DETAILS.index(allowed(own, policy, ownership, profile, subject))

    assert level(device, one) == level(one, device) <= level(device, None)
    if level(one, None) <= level(other, None):
        assert level(device, one) <= level(device, other)
        assert level(one, device) <= level(other, device)


@given(ceilings, ceilings, ownerships)
def test_a_policy_exceeds_where_it_would_let_more_leave_of_anything(
    device: Ceiling, policy: Ceiling, ownership: str
) -> None:
    more = {
        profile
        for profile in ("work", "personal", "unknown")
        for subject in SUBJECTS
        if DETAILS.index(spoken_of(policy, ownership, profile, subject))
        > DETAILS.index(spoken_of(device, ownership, profile, subject))
    }
    own, asked = (getattr(one, ownership).file_names for one in (device, policy))
    if asked and not own:
        more.add("file names")
    assert set(exceeding(device, policy, ownership)) == more


@given(ceilings, st.none() | ceilings, st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_an_ownership_profile_or_observation_that_nobody_has_heard_of_gets_nothing(
    device: Ceiling, policy: Ceiling | None, ownership: str, profile: str, subject: str
) -> None:
    if ownership not in {"company", "personal"}:
        assert allowed(device, policy, ownership, "work", "sighting") == "nothing"
    if profile not in {"work", "personal", "unknown"}:
        assert allowed(device, policy, "company", profile, "sighting") == "nothing"
    if subject not in SUBJECTS:
        assert allowed(device, policy, "company", "work", subject) == "nothing"


def test_a_level_for_a_side_means_every_observation_and_a_table_only_those_that_it_names() -> None:
    written = {"company": {"work": "hour", "personal": {"sighting": "count", "receipt": "kind"}}}
    ceiling = convert(Ceiling, written)
    assert [allowed(ceiling, None, "company", "work", one) for one in SUBJECTS] == ["hour"] * len(SUBJECTS)
    assert ceiling.company.personal == ObservationCeiling(sighting="count", receipt="kind")
    assert allowed(ceiling, None, "company", "personal", "installed") == "nothing"


def test_details_are_in_order_least_first() -> None:
    assert DETAILS == ("nothing", "count", "kind", "name", "hour", "exact")


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ({"company": {"work": "all"}}, "$.company.work"),
        ({"company": {"work": None}}, "$.company.work"),
        ({"company": {"work": 4}}, "$.company.work"),
        ({"company": {"office": "name"}}, "$.company"),
        ({"Company": {"work": "name"}}, "$"),
        ({"company": "exact"}, "$.company"),
        ({"company": {"work": {"sighting": "all"}}}, "$.company.work.sighting"),
        ({"company": {"work": {"sightings": "name"}}}, "$.company.work"),
        ({"company": {"work": {"heartbeat": "nothing"}}}, "$.company.work"),
        ({"company": {"work": ["name"]}}, "$.company.work"),
        ("exact", "$"),
    ],
)
def test_a_misspelt_ceiling_is_refused_since_it_would_be_believed_to_hold(written: Any, path: str) -> None:
    with pytest.raises(MalformedError) as refused:
        convert(Ceiling, written)
    assert refused.value.path == path


def test_what_a_ceiling_does_not_name_stays_closed() -> None:
    assert convert(Ceiling, {"company": {"work": "name"}}) == Ceiling(company=ProfileCeiling(work="name"))


@given(ceilings)
def test_a_ceiling_comes_back_as_it_was_written(ceiling: Ceiling) -> None:
    assert convert(Ceiling, msgspec.json.decode(encode(ceiling))) == ceiling
