"""How sides are told apart, as a policy says it: domains are one's own, rules are about one thing, what is misspelt is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.document import render
from contract.domains import domain_of_address, is_within, normalised, why_not_a_companys
from contract.errors import MalformedError
from contract.policy import Policy, parse, parse_published
from contract.sides import Profiles
from tests.contract.strategies import policies
from tests.contract.test_policy import MINIMAL


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.Com.", "example.com"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"),
        ("com", None),
        ("", None),
        (".", None),
        ("a..b", None),
        ("-a.example", None),
        ("a_b.example", None),
        ("10.0.0.1", None),
        ("straße.example", None),
        ("somebody@example.com", None),
        ("https://example.com", None),
        ("*.example.com", None),
        ("a" * 64 + ".example", None),
        (".".join(["a" * 60] * 5), None),
    ],
)
def test_a_domain_has_one_spelling(text: str, domain: str | None) -> None:
    assert normalised(text) == domain


@given(st.text(max_size=80))
def test_whatever_is_a_domain_stays_what_it_is(text: str) -> None:
    domain = normalised(text)
    assert domain is None or normalised(domain) == domain


def test_what_lies_below_belongs_to_it_and_what_ends_alike_does_not() -> None:
    assert is_within("a.b.example.com", "example.com")
    assert not is_within("notexample.com", "example.com")
    assert not is_within("example.com", "a.example.com")
    assert not is_within("example.com.evil.example", "example.com")


def test_of_an_address_its_domain_is_left() -> None:
    assert domain_of_address("a@b@Example.com") == "example.com"
    assert domain_of_address("example.com") is None


@pytest.mark.parametrize(
    "text", ["com", "co.uk", "gmail.com", "GMAIL.com.", "slack.com", "straße.de", "a b.example"]
)
def test_what_is_no_companys_is_refused_and_counts_for_nothing_where_it_came_all_the_same(text: str) -> None:
    assert why_not_a_companys(text)
    with pytest.raises(MalformedError) as refused:
        parse(f"{MINIMAL}\nprofiles.company_domains = ['example.com', '{text}']\n")
    assert refused.value.path == "$.profiles.company_domains[1]"
    assert Profiles(company_domains=(text, "example.com")).domains == {"example.com"}


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("company_domain = []", "$.profiles.company_domain"),
        ("signals_off = ['ownershp']", "$.profiles.signals_off[0]"),
        ("rules = [{ side = 'work' }]", "$.profiles.rules[0]"),
        ("rules = [{ side = 'work', folder = '~/W', name = 'w' }]", "$.profiles.rules[0]"),
        ("rules = [{ side = 'work', folder = '~/.' }]", "$.profiles.rules[0].folder"),
        ("rules = [{ side = 'work', folder = '/home' }]", "$.profiles.rules[0].folder"),
        ("rules = [{ side = 'unknown', name = 'w' }]", "$.profiles.rules[0].side"),
        ("rules = [{ side = 'work', folder = 'Work' }]", "$.profiles.rules[0].folder"),
        (
            "rules = [{ side = 'work', program = '/opt/a', folders = '/opt/b' }]",
            "$.profiles.rules[0].folders",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_place(written: str, path: str) -> None:
    with pytest.raises(MalformedError) as refused:
        parse(f"{MINIMAL}\n[profiles]\n{written}\n")
    assert refused.value.path == path


def test_what_a_later_version_adds_is_passed_over_once_it_is_published() -> None:
    text = f"{MINIMAL}\n[profiles]\ncompany_domains = ['example.com']\nnew_way = 1\n"
    profiles = parse_published(text).profiles
    assert profiles is not None
    assert profiles.domains == {"example.com"}


def test_a_policy_from_before_has_none() -> None:
    assert parse(MINIMAL).profiles is None


def _told(policy: Policy) -> str:
    sections = {one.heading: one.paragraphs for one in render(policy, "en", str)}
    return " ".join(sections["How work is told from personal use"])


def test_the_document_says_how_sides_are_told_apart() -> None:
    text = f"""{MINIMAL}
[profiles]
company_domains = ["example.com"]
signals_off = ["os_account"]
[[profiles.rules]]
side = "work"
messenger = "telegram"
folder = "~/Work"
[[profiles.rules]]
side = "personal"
program = "/opt/games"
[[profiles.rules]]
side = "personal"
name = "home"
"""
    told = _told(parse(text))
    assert "Accounts of example.com count as work." in told
    assert "telegram that keeps its data in ~/Work counts as work." in told
    assert "A messenger that is installed in /opt/games counts as personal." in told
    assert "A messenger that runs as home counts as personal." in told
    assert "the domain that the browser's profile is signed in to" in told
    assert "account on the computer" not in told


@given(policies())
def test_each_rule_and_each_domain_stands_in_the_document(policy: Policy) -> None:
    told = _told(policy)
    profiles = policy.profiles or Profiles()
    for what in profiles.company_domains:
        assert what in told
    for rule in profiles.rules:
        assert (rule.folder or rule.name or rule.program or "") in told


def test_a_table_without_anything_is_not_the_same_as_none() -> None:
    empty = msgspec.structs.replace(parse(MINIMAL), profiles=Profiles())
    assert _told(empty) != _told(parse(MINIMAL))
