import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.catalogue import load
from contract.catalogue import Catalogue, Identifier, parse
from contract.evidence import MOST, WEIGHTS, together
from contract.facts import ProcessFacts
from contract.matching import Matcher
from contract.programs import BROWSERS
from contract.unlisted import desktop_stem

CORPUS = Path(__file__).parent / "corpus"
CATALOGUE = load()
MATCHER = Matcher(CATALOGUE)


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text(encoding="utf-8").splitlines()]


def _facts(row: dict[str, Any]) -> ProcessFacts:
    return msgspec.convert(row["facts"], ProcessFacts)


MESSENGERS = _rows("messengers.jsonl")
OTHERS = _rows("non_messengers.jsonl")


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(MESSENGERS) >= 120
    assert len(OTHERS) >= 150
    assert {row["facts"]["platform"] for row in MESSENGERS} == {"linux", "macos", "windows", "web"}


@pytest.mark.parametrize("row", MESSENGERS, ids=lambda row: json.dumps(row["facts"])[:100])
def test_a_messenger_is_recognised(row: dict[str, Any]) -> None:
    match = MATCHER.match(_facts(row))
    assert match is not None
    assert match.messenger == row["expect"]
    assert match.listed == (not row["expect"].startswith("unlisted:"))
    assert 0.5 <= match.confidence <= MOST
    assert match.name
    for evidence in match.evidence:
        assert evidence.value in evidence.sentence
        assert evidence.sentence.endswith(".")


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: json.dumps(row["facts"])[:100])
def test_what_is_no_messenger_is_left_alone(row: dict[str, Any]) -> None:
    assert MATCHER.match(_facts(row)) is None, row["why"]


REAL = _rows("real_programs.jsonl")
"""Programs that are no messengers, as their packages and manifests say it."""


def test_real_programs_are_many_and_each_has_a_source() -> None:
    assert len(REAL) >= 400
    assert {row["facts"]["platform"] for row in REAL} == {"linux", "macos", "windows", "web"}
    assert [
        row
        for row in REAL
        if not re.search(r"^(Debian|Homebrew|winget|Scoop|Ferdium|maker's) ", row["source"])
    ] == []
    assert len({json.dumps(row["facts"], sort_keys=True) for row in REAL}) == len(REAL)


def test_no_real_program_is_taken_for_a_listed_messenger() -> None:
    matches = [(row["source"], MATCHER.match(_facts(row))) for row in REAL]
    assert [(source, match.messenger) for source, match in matches if match and match.listed] == []


def test_at_most_one_real_program_in_two_hundred_is_taken_for_an_unlisted_messenger() -> None:
    alarms = [row["source"] for row in REAL if MATCHER.match(_facts(row))]
    assert len(alarms) <= len(REAL) * 0.005, alarms


DESKTOP_MESSENGERS = _rows("desktop_messengers.jsonl")
"""Debian's messengers with a desktop entry: what entry, AppStream file and package say of each, as it is recorded on Debian 12."""
KNOWN_WITHOUT_A_LIST_AT_LEAST = 0.93
"""Telephone programs that carry messages say no more of themselves than those that do not."""


def test_an_unlisted_messenger_can_be_listed_by_what_it_is_known_by() -> None:
    unlisted = Matcher(Catalogue({}))
    told = [(facts, unlisted.match(facts)) for facts in map(_facts, DESKTOP_MESSENGERS)]
    for facts, match in [*told, *((facts, unlisted.match(facts)) for facts in OTHERWISE_KNOWN)]:
        if match is None:
            assert facts not in OTHERWISE_KNOWN
            continue
        assert match.known_by is not None
        row = f'["{match.known_by.platform}", "test", {{ {match.known_by.kind} = "{match.known_by.value}" }}]'
        added = Matcher(parse({"a.toml": f'[a]\nname = "A"\nmaker = "B"\nkind = "both"\nseen = [{row}]\n'}))
        listed = added.match(facts)
        assert listed is not None
        assert (listed.messenger, listed.listed, listed.known_by) == ("a", True, None)


OTHERWISE_KNOWN = [
    ProcessFacts(platform="macos", bundle_id="org.acme.Chat.helper.Renderer", url_schemes=("xmpp",)),
    ProcessFacts(platform="windows", exe="C:\\Acme\\Chatter.EXE", url_schemes=("xmpp",)),
    ProcessFacts(platform="linux", exe="/opt/.chatter-wrapped", url_schemes=("xmpp",)),
    ProcessFacts(
        platform="linux",
        exe="/usr/bin/python3.11",
        cmdline=("python3", "/usr/lib/chatter/chatter.py"),
        url_schemes=("xmpp",),
    ),
    ProcessFacts(
        platform="linux",
        exe="/usr/bin/electron",
        cmdline=("electron", "/opt/chatter/app.asar"),
        url_schemes=("irc",),
    ),
    ProcessFacts(
        platform="linux",
        exe="/usr/lib/wine/wine64",
        cmdline=("wine64", "C:\\Acme\\Chatter.exe"),
        url_schemes=("irc",),
    ),
]
"""One of each kind that has no desktop entry."""


def test_nearly_every_messenger_is_known_by_what_it_says_without_any_list(
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    unlisted = Matcher(Catalogue({}))
    missed = []
    for row in DESKTOP_MESSENGERS:
        match = unlisted.match(_facts(row))
        if match is None:
            missed.append(row["source"])
            continue
        assert not match.listed
        assert match.messenger == f"unlisted:{desktop_stem(row['facts']['desktop_id']).lower()}"
    share = 1 - len(missed) / len(DESKTOP_MESSENGERS)
    print(f"{share:.1%} of {len(DESKTOP_MESSENGERS)} are known without a list; missed: {', '.join(missed)}")
    record_testsuite_property("known_without_a_list", round(share, 3))
    assert len(DESKTOP_MESSENGERS) >= 30
    assert share >= KNOWN_WITHOUT_A_LIST_AT_LEAST, missed


def test_an_unlisted_messenger_of_debian_is_known_although_no_list_has_it() -> None:
    alone = {
        row["source"]
        for row in DESKTOP_MESSENGERS
        if (match := MATCHER.match(_facts(row))) is not None and not match.listed
    }
    assert alone == {"Debian kdeconnect 22.12.3", "Debian spacebar 23.01.0"}


FACT_OF = {"deb": "package", "rpm": "package"}
"""Facts that are not called as the kind of identifier is."""
EVERY = [(messenger, seen) for messenger, entry in CATALOGUE.messengers.items() for seen in entry.seen]


def _told(seen: Identifier, value: str) -> ProcessFacts:
    if seen.kind == "executable":
        return ProcessFacts(platform=seen.platform, exe=f"/opt/any/{value}")
    if seen.kind == "script":
        return ProcessFacts(
            platform=seen.platform, exe="/usr/bin/python3", cmdline=("python3", f"/opt/{value}")
        )
    return msgspec.convert(
        {"platform": seen.platform, FACT_OF.get(seen.kind, seen.kind): value}, ProcessFacts
    )


@pytest.mark.parametrize("messenger", CATALOGUE.messengers)
def test_every_listed_identifier_is_recognised_on_its_platform_from_facts_alone(messenger: str) -> None:
    entry = CATALOGUE.messengers[messenger]
    for seen in entry.seen:
        value = seen.value.replace("*", "any")
        for spelt in (value, value.upper()):
            match = MATCHER.match(_told(seen, spelt))
            assert match is not None, spelt
            assert match.messenger == CATALOGUE.judged_as(messenger), spelt
            assert match.client == (messenger if entry.client_of else None)
            assert match.name == CATALOGUE.name_of(match.messenger)
            assert (match.evidence[0].value, match.listed) == (seen.value, True)
            # A package of the same name in both formats is told by the first.
            assert seen.source in match.evidence[0].sentence or (seen.kind, match.evidence[0].kind) == (
                "rpm",
                "deb",
            )


def test_a_name_of_another_platform_tells_nothing() -> None:
    known = {(seen.platform, seen.kind, seen.value.lower()) for _, seen in EVERY}
    for _, seen in EVERY:
        if seen.platform == "windows" and seen.kind == "uninstall_name":
            facts = ProcessFacts(platform="linux", uninstall_name=seen.value)
            assert MATCHER.match(facts) is None
        if seen.kind == "bundle_id" and ("linux", "desktop_id", seen.value.lower()) not in known:
            assert MATCHER.match(ProcessFacts(platform="windows", bundle_id=seen.value)) is None


SERVICE_AND_CLIENT = parse(
    {
        "demo.toml": """
[demo]
name = "Demo"
maker = "Demo"
kind = "both"
seen = [
  ["web", "page", { origin = ["https://demo.im", "https://*.demo.im"], start_url = "https://mail.demo.com/talk/" }],
  ["linux", "page", { executable = "demo-im" }],
]
[better]
name = "Better Demo"
maker = "Somebody"
kind = "both"
client_of = "demo"
seen = [["linux", "Debian better 1", { executable = "better-im", flatpak_id = "org.better.Demo" }]]
"""
    }
)


def test_an_unofficial_client_is_the_messenger_it_speaks_for_and_is_named() -> None:
    matcher = Matcher(SERVICE_AND_CLIENT)
    match = matcher.match(ProcessFacts(platform="linux", exe="/usr/bin/better-im"))
    assert match is not None
    assert (match.messenger, match.name, match.client) == ("demo", "Demo", "better")
    own = matcher.match(ProcessFacts(platform="linux", exe="/usr/bin/demo-im"))
    assert own is not None
    assert (own.messenger, own.client) == ("demo", None)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("Vesktop", True),
        ("Vesktop 1.6.7", True),
        ("vesktop 1.6.7 (x64)", True),
        ("Vesktop version 1.6.7", True),
        ("Vesktop Version 1.6.7 (x64)", True),
        ("Vesktop version", False),
        ("Vesktop Themes 1.6.7", False),
        ("1.6.7", False),
    ],
)
def test_a_program_that_windows_lists_with_its_version_is_known(told: str, *, found: bool) -> None:
    match = MATCHER.match(ProcessFacts(platform="windows", uninstall_name=told))
    assert (match is not None and match.client == "vesktop") == found


def test_a_package_is_one_fact_whatever_its_format() -> None:
    match = MATCHER.match(ProcessFacts(platform="linux", package="vesktop"))
    assert match is not None
    assert [evidence.kind for evidence in match.evidence] == ["deb"]
    assert match.confidence == pytest.approx(WEIGHTS["deb"])
    debs = {seen.value.lower() for _, seen in EVERY if seen.kind == "deb"}
    [rpm] = [seen for _, seen in EVERY if seen.kind == "rpm" and seen.value == "goofcord"]
    assert rpm.value not in debs
    told = MATCHER.match(ProcessFacts(platform="linux", package=rpm.value))
    assert told is not None
    assert [evidence.kind for evidence in told.evidence] == ["rpm"]


def test_a_client_and_its_messenger_speak_together() -> None:
    matcher = Matcher(SERVICE_AND_CLIENT)
    match = matcher.match(ProcessFacts(platform="linux", exe="/x/demo-im", flatpak_id="org.better.Demo"))
    assert match is not None
    assert (match.messenger, match.client) == ("demo", "better")
    assert [evidence.kind for evidence in match.evidence] == ["flatpak_id", "executable"]


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        ("https://demo.im", "https://demo.im"),
        ("https://acme.demo.im", "https://*.demo.im"),
        ("https://a.b.Demo.im:443/x", "https://*.demo.im"),
        ("https://notdemo.im", None),
        ("https://demo.im.evil.com", None),
        ("http://demo.im", None),
        ("https://mail.demo.com/talk/", None),
    ],
)
def test_an_origin_is_of_a_messenger_by_its_host_alone(origin: str, found: str | None) -> None:
    match = Matcher(SERVICE_AND_CLIENT).match(ProcessFacts(platform="web", origin=origin))
    assert (match and match.evidence[0].value) == found


@pytest.mark.parametrize(
    ("start_url", "found"),
    [
        ("https://mail.demo.com/talk/", "start_url"),
        ("https://mail.demo.com/talk", "start_url"),
        ("https://mail.demo.com/talk/u/0?x=1#y", "start_url"),
        ("https://mail.demo.com/talker", None),
        ("https://mail.demo.com/", None),
        ("https://demo.im/app/?source=pwa", "origin"),
        ("https://demo.com", None),
    ],
)
def test_an_installed_web_application_is_known_by_where_it_starts(start_url: str, found: str | None) -> None:
    for platform in ("web", "linux"):
        facts = msgspec.convert({"platform": platform, "start_url": start_url}, ProcessFacts)
        match = Matcher(SERVICE_AND_CLIENT).match(facts)
        assert (match and match.evidence[0].kind) == found


def test_evidence_names_what_was_seen_and_who_says_so() -> None:
    match = MATCHER.match(ProcessFacts(platform="linux", exe="/usr/bin/telegram-desktop"))
    assert match is not None
    assert [msgspec.structs.astuple(evidence) for evidence in match.evidence] == [
        (
            "executable",
            "telegram-desktop",
            "The executable is telegram-desktop (source: Debian telegram-desktop 4.6.5).",
        )
    ]


def test_evidence_never_tells_where_a_person_keeps_things() -> None:
    home = "/home/ada/private-client-list"
    for facts in [
        ProcessFacts(platform="linux", exe=f"{home}/telegram-desktop"),
        ProcessFacts(
            platform="linux", exe="/usr/bin/python3", cmdline=("python3", f"{home}/bin/gajim", "--secret")
        ),
        ProcessFacts(platform="linux", cmdline=(f"{home}/pidgin", "--secret")),
        ProcessFacts(platform="web", origin="https://web.whatsapp.com/ada?secret"),
    ]:
        match = MATCHER.match(facts)
        assert match is not None
        assert not re.search("ada|secret", str(match.evidence))


def test_the_strongest_kind_wins_whatever_the_others_say() -> None:
    # By the alphabet, by the order of facts and by number of pieces, slack would win.
    facts = ProcessFacts(
        platform="linux",
        exe="/usr/lib/slack/slack",
        desktop_id="slack",
        snap="slack",
        flatpak_id="org.signal.Signal",
    )
    match = MATCHER.match(facts)
    assert match is not None
    assert match.messenger == "signal"
    assert {evidence.value for evidence in match.evidence} == {"org.signal.Signal"}
    assert match.confidence == pytest.approx(WEIGHTS["flatpak_id"])


def test_independent_evidence_adds_up_but_the_same_kind_twice_does_not() -> None:
    once = MATCHER.match(ProcessFacts(platform="linux", exe="/usr/bin/pidgin"))
    both = MATCHER.match(ProcessFacts(platform="linux", exe="/usr/bin/pidgin", desktop_id="pidgin"))
    snap = MATCHER.match(ProcessFacts(platform="linux", exe="/snap/slack/1/usr/lib/x", snap="slack"))
    assert once is not None
    assert both is not None
    assert snap is not None
    assert once.confidence < both.confidence
    assert [evidence.kind for evidence in both.evidence] == ["desktop_id", "executable"]
    assert snap.confidence == pytest.approx(WEIGHTS["snap"])
    assert len(snap.evidence) == 1


def test_what_is_vouched_for_weighs_more_than_a_name() -> None:
    vouched = {"bundle_id", "package_family", "flatpak_id", "winget_id", "snap"}
    said = {"executable", "script", "app_bundle", "command", "helper"}
    assert min(WEIGHTS[kind] for kind in vouched) > max(WEIGHTS[kind] for kind in said)
    assert min(WEIGHTS[kind] for kind in said) > WEIGHTS["name"]
    assert len(set(WEIGHTS.values())) == len(WEIGHTS), "two alike would leave open which wins"


@pytest.mark.parametrize(
    "row",
    [row for row in MESSENGERS if "exe" not in row["facts"]],
    ids=lambda row: json.dumps(row["facts"])[:100],
)
def test_an_executable_of_no_table_does_not_hide_what_else_is_known(row: dict[str, Any]) -> None:
    if row["facts"].keys() & {"name", "cmdline"}:
        return  # these count only where the executable tells nothing
    match = MATCHER.match(msgspec.structs.replace(_facts(row), exe="/opt/any/program"))
    assert match is not None
    assert match.messenger == row["expect"]


def test_what_a_program_says_of_itself_weighs_less_than_its_executable() -> None:
    said = MATCHER.match(ProcessFacts(platform="linux", cmdline=("/usr/bin/pidgin",)))
    told = MATCHER.match(ProcessFacts(platform="linux", exe="/usr/bin/pidgin", cmdline=("/usr/bin/pidgin",)))
    named = MATCHER.match(ProcessFacts(platform="linux", name="pidgin"))
    assert said is not None
    assert told is not None
    assert named is not None
    assert named.confidence < said.confidence < told.confidence
    assert [evidence.kind for match in (named, said, told) for evidence in match.evidence] == [
        "name",
        "command",
        "executable",
    ]


def test_nothing_makes_certain() -> None:
    assert together(WEIGHTS.values()) == MOST
    assert together([]) == 0


def test_a_name_shared_by_two_messengers_when_cut_tells_neither() -> None:
    entry = '[{id}]\nname = "{id}"\nmaker = "x"\nkind = "both"\nseen = [["linux", "Debian x 1", {{ executable = "{exe}" }}]]\n'
    text = entry.format(id="one", exe="secure-messenger-one") + entry.format(
        id="two", exe="secure-messenger-two"
    )
    matcher = Matcher(parse({"demo.toml": text}))
    assert matcher.match(ProcessFacts(platform="linux", name="secure-messenge")) is None
    assert matcher.match(ProcessFacts(platform="linux", exe="/usr/bin/secure-messenger-two")) is not None


def test_only_linux_cuts_names() -> None:
    assert MATCHER.match(ProcessFacts(platform="macos", name="telegram-deskto")) is None


@pytest.mark.parametrize("browser", sorted(BROWSERS))
def test_no_browser_is_a_messenger_whatever_its_entry_says(browser: str) -> None:
    facts = ProcessFacts(
        platform="linux",
        exe=f"/usr/bin/{browser}",
        name="pidgin",
        desktop_id="whatsapp",
        categories=("InstantMessaging", "Chat"),
        cmdline=(browser, "https://web.whatsapp.com", "pidgin"),
    )
    assert MATCHER.match(facts) is None


def test_an_unlisted_messenger_is_named_and_explained() -> None:
    match = MATCHER.match(
        ProcessFacts(
            platform="linux",
            desktop_id="org.example.Foo-Chat",
            categories=("Network", "Chat", "InstantMessaging"),
        )
    )
    assert match is not None
    assert (match.messenger, match.name, match.listed) == ("unlisted:org.example.foo-chat", "Foo Chat", False)
    assert [evidence.value for evidence in match.evidence] == ["Network", "Chat", "InstantMessaging"]
    assert match.confidence == pytest.approx(0.928)


def test_the_key_is_the_desktop_id_else_the_bundle_id_else_the_executable() -> None:
    facts = ProcessFacts(
        platform="linux",
        exe="/opt/x/FooBin",
        bundle_id="com.example.Foo",
        desktop_id="FooEntry",
        categories=("InstantMessaging",),
    )
    keys = []
    for left_out in ({}, {"desktop_id": None}, {"desktop_id": None, "bundle_id": None}):
        match = MATCHER.match(msgspec.structs.replace(facts, **left_out))
        assert match is not None
        keys.append(match.messenger)
    assert keys == ["unlisted:fooentry", "unlisted:com.example.foo", "unlisted:foobin"]


def test_a_listed_messenger_outweighs_what_its_categories_say() -> None:
    match = MATCHER.match(
        ProcessFacts(platform="linux", exe="/usr/bin/pidgin", desktop_id="my-pidgin", categories=("Chat",))
    )
    assert match is not None
    assert (match.messenger, match.listed) == ("pidgin", True)


_WORDS = st.sampled_from(
    [
        "/",
        "\\",
        ".",
        "-",
        "--",
        "-c",
        "-m",
        "-jar",
        "run",
        "flatpak",
        "snap",
        "python3",
        "electron",
        "app.asar",
        "/usr/bin/",
        "gajim",
        "pidgin.exe",
        "/snap/",
        ".app/",
        "WindowsApps",
        "_",
        "https://",
        "telegram-deskto",
        ";",
        "Chat",
        "InstantMessaging",
        "chrome_crashpad_handler",
        "--annotation=_productName=",
        "wine",
        "\x00",
        "�",
        "İ",
        "\xa0(deleted)",
    ]
)
_TEXT = st.text(max_size=20) | st.lists(_WORDS, max_size=6).map("".join)


@given(
    st.builds(
        ProcessFacts,
        platform=st.sampled_from(["linux", "macos", "windows", "web"]),
        cmdline=st.none() | st.lists(_TEXT, max_size=5).map(tuple),
        categories=st.none() | st.lists(_TEXT, max_size=5).map(tuple),
        url_schemes=st.none() | st.lists(_TEXT | st.just("xmpp"), max_size=5).map(tuple),
        descriptions=st.none() | st.lists(_TEXT | st.just("an XMPP client"), max_size=3).map(tuple),
        **{
            name: st.none() | _TEXT
            for name in ProcessFacts.__struct_fields__
            if name not in {"platform", "cmdline", "categories", "url_schemes", "descriptions"}
        },
    )
)
def test_whatever_the_facts_the_answer_is_a_whole_one(facts: ProcessFacts) -> None:
    match = MATCHER.match(facts)
    if match is None:
        return
    assert match.messenger
    assert match.name
    assert match.evidence
    assert 0 < match.confidence <= MOST
    assert match == MATCHER.match(facts)


@settings(max_examples=10)
@given(st.sampled_from(MESSENGERS + OTHERS), st.sampled_from(MESSENGERS + OTHERS))
def test_what_was_asked_before_changes_nothing(first: dict[str, Any], second: dict[str, Any]) -> None:
    fresh = Matcher(load())
    fresh.match(_facts(first))
    assert fresh.match(_facts(second)) == MATCHER.match(_facts(second))


def test_a_name_of_thousands_of_spaces_is_not_looked_through_for_a_version() -> None:
    name = "Zoom" + " 1" * 100_000
    assert MATCHER.match(ProcessFacts(platform="windows", uninstall_name=name)) is None
    assert MATCHER.match(ProcessFacts(platform="windows", uninstall_name="Zoom 6.2 (64-bit)")) is not None
