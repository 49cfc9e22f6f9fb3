import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.ceiling import Ceiling, ProfileCeiling
from contract.errors import MalformedError
from contract.settings_keys import KEYS, ORIGINS, Origin, refuse_wishes, resolve
from contract.wire import convert

GOOD: dict[str, tuple[object, object]] = {
    "server_url": ("https://a.example.com", "http://b.example.com:8000"),
    "root_fingerprint": ("a" * 43, "b" * 43),
    "ownership": ("company", "personal"),
    "notice": ("given", "show"),
    "ceiling": ({"company": {"work": "name"}}, {"company": {"work": "exact"}}),
    "highest_rung": ("close", "report"),
    "key_store": ("file", "keyring"),
    "web_extension": ("a" * 32, "p" * 32),
    "retention_folder": ("/srv/records", "//archive/records"),
    "export_folders": ({"LeapXpert": "/srv/export"}, {"Archive": r"C:\Export", "Other": r"\\host\share"}),
    "check_in_seconds": (60, 61),
    "poll_milliseconds": (500, 501),
}
"""Two values for each setting, so that it shows which of two layers was heard."""
OF_THE_SERVER = {"check_in_seconds", "poll_milliseconds"}


def typed(name: str, value: object) -> object:
    return convert(Ceiling, value) if name == "ceiling" else value


def test_every_setting_has_two_values_here() -> None:
    assert set(GOOD) == {key.name for key in KEYS}


def test_every_setting_is_described_and_has_a_name_a_bound_and_a_version() -> None:
    assert len({key.name for key in KEYS}) == len(KEYS)
    for key in KEYS:
        assert re.fullmatch(r"[a-z][a-z_]*", key.name)
        assert key.sentence.endswith(".")
        assert re.fullmatch(r"\d+\.\d+\.\d+", key.since)
        if key.kind is int:
            assert key.minimum is not None
            assert key.maximum is not None
            assert isinstance(key.default, int)
            assert key.minimum <= key.default <= key.maximum


def test_the_defaults_collect_nothing_trust_nobody_and_go_no_further_than_reminding() -> None:
    values = {name: value.value for name, value in resolve({}).items()}
    assert values == {
        "server_url": None,
        "root_fingerprint": None,
        "ownership": "personal",
        "notice": "show",
        "ceiling": Ceiling(),
        "highest_rung": "remind",
        "key_store": "keyring",
        "web_extension": None,
        "retention_folder": None,
        "export_folders": {},
        "check_in_seconds": 300,
        "poll_milliseconds": 750,
    }
    assert {value.origin for value in resolve({}).values()} == {"default"}


def test_the_server_may_change_nothing_but_its_own_rhythm() -> None:
    # Its address, the root, the ceiling, the highest rung and the notice are what protects people from it.
    assert {key.name for key in KEYS if key.server_may_change} == OF_THE_SERVER


@pytest.mark.parametrize("name", GOOD)
def test_the_server_is_never_heard_where_it_may_not_speak(name: str) -> None:
    value = resolve({"server": {name: GOOD[name][0]}})[name]
    if name in OF_THE_SERVER:
        assert (value.value, value.origin) == (GOOD[name][0], "server")
    else:
        assert value == resolve({})[name]


@pytest.mark.parametrize("name", sorted(set(GOOD) - OF_THE_SERVER))
def test_what_is_not_heard_cannot_do_harm_either(name: str) -> None:
    assert resolve({"server": {name: object()}}) == resolve({})


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("lower", ORIGINS[1:])
@pytest.mark.parametrize("higher", ORIGINS[1:])
def test_a_later_layer_wins_and_the_value_knows_where_it_came_from(
    name: str, lower: Origin, higher: Origin
) -> None:
    if ORIGINS.index(lower) >= ORIGINS.index(higher) or (
        "server" in {lower, higher} and name not in OF_THE_SERVER
    ):
        return
    first, second = GOOD[name]
    value = resolve({higher: {name: second}, lower: {name: first}})[name]
    assert (value.value, value.origin, value.remark) == (typed(name, second), higher, None)
    alone = resolve({lower: {name: first}})[name]
    assert (alone.value, alone.origin) == (typed(name, first), lower)


def test_precedence_is_default_file_server_managed() -> None:
    assert ORIGINS == ("default", "file", "server", "managed")


@pytest.mark.parametrize("origin", ["file", "managed"])
@pytest.mark.parametrize("name", ["celing", "Ceiling", "", "ceiling ", "ceiling.company", "__class__"])
def test_a_name_that_is_no_setting_is_refused_with_its_layer(origin: Origin, name: str) -> None:
    with pytest.raises(MalformedError, match=re.escape(f"{name!r} ({origin})")) as refused:
        resolve({origin: {name: {"company": {"work": "exact"}}}})
    assert refused.value.path == f"$.{name}"


WRONG: list[tuple[str, Any, str]] = [
    ("server_url", "decorum.example.com", "$.server_url"),
    ("server_url", "ftp://decorum.example.com", "$.server_url"),
    ("server_url", "https://decorum.example.com/", "$.server_url"),
    ("server_url", "https://decorum.example.com/path", "$.server_url"),
    ("server_url", "https://decorum.example.com?x", "$.server_url"),
    ("server_url", "https://user:secret@decorum.example.com", "$.server_url"),
    ("server_url", "https://decorum.example.com\n", "$.server_url"),
    ("server_url", "https://decorum example.com", "$.server_url"),
    ("server_url", "https://", "$.server_url"),
    ("server_url", "https://" + "a" * 293, "$.server_url"),
    ("server_url", 5, "$.server_url"),
    ("root_fingerprint", "a" * 42, "$.root_fingerprint"),
    ("root_fingerprint", "a" * 43 + "\n", "$.root_fingerprint"),
    ("root_fingerprint", "a" * 42 + "+", "$.root_fingerprint"),
    ("ownership", "mine", "$.ownership"),
    ("notice", True, "$.notice"),
    ("ceiling", "exact", "$.ceiling"),
    ("ceiling", {"company": {"wrok": "name"}}, "$.ceiling.company"),
    ("ceiling", {"company": {"work": "all"}}, "$.ceiling.company.work"),
    ("highest_rung", "kill", "$.highest_rung"),
    ("key_store", "memory", "$.key_store"),
    ("export_folders", ["/srv/export"], "$.export_folders"),
    ("export_folders", {"LeapXpert": "export"}, "$.export_folders[...]"),
    ("export_folders", {"LeapXpert": "../export"}, "$.export_folders[...]"),
    ("export_folders", {"LeapXpert": "C:export"}, "$.export_folders[...]"),
    ("export_folders", {"": "/srv/export"}, "$.export_folders"),
    ("export_folders", {str(number): "/srv" for number in range(21)}, "$.export_folders"),
    ("check_in_seconds", "300", "$.check_in_seconds"),
    ("check_in_seconds", 300.0, "$.check_in_seconds"),
    ("check_in_seconds", True, "$.check_in_seconds"),
    ("check_in_seconds", None, "$.check_in_seconds"),
    ("poll_milliseconds", [750], "$.poll_milliseconds"),
]


@pytest.mark.parametrize(("name", "value", "path"), WRONG)
def test_a_value_of_the_wrong_type_is_refused_by_its_path(name: str, value: Any, path: str) -> None:
    for origin in ("file", "managed"):
        with pytest.raises(MalformedError) as refused:
            resolve({origin: {name: value}})
        assert refused.value.path == path
        assert name in refused.value.detail


@given(st.sampled_from(sorted(OF_THE_SERVER)), st.sampled_from(["file", "managed"]), st.integers())
def test_a_number_out_of_bounds_is_brought_to_the_nearest_bound_and_remarked_on(
    name: str, origin: Origin, asked: int
) -> None:
    low, high = {"check_in_seconds": (5, 86_400), "poll_milliseconds": (100, 10_000)}[name]
    value = resolve({origin: {name: asked}})[name]
    assert value.value == max(low, min(high, asked))
    assert value.origin == origin
    if low <= asked <= high:
        assert value.remark is None
    else:
        assert value.remark == f"{asked} was asked for; {low} to {high} is taken."


def test_a_ceiling_is_taken_whole_so_that_a_higher_layer_can_close_what_a_lower_one_opened() -> None:
    layers: dict[Origin, dict[str, object]] = {
        "file": {"ceiling": {"company": {"work": "exact", "personal": "exact"}}},
        "managed": {"ceiling": {"company": {"work": "name"}}},
    }
    assert resolve(layers)["ceiling"].value == Ceiling(company=ProfileCeiling(work="name"))


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"highest_rung": "close", "poll_milliseconds": 800}, 800),
        ({"invented_later": {"deep": [1]}, "poll_milliseconds": 800}, 800),
        ({"poll_milliseconds": "fast"}, 750),
        ({"poll_milliseconds": 1}, 750),
        ({"poll_milliseconds": 99_999}, 750),
    ],
)
def test_no_answer_of_a_server_keeps_an_agent_from_starting(asked: dict[str, object], kept: int) -> None:
    values = resolve({"server": asked})
    assert values["poll_milliseconds"].value == kept
    assert values["highest_rung"].value == "remind"


def test_a_wish_that_is_not_taken_is_said_and_leaves_what_was_in_force() -> None:
    value = resolve({"file": {"poll_milliseconds": 900}, "server": {"poll_milliseconds": "fast"}})[
        "poll_milliseconds"
    ]
    assert (value.value, value.origin) == (900, "file")
    assert value.remark is not None
    assert "'fast'" in value.remark


@given(st.sampled_from(sorted(OF_THE_SERVER)), st.integers())
def test_a_wish_out_of_bounds_gets_nothing_and_is_remarked_on(name: str, asked: int) -> None:
    low, high = {"check_in_seconds": (5, 86_400), "poll_milliseconds": (100, 10_000)}[name]
    before, value = resolve({})[name], resolve({"server": {name: asked}})[name]
    if low <= asked <= high:
        assert (value.value, value.origin, value.remark) == (asked, "server", None)
    else:
        assert (value.value, value.origin) == (before.value, before.origin)
        assert value.remark is not None
        assert str(asked) in value.remark


def test_what_the_administrator_fixed_no_server_changes() -> None:
    value = resolve({"server": {"poll_milliseconds": 800}, "managed": {"poll_milliseconds": 900}})[
        "poll_milliseconds"
    ]
    assert (value.value, value.origin) == (900, "managed")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"highest_rung": "close"}, "'highest_rung' is nothing that a server may ask for"),
        ({"check_in_seconds": 60}, "poll_milliseconds"),
        ({"poll_milliseconds": 1}, "100 to 10000"),
        ({"poll_milliseconds": "fast"}, "Expected `int`"),
    ],
)
def test_what_a_server_cannot_ask_for_is_refused_before_it_is_sent(
    asked: dict[str, object], words: str
) -> None:
    with pytest.raises(MalformedError, match=re.escape(words)):
        refuse_wishes(asked)
