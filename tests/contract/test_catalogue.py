import re
from pathlib import Path

import pytest

from agent.catalogue import load
from contract.catalogue import KINDS_OF, Identifier, parse
from contract.errors import MalformedError
from contract.evidence import WEIGHTS

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

ALL = [(messenger, seen) for messenger, entry in CATALOGUE.messengers.items() for seen in entry.seen]
GOOD_ROW = '["linux", "Debian demo 1", { executable = "demo-im" }]'


def _seen_as(messenger: str) -> list[Identifier]:
    """Return how a messenger is seen, its unofficial clients among it."""
    return [seen for one, seen in ALL if CATALOGUE.judged_as(one) == messenger]


def _entry(row: str, *, messenger: str = "demo", fields: str = "") -> str:
    return f'[{messenger}]\nname = "{messenger}"\nmaker = "Demo"\nkind = "both"\n{fields}seen = [{row}]\n'


def test_at_least_one_hundred_and_eighty_messengers_are_listed() -> None:
    assert len(CATALOGUE.messengers) >= 180


@pytest.mark.parametrize("messenger", MUST_BE_SEEN_ON)
def test_the_messengers_that_policies_name_are_known_on_each_platform_they_exist_on(messenger: str) -> None:
    assert {seen.platform for seen in _seen_as(messenger)} >= MUST_BE_SEEN_ON[messenger]


@pytest.mark.parametrize("messenger", MUST_HAVE_BOTH)
def test_what_is_in_flathub_and_in_the_snap_store_is_known_from_both(messenger: str) -> None:
    kinds = {seen.kind for seen in _seen_as(messenger) if seen.platform == "linux"}
    assert kinds >= {"flatpak_id", "snap"}


def test_a_debian_source_names_package_and_version() -> None:
    sources = [seen.source for _, seen in ALL if seen.source.startswith("Debian")]
    assert len(sources) > 60
    assert [
        source for source in sources if not re.fullmatch(r"Debian [a-z0-9.+-]+ [0-9][0-9.]*", source)
    ] == []


def test_every_kind_is_used_and_has_a_weight() -> None:
    kinds = {kind for known in KINDS_OF.values() for kind in known}
    assert {seen.kind for _, seen in ALL} == kinds
    assert kinds <= WEIGHTS.keys()


def test_an_entry_is_readable_in_ten_seconds() -> None:
    longest = max(
        len({(seen.platform, seen.source) for seen in entry.seen}) for entry in CATALOGUE.messengers.values()
    )
    assert longest <= 25


def test_ids_that_policies_may_name_are_all_still_there() -> None:
    once = (Path(__file__).parent / "corpus" / "ids.txt").read_text(encoding="utf-8").split()
    assert len(once) >= 96
    assert set(once) - CATALOGUE.messengers.keys() == set()


def test_a_row_gives_one_identifier_for_each_value() -> None:
    row = '["linux", "Debian demo 1", { executable = ["demo", "demo-im"], deb = "demo" }]'
    [entry] = parse({"demo.toml": _entry(row)}).messengers.values()
    assert entry.seen == (
        Identifier("linux", "executable", "demo", "Debian demo 1"),
        Identifier("linux", "executable", "demo-im", "Debian demo 1"),
        Identifier("linux", "deb", "demo", "Debian demo 1"),
    )


def test_what_is_not_written_is_not_known() -> None:
    [entry] = parse({"demo.toml": _entry(GOOD_ROW)}).messengers.values()
    assert (entry.wrapper, entry.client_of, entry.business_account, entry.capture) == (False, None, None, {})


def test_policies_speak_of_the_messenger_behind_an_unofficial_client() -> None:
    service = _entry('["web", "page", { origin = "https://demo.im", start_url = "https://demo.eu/talk/" }]')
    client = _entry(
        '["web", "page", { origin = "https://better.demo.org" }]',
        messenger="better",
        fields='client_of = "demo"\n',
    )
    catalogue = parse({"demo.toml": service + client})
    assert [catalogue.judged_as(one) for one in ("demo", "better", "unlisted:x")] == [
        "demo",
        "demo",
        "unlisted:x",
    ]
    assert catalogue.name_of("better") == "better"
    assert [(one.value, one.kind, one.messenger) for one in catalogue.web_addresses()] == [
        ("https://better.demo.org", "origin", "demo"),
        ("https://demo.eu/talk/", "start_url", "demo"),
        ("https://demo.im", "origin", "demo"),
    ]


def test_every_web_address_that_ships_is_listed() -> None:
    listed = {one.value for one in CATALOGUE.web_addresses()}
    assert listed == {seen.value for _, seen in ALL if seen.platform == "web"}
    assert len(listed) >= 40


@pytest.mark.parametrize("service", ["nobody", "demo", "better"])
def test_a_client_of_no_messenger_of_its_own_is_refused(service: str) -> None:
    text = _entry(GOOD_ROW, fields=f'client_of = "{service}"\n')
    text += _entry(GOOD_ROW, messenger="better", fields='client_of = "demo"\n')
    with pytest.raises(MalformedError, match="which is no messenger of its own"):
        parse({"demo.toml": text})


def test_an_id_stands_in_one_file_only() -> None:
    text = _entry(GOOD_ROW)
    with pytest.raises(MalformedError, match=r"again in two\.toml"):
        parse({"one.toml": text, "two.toml": text})


@pytest.mark.parametrize(
    "row",
    [
        '["linux", { executable = "demo" }]',
        '["amiga", "Debian demo 1", { executable = "demo" }]',
        '["linux", "Debian demo 1", { smell = "demo" }]',
        '["linux", "Debian demo 1", { executable = "" }]',
        '["linux", "Debian demo 1", { executable = 5 }]',
        '["linux", "", { executable = "demo" }]',
        '["linux", "Debian demo 1", {}]',
        "",
    ],
)
def test_a_row_of_another_form_is_refused(row: str) -> None:
    with pytest.raises(MalformedError, match=r"demo\.toml, 'demo': "):
        parse({"demo.toml": _entry(row)})


@pytest.mark.parametrize("bomb", ["a = " + "[" * 50_000, "a = " + "9" * 5_000], ids=["arrays", "digits"])
def test_a_bomb_is_refused_by_the_file_s_name(bomb: str) -> None:
    with pytest.raises(MalformedError, match=r"demo\.toml"):
        parse({"demo.toml": bomb})


def test_what_is_not_toml_is_refused_by_the_file_s_name() -> None:
    with pytest.raises(MalformedError, match=r"demo\.toml is not TOML"):
        parse({"demo.toml": "[demo"})


@pytest.mark.parametrize("messenger_id", ["Demo", "demo\\n", "de mo", "unlisted:demo", ""])
def test_an_id_of_another_form_is_refused(messenger_id: str) -> None:
    text = _entry(GOOD_ROW).replace("[demo]", f'["{messenger_id}"]')
    with pytest.raises(MalformedError):
        parse({"demo.toml": text})


def test_a_messenger_is_called_by_its_name_and_an_unlisted_one_by_its_key() -> None:
    assert CATALOGUE.name_of("whatsapp") == "WhatsApp"
    assert CATALOGUE.name_of("unlisted:foochat") == "foochat"
