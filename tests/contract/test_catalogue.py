import re
from collections import defaultdict

import pytest

from agent.catalogue import load
from contract.catalogue import Identifier, parse
from contract.errors import MalformedError
from contract.evidence import WEIGHTS
from contract.programs import BROWSERS, HELPERS, INTERPRETERS

CATALOGUE = load()
EVERY_DESKTOP = {"linux", "macos", "windows"}
MUST_BE_SEEN_ON = {
    "whatsapp": EVERY_DESKTOP | {"web"},
    "wechat": EVERY_DESKTOP | {"web"},
    "telegram": EVERY_DESKTOP | {"web"},
    "slack": EVERY_DESKTOP | {"web"},
    "microsoft-teams": EVERY_DESKTOP | {"web"},
    "signal": EVERY_DESKTOP,
    "discord": EVERY_DESKTOP | {"web"},
    "zoom": EVERY_DESKTOP | {"web"},
    "pidgin": {"linux", "windows"},
    "gajim": EVERY_DESKTOP,
    "element": EVERY_DESKTOP | {"web"},
    "leapxpert": {"macos", "windows", "web"},
}
MUST_HAVE_BOTH = ["telegram", "slack", "microsoft-teams", "signal", "discord", "zoom", "element"]
"""Messengers that are both in Flathub and in the Snap Store."""
TOO_GENERIC = (
    {"app", "chat", "client", "desktop", "launcher", "main", "messenger", "run", "talk", "update", "web"}
    | {"helper", "electron", "line", "element", "wire", "simplex", "fractal", "max", "tox", "mirage", "dino"}
    | INTERPRETERS.keys()
    | BROWSERS
    | HELPERS
)
"""Names on Linux that other programs carry as well; most of them really do."""
ALL = [(messenger, seen) for messenger, entry in CATALOGUE.messengers.items() for seen in entry.seen]


def _entry(identifier: str) -> str:
    return f'[demo]\nname = "Demo"\nmaker = "Demo"\nkind = "both"\nseen = [{identifier}]\n'


def test_at_least_sixty_messengers_are_listed() -> None:
    assert len(CATALOGUE.messengers) >= 60


@pytest.mark.parametrize("messenger", MUST_BE_SEEN_ON)
def test_the_messengers_that_policies_name_are_known_on_each_platform_they_exist_on(messenger: str) -> None:
    platforms = {seen.platform for seen in CATALOGUE.messengers[messenger].seen}
    assert platforms >= MUST_BE_SEEN_ON[messenger]


@pytest.mark.parametrize("messenger", MUST_HAVE_BOTH)
def test_what_is_in_flathub_and_in_the_snap_store_is_known_from_both(messenger: str) -> None:
    kinds = {seen.kind for seen in CATALOGUE.messengers[messenger].seen if seen.platform == "linux"}
    assert kinds >= {"flatpak_id", "snap"}


def test_no_two_messengers_claim_the_same_identifier() -> None:
    owners = defaultdict(set)
    for messenger, seen in ALL:
        owners[seen.platform, seen.kind, _compared(seen)].add(messenger)
    assert [key for key, claimed in owners.items() if len(claimed) > 1] == []


def test_no_identifier_stands_twice_in_an_entry() -> None:
    for messenger, entry in CATALOGUE.messengers.items():
        compared = [(seen.platform, seen.kind, _compared(seen)) for seen in entry.seen]
        assert len(compared) == len(set(compared)), messenger


def test_no_name_is_one_that_other_programs_carry() -> None:
    generic = [
        (messenger, seen.value)
        for messenger, seen in ALL
        if seen.platform == "linux"
        and seen.kind in {"executable", "script"}
        and _compared(seen) in TOO_GENERIC
    ]
    assert generic == []


def test_browsers_interpreters_and_helpers_are_listed_nowhere() -> None:
    shared = INTERPRETERS.keys() | BROWSERS | HELPERS
    assert [seen.value for _, seen in ALL if _compared(seen) in shared] == []


def test_a_source_is_named_without_an_address() -> None:
    assert [seen.source for _, seen in ALL if re.search(r"://|www\.|\.(com|org|net|io)/", seen.source)] == []


def test_a_debian_source_names_package_and_version() -> None:
    sources = [seen.source for _, seen in ALL if seen.source.startswith("Debian")]
    assert len(sources) > 60
    assert [
        source for source in sources if not re.fullmatch(r"Debian [a-z0-9.+-]+ [0-9][0-9.]*", source)
    ] == []


def test_identifiers_have_the_form_of_their_kind() -> None:
    forms = {
        "origin": r"https://[a-z0-9.-]+",
        "bundle_id": r"[A-Za-z0-9.-]+",
        "app_bundle": r".+\.app",
        "package_family": r"[A-Za-z0-9.-]+_[a-z0-9]{13}",
        "flatpak_id": r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2,}",
        "snap": r"[a-z0-9-]+",
        "executable": r"[^/\\]+",
        "script": r"[^/\\]+",
        "desktop_id": r"[^/]+",
        "winget_id": r"[A-Za-z0-9.-]+",
        "package": r"[a-z0-9.+-]+",
    }
    wrong = [seen for _, seen in ALL if not re.fullmatch(forms[seen.kind], seen.value)]
    assert wrong == []
    assert {seen.kind for _, seen in ALL} == forms.keys()


def test_windows_executables_carry_their_suffix_and_origins_belong_to_the_web() -> None:
    for _, seen in ALL:
        assert (seen.platform == "windows" and seen.kind == "executable") == seen.value.endswith(".exe"), seen
        assert (seen.kind == "origin") == (seen.platform == "web"), seen


def test_every_kind_that_is_matched_has_a_weight() -> None:
    assert {seen.kind for _, seen in ALL} - {"package"} <= WEIGHTS.keys()


def test_an_entry_is_readable_in_ten_seconds() -> None:
    longest = max(len(entry.seen) for entry in CATALOGUE.messengers.values())
    assert longest <= 25


def test_an_id_stands_in_one_file_only() -> None:
    text = _entry('["linux", "executable", "demo", "Debian demo 1"]')
    with pytest.raises(MalformedError, match=r"again in two\.toml"):
        parse({"one.toml": text, "two.toml": text})


@pytest.mark.parametrize(
    "identifier",
    [
        '["linux", "executable", "demo"]',
        '["amiga", "executable", "demo", "Debian demo 1"]',
        '["linux", "smell", "demo", "Debian demo 1"]',
        '["linux", "executable", "", "Debian demo 1"]',
        '["linux", "executable", 5, "Debian demo 1"]',
    ],
)
def test_an_identifier_of_another_form_is_refused(identifier: str) -> None:
    with pytest.raises(MalformedError):
        parse({"demo.toml": _entry(identifier)})


@pytest.mark.parametrize("bomb", ["a = " + "[" * 50_000, "a = " + "9" * 5_000], ids=["arrays", "digits"])
def test_a_bomb_is_refused_by_the_file_s_name(bomb: str) -> None:
    with pytest.raises(MalformedError, match=r"demo\.toml"):
        parse({"demo.toml": bomb})


def test_what_is_not_toml_is_refused_by_the_file_s_name() -> None:
    with pytest.raises(MalformedError, match=r"demo\.toml is not TOML"):
        parse({"demo.toml": "[demo"})


@pytest.mark.parametrize("messenger_id", ["Demo", "demo\\n", "de mo", "unlisted:demo", ""])
def test_an_id_of_another_form_is_refused(messenger_id: str) -> None:
    text = _entry('["linux", "executable", "demo", "Debian demo 1"]').replace("[demo]", f'["{messenger_id}"]')
    with pytest.raises(MalformedError):
        parse({"demo.toml": text})


def test_a_messenger_is_called_by_its_name_and_an_unlisted_one_by_its_key() -> None:
    assert CATALOGUE.name_of("whatsapp") == "WhatsApp"
    assert CATALOGUE.name_of("unlisted:foochat") == "foochat"


def _compared(seen: Identifier) -> str:
    value = seen.value.lower()
    return value.removesuffix(".exe") if seen.platform == "windows" and seen.kind == "executable" else value
