"""The overlay: what it says wins, and what it leaves out stays."""

import pytest

from contract.catalogue import entries_in
from contract.errors import MalformedError
from contract.facts import ProcessFacts
from contract.matching import Matcher
from contract.overlay import merge, parse

LISTED = entries_in(
    {
        "demo.toml": """
[telegram]
name = "Telegram"
maker = "Telegram Messenger"
kind = "consumer"
capture = { orchestration_platform = "LeapXpert's page of channels" }
seen = [["linux", "Debian telegram-desktop 4.6.5", { executable = ["telegram-desktop", "telegram"] }]]
[nheko]
name = "Nheko"
maker = "Nheko Reborn"
kind = "both"
seen = [["linux", "Debian nheko 0.11", { executable = "nheko" }]]
"""
    }
)
NEW = """
[acme-chat]
name = "Acme Chat"
maker = "Acme"
kind = "business"
seen = [["linux", "Acme IT", { executable = "acme-chat" }]]
"""


def messenger_of(overlay: str, executable: str) -> str | None:
    match = Matcher(merge(LISTED, parse(overlay))).match(ProcessFacts(platform="linux", exe=executable))
    return None if match is None else match.messenger


def test_a_new_id_adds_a_messenger_and_leaves_the_others() -> None:
    assert messenger_of(NEW, "/opt/acme-chat") == "acme-chat"
    assert messenger_of(NEW, "/usr/bin/telegram-desktop") == "telegram"
    assert messenger_of("", "/opt/acme-chat") is None


def test_a_listed_id_is_corrected_field_by_field() -> None:
    corrected = merge(LISTED, parse('[telegram]\nname = "Telegram here"\nkind = "both"\ncapture = {}\n'))
    entry, other = corrected.messengers["telegram"], corrected.messengers["nheko"]
    assert (entry.name, entry.kind, entry.capture, entry.maker) == (
        "Telegram here",
        "both",
        {},
        "Telegram Messenger",
    )
    assert [one.value for one in entry.seen] == ["telegram-desktop", "telegram"]
    assert other.name == "Nheko"


def test_seen_takes_the_place_of_all_rows_and_also_seen_adds_some() -> None:
    row = '[["linux", "Acme IT", { executable = "acme-telegram" }]]'
    instead, beside = f"[telegram]\nseen = {row}\n", f"[telegram]\nalso_seen = {row}\n"
    for overlay in (instead, beside):
        assert messenger_of(overlay, "/opt/acme-telegram") == "telegram"
    assert messenger_of(instead, "/usr/bin/telegram-desktop") is None
    assert messenger_of(beside, "/usr/bin/telegram-desktop") == "telegram"


def test_what_the_overlay_says_one_looks_like_no_other_looks_like() -> None:
    # "nheko" comes before "telegram" in the alphabet, and "zz" after both, so that no order can help.
    for messenger in ("aa", "zz"):
        overlay = NEW.replace("acme-chat]", f"{messenger}]").replace('"acme-chat"', '["Nheko", "telegram"]')
        assert messenger_of(overlay, "/usr/bin/nheko") == messenger
        assert messenger_of(overlay, "/usr/bin/telegram") == messenger
        assert messenger_of(overlay, "/usr/bin/telegram-desktop") == "telegram"


def test_never_takes_an_unlisted_messenger_away_and_no_other() -> None:
    def found(overlay: str, desktop: str) -> str | None:
        facts = ProcessFacts(
            platform="linux", exe="/opt/x", desktop_id=desktop, categories=("InstantMessaging",)
        )
        match = Matcher(merge(LISTED, parse(overlay))).match(facts)
        return None if match is None else match.messenger

    never = 'never = ["unlisted:acme-dialer"]\n'
    assert found("", "acme-dialer") == "unlisted:acme-dialer"
    assert found(never, "acme-dialer") is None
    assert found(never, "other-dialer") == "unlisted:other-dialer"


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("[acme-chat]\n", "acme-chat is not listed, and its entry has no name, no maker, no kind, no seen"),
        (NEW.replace('maker = "Acme"\n', ""), "acme-chat is not listed, and its entry has no maker"),
        ('[telegram]\nclient_of = "acme"\n', "telegram is a client of 'acme'"),
        ('[telegram]\nclient_of = "telegram"\n', "telegram is a client of 'telegram'"),
        ('[telegram]\nkind = "secret"\n', "'telegram'"),
        ("[telegram]\nseen = []\n", "'telegram'"),
        ('["Tele gram"]\nname = "x"\n', "'Tele gram'"),
        ("telegram = 5\n", "'telegram'"),
        ('never = ["telegram"]\n', "never"),
        ('never = "unlisted:x"\n', "never"),
        ("[telegram\n", "The overlay is not TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(overlay: str, words: str) -> None:
    with pytest.raises(MalformedError) as refused:
        merge(LISTED, parse(overlay))
    assert words in refused.value.detail


def test_a_messenger_may_be_called_never() -> None:
    overlay = parse(NEW.replace("[acme-chat]", "[never]"))
    assert list(overlay.entries) == ["never"]
    assert overlay.never == ()


def test_a_correction_can_make_a_messenger_another_ones_client() -> None:
    client = parse('[nheko]\nclient_of = "telegram"\n')
    assert merge(LISTED, client).judged_as("nheko") == "telegram"
