"""Whose side it is: the most reliable signals decide, what contradicts itself is unknown, and nothing leaks by a mistake."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.profiles import Side, Signals, classify
from agent.profiles.instances import instance_of, is_helper, lies_within
from agent.profiles.signals import Instance, OsAccount
from contract.sides import SIGNAL_NAMES, Profiles, SideRule, SignalName
from tests.contract.strategies import side_profiles

DOMAINS = st.frozensets(
    st.sampled_from(["example.com", "a.example.com", "notexample.com", "gmail.com", "acme.slack.com"]),
    max_size=3,
)
FOLDERS = st.none() | st.sampled_from(
    ["/home/x/Work/tg", "/home/x/Workshop", "/home/work", "/srv/acme/../play"]
)
signals = st.builds(
    Signals,
    ownership=st.sampled_from(["company", "personal"]),
    messenger=st.sampled_from(["telegram", "slack"]),
    marked_for=st.none() | st.sampled_from(["telegram", "slack"]),
    instance=st.builds(Instance, FOLDERS, st.none() | st.sampled_from(["work", "Profile 2", "other"])),
    data_home=st.sampled_from(["/home/x", "/home/work"]),
    home=st.sampled_from(["/home/x", "/home/work"]),
    sandbox=st.none() | st.just("org.telegram.desktop"),
    program=st.none() | st.sampled_from(["/opt/acme/bin/tg", "/usr/bin/tg", "/opt/acmes/tg"]),
    installer=st.none() | st.sampled_from(["system", "person", "management"]),
    browser_domains=DOMAINS,
    browser_has_others=st.booleans(),
    browser_is_managed=st.booleans(),
    account_domains=DOMAINS,
    edition=st.none() | st.sampled_from(["work", "personal"]),
    os_account=st.none()
    | st.builds(OsAccount, st.sampled_from(["local", "directory"]), st.none() | st.just("corp.example.com")),
    work_accounts=DOMAINS,
    is_managed=st.booleans(),
)
RULES = Profiles(
    company_domains=("example.com",),
    rules=(
        SideRule(side="work", folder="~/Work"),
        SideRule(side="personal", name="home"),
        SideRule(side="personal", folder="/srv/play"),
        SideRule(side="work", program="/opt/acme"),
        SideRule(side="work", messenger="slack", name="acme"),
    ),
)


def told(**changes: Any) -> Side:
    """Return what a personal device's telegram is classified as, under the rules above."""
    return classify(Signals(ownership="personal", messenger="telegram", home="/home/x", **changes), RULES)


def test_on_a_companys_device_it_is_work_and_said_why() -> None:
    side = classify(Signals(ownership="company"))
    assert side.profile == "work"
    assert "company" in side.reason
    assert side.assurance == "low"


def test_on_a_personal_device_nothing_is_called_work() -> None:
    side = classify(Signals(ownership="personal"))
    assert side.profile == "unknown"
    assert side.reason.endswith(".")


@given(signals)
def test_without_a_table_in_the_policy_ownership_alone_counts(one: Signals) -> None:
    assert classify(one, None) == classify(Signals(ownership=one.ownership), None)


STRONG_WORK: list[dict[str, Any]] = [
    {"marked_for": "telegram"},
    {"instance": Instance("/home/x/Work/telegram")},
    {"browser_domains": frozenset({"example.com", "a.example.com"})},
]
FAIR_PERSONAL: list[dict[str, Any]] = [
    {"browser_domains": frozenset({"gmail.com"})},
    {"account_domains": frozenset({"notexample.com"})},
    {"edition": "personal"},
]


@pytest.mark.parametrize("strong", STRONG_WORK)
def test_a_strong_signal_makes_it_work_on_a_personal_device(strong: dict[str, Any]) -> None:
    side = told(**strong)
    assert (side.profile, side.assurance) == ("work", "high")
    assert side.reason == side.spoke[0].sentence


@pytest.mark.parametrize("strong", STRONG_WORK)
def test_what_contradicts_a_stronger_one_takes_away_from_the_assurance(strong: dict[str, Any]) -> None:
    side = told(**strong, edition="personal")
    assert (side.profile, side.assurance) == ("work", "medium")


@pytest.mark.parametrize("fair", FAIR_PERSONAL)
def test_on_a_companys_device_what_is_personal_is_personal(fair: dict[str, Any]) -> None:
    side = classify(Signals(ownership="company", messenger="telegram", **fair), RULES)
    assert (side.profile, side.assurance) == ("personal", "medium")


@pytest.mark.parametrize("ownership", ["company", "personal"])
def test_strong_signals_that_contradict_each_other_are_both_named_and_it_is_unknown(ownership: Any) -> None:
    side = classify(
        Signals(
            ownership=ownership, messenger="telegram", marked_for="telegram", instance=Instance(None, "home")
        ),
        RULES,
    )
    assert side.profile == "unknown"
    assert "work launcher" in side.reason
    assert "'home'" in side.reason


@pytest.mark.parametrize(
    "weak",
    [
        {"installer": "management"},
        {"browser_is_managed": True},
        {"edition": "work"},
        {"work_accounts": frozenset({"example.com"})},
        {"is_managed": True},
    ],
)
def test_weak_signals_never_make_it_work_on_a_personal_device(weak: dict[str, Any]) -> None:
    side = told(**weak)
    assert side.profile == "unknown"
    assert [one.side for one in side.spoke] == ["work"], "it spoke, and decided nothing"


def test_an_account_of_the_companys_directory_makes_it_work() -> None:
    assert told(os_account=OsAccount("directory", "corp.example.com")).profile == "work"
    assert told(os_account=OsAccount("directory", "corp.notexample.com")).profile == "unknown"
    assert told(os_account=OsAccount("directory")).profile == "unknown"
    assert told(os_account=OsAccount("local")).profile == "unknown"


def test_the_marker_of_another_messenger_says_nothing_since_it_is_inherited() -> None:
    assert told(marked_for="slack").profile == "unknown"


def test_a_browser_of_which_it_is_not_known_which_profile_it_is_says_nothing_unless_all_say_the_same() -> (
    None
):
    assert told(browser_domains=frozenset({"example.com", "gmail.com"})).profile == "unknown"
    assert told(browser_domains=frozenset({"example.com"}), browser_has_others=True).profile == "unknown"


def test_accounts_of_the_company_and_of_others_contradict_each_other() -> None:
    side = told(account_domains=frozenset({"example.com", "gmail.com"}))
    assert side.profile == "unknown"
    assert "example.com" in side.reason


def test_a_rule_about_one_messenger_is_about_no_other() -> None:
    assert told(instance=Instance(None, "acme")).profile == "unknown"


def test_a_home_of_its_own_is_a_folder_of_its_own() -> None:
    assert told(data_home="/home/x/Work").profile == "work"
    assert told(data_home="/home/x/Work", instance=Instance("/home/x/tg")).profile == "unknown"


@pytest.mark.parametrize(
    "place", ["~", "~/.", "~/Work/..", "/", "/home", "/home/", "/home/x/..", "/mnt/users"]
)
def test_no_rule_makes_all_of_a_home_work(place: str) -> None:
    rules = Profiles(rules=(SideRule(side="work", folder=place),))
    for home in ("/home/x", "/mnt/users/x"):
        for instance in (Instance(), Instance(f"{home}/Work")):
            one = Signals(ownership="personal", home=home, data_home=home, instance=instance)
            assert classify(one, rules).profile == "unknown"
    unknown = Signals(ownership="personal", data_home="/mnt/users/x")
    assert classify(unknown, rules).profile == "unknown"


def test_a_second_person_of_the_computer_may_be_there_for_work() -> None:
    rules = Profiles(rules=(SideRule(side="work", folder="/home/work"),))
    work = Signals(ownership="personal", home="/home/work", data_home="/home/work")
    assert classify(work, rules).profile == "work"
    other = Signals(ownership="personal", home="/home/x", data_home="/home/x")
    assert classify(other, rules).profile == "unknown"


def test_where_a_program_lies_makes_nothing_work_by_itself() -> None:
    assert told(program="/opt/acme/bin/tg").profile == "unknown"
    rules = Profiles(rules=(SideRule(side="personal", program="/opt/acme"),))
    one = Signals(ownership="company", program="/opt/acme/bin/tg")
    assert classify(one, rules).profile == "personal"


@given(signals, side_profiles, st.randoms(use_true_random=False))
def test_the_order_of_the_rules_changes_nothing(one: Signals, rules: Profiles, chance: random.Random) -> None:
    shuffled = msgspec.structs.replace(
        rules,
        company_domains=_shuffled(rules.company_domains, chance),
        rules=_shuffled(rules.rules, chance),
        signals_off=_shuffled(rules.signals_off, chance),
    )
    assert classify(one, rules) == classify(one, shuffled)


def _shuffled(members: tuple[Any, ...], chance: random.Random) -> tuple[Any, ...]:
    order = list(members)
    chance.shuffle(order)
    return tuple(order)


FIELDS: dict[SignalName, tuple[str, ...]] = {
    "launch_marker": ("marked_for",),
    "instance": ("instance", "data_home", "sandbox"),
    "browser_profile": ("browser_domains", "browser_has_others"),
    "accounts": ("account_domains",),
    "program": ("program",),
    "edition": ("edition",),
    "os_account": ("os_account",),
    "ownership": (),
    "installer": ("installer",),
    "browser_policy": ("browser_is_managed",),
    "work_account": ("work_accounts", "is_managed"),
}


@given(signals, signals, side_profiles, st.sampled_from(SIGNAL_NAMES))
def test_a_signal_that_is_switched_off_never_changes_anything(
    one: Signals, other: Signals, rules: Profiles, name: SignalName
) -> None:
    off = msgspec.structs.replace(rules, signals_off=(*rules.signals_off, name))
    changed = msgspec.structs.replace(one, **{field: getattr(other, field) for field in FIELDS[name]})
    assert classify(one, off) == classify(changed, off)
    assert all(spoken.signal != name for spoken in classify(one, off).spoke)


@given(signals, side_profiles)
def test_on_a_personal_device_nothing_is_work_without_a_signal_that_says_so_and_counts(
    one: Signals, rules: Profiles
) -> None:
    side = classify(msgspec.structs.replace(one, ownership="personal"), rules)
    if side.profile == "work":
        assert any(spoken.side == "work" and spoken.reliability != "weak" for spoken in side.spoke)
    silent = Signals(
        ownership="personal",
        messenger=one.messenger,
        installer=one.installer,
        browser_is_managed=one.browser_is_managed,
        edition=one.edition,
        work_accounts=one.work_accounts,
        is_managed=one.is_managed,
        browser_domains=one.browser_domains - {"example.com", "a.example.com", "acme.slack.com"},
        account_domains=one.account_domains - {"example.com", "a.example.com", "acme.slack.com"},
    )
    assert classify(silent, rules).profile != "work"


PERSONAL: list[dict[str, Any]] = [
    *FAIR_PERSONAL,
    {"installer": "person"},
    {"instance": Instance("/srv/play"), "data_home": None},
]


@given(signals, st.sampled_from(PERSONAL))
def test_what_is_not_work_never_becomes_it_by_a_personal_signal(one: Signals, more: dict[str, Any]) -> None:
    bare: dict[str, Any] = {name: None if name != "instance" else Instance() for name in more}
    bare |= {name: frozenset() for name in more if name.endswith("domains")}
    before = classify(msgspec.structs.replace(one, **bare), RULES)
    after = classify(msgspec.structs.replace(one, **more), RULES)
    assert after.profile != "work" or before.profile == "work"


@given(signals, side_profiles)
def test_it_names_no_domain_but_the_policys_and_always_says_why(one: Signals, rules: Profiles) -> None:
    side = classify(one, rules)
    assert side.reason.endswith(".")
    for text in (side.reason, *(spoken.sentence for spoken in side.spoke)):
        assert "gmail" not in text
        assert "notexample" not in text
        assert "a.example" not in text


@pytest.mark.parametrize(
    ("cmdline", "instance"),
    [
        ("telegram-desktop", Instance()),
        ("telegram-desktop -workdir Work", Instance("Work")),
        ("telegram-desktop -- tg://resolve?workdir=x", Instance()),
        ("slack --user-data-dir=/w", Instance("/w")),
        ("firefox --profile /w", Instance("/w")),
        ("element-desktop --profile work", Instance(None, "work")),
        ("firefox -P --no-remote", Instance()),
        ("pidgin -c /w", Instance("/w")),
        ("irssi -c irc.example.com", Instance()),
        ("", Instance()),
    ],
)
def test_a_command_line_says_which_copy_it_starts(cmdline: str, instance: Instance) -> None:
    assert instance_of(tuple(cmdline.split())) == instance


def test_a_renderer_is_part_of_another_copy() -> None:
    assert is_helper(("slack", "--type=renderer", "--user-data-dir=/w"))
    assert is_helper(("firefox", "-contentproc", "-childID", "1"))
    assert not is_helper(("slack", "--user-data-dir=/w"))


def test_a_folder_is_not_within_what_only_begins_alike_nor_reached_by_going_up() -> None:
    assert not lies_within("/home/x/Work/../Play", "~/Work", "/home/x", "linux")
    assert not lies_within("/home/x/WORK", "~/Work", "/home/x", "linux")
    assert lies_within("/Users/x/WORK", "~/Work", "/Users/x", "macos")
    assert not lies_within("/home/x/Work", "~/Work", None, "linux")
    assert not lies_within("/home/xy/Work", "~", "/home/x", "linux")
