from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ceiling import DETAILS, Ceiling, Detail, ProfileCeiling, allowed
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
    assert allowed(Ceiling(), asked, ownership, profile) == "nothing"
    assert allowed(Ceiling(), None, ownership, profile) == "nothing"
    assert allowed(asked, Ceiling(), ownership, profile) == "nothing"


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
    assert allowed(DISTINCT, None, ownership, profile) == detail


@given(ceilings, ceilings, ownerships, profiles)
def test_a_policy_only_ever_lowers(device: Ceiling, policy: Ceiling, ownership: str, profile: str) -> None:
    alone = allowed(device, None, ownership, profile)
    together = allowed(device, policy, ownership, profile)
    assert DETAILS.index(together) <= DETAILS.index(alone)
    assert DETAILS.index(together) <= DETAILS.index(allowed(policy, None, ownership, profile))
    assert together in {alone, allowed(policy, None, ownership, profile)}


@given(ceilings, st.none() | ceilings, st.text(max_size=12), st.text(max_size=12))
def test_an_ownership_or_profile_that_nobody_has_heard_of_gets_nothing(
    device: Ceiling, policy: Ceiling | None, ownership: str, profile: str
) -> None:
    if ownership not in {"company", "personal"}:
        assert allowed(device, policy, ownership, "work") == "nothing"
    if profile not in {"work", "personal", "unknown"}:
        assert allowed(device, policy, "company", profile) == "nothing"


def test_details_are_in_order_least_first() -> None:
    assert DETAILS == ("nothing", "kind", "name", "hour", "exact")


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ({"company": {"work": "all"}}, "$.company.work"),
        ({"company": {"work": None}}, "$.company.work"),
        ({"company": {"work": 4}}, "$.company.work"),
        ({"company": {"office": "name"}}, "$.company"),
        ({"Company": {"work": "name"}}, "$"),
        ({"company": "exact"}, "$.company"),
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
