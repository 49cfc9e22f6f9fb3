import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import identify
from agent.catalogue import load
from agent.identify import LINE_LIMIT_BYTES, bounded_lines, complete, explain, identify_lines
from agent.sensing.desktop_entries import DesktopIndex
from contract.facts import ProcessFacts
from contract.matching import Matcher

MATCHER = Matcher(load())
NOTHING: dict[str, Any] = {
    "messenger": None,
    "name": None,
    "listed": False,
    "confidence": 0.0,
    "evidence": [],
    "weighed": None,
}


def _answers(*lines: str | bytes) -> list[dict[str, Any]]:
    return list(identify_lines(lines, MATCHER))


def test_a_messenger_is_answered_with_its_evidence() -> None:
    assert _answers('{"platform": "linux", "exe": "/usr/bin/pidgin", "name": "pidgin"}') == [
        {
            "messenger": "pidgin",
            "name": "Pidgin",
            "listed": True,
            "confidence": 0.85,
            "evidence": [
                {
                    "kind": "executable",
                    "value": "pidgin",
                    "sentence": "The executable is pidgin (source: Debian pidgin 2.14.12).",
                }
            ],
            "weighed": None,
        }
    ]


def test_an_unofficial_client_is_answered_as_its_messenger_and_named() -> None:
    [answer] = _answers('{"platform": "linux", "flatpak_id": "dev.vencord.Vesktop"}')
    assert (answer["messenger"], answer["name"], answer["client"]) == ("discord", "Discord", "vesktop")
    facts = ProcessFacts(platform="linux", flatpak_id="dev.vencord.Vesktop")
    told = explain(facts, MATCHER.match(facts))
    assert told.endswith("\nIt is used with vesktop, an unofficial client.")


def test_everything_else_is_answered_with_nothing() -> None:
    assert _answers(
        '{"platform": "linux", "exe": "/usr/bin/vim", "cmdline": ["vim", "/usr/bin/pidgin"]}'
    ) == [NOTHING]
    assert _answers('{"platform": "linux"}', '{"platform": "web", "origin": null}') == [NOTHING, NOTHING]


def test_an_unlisted_messenger_is_answered_with_its_key() -> None:
    [answer] = _answers('{"platform": "linux", "desktop_id": "FooChat", "categories": ["Network", "Chat"]}')
    assert (answer["messenger"], answer["name"], answer["listed"]) == ("unlisted:foochat", "FooChat", False)


def test_unknown_keys_are_passed_over() -> None:
    assert _answers('{"platform": "linux", "mood": {"deep": [1]}, "pid": 7}') == [NOTHING]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "blank"),
        ("  \t\n", "blank"),
        ("nonsense", "not JSON"),
        ('{"platform": "linux"', "not JSON"),
        ('{"platform": "linux"} {"platform": "linux"}', "not JSON"),
        ("[]", "Expected `object`, got `array`"),
        ("null", "Expected `object`, got `null`"),
        ("{}", "`platform`"),
        ('{"platform": "amiga"}', r"\$\.platform"),
        ('{"platform": null}', r"\$\.platform"),
        ('{"platform": "linux", "exe": 5}', r"got `int` at \$\.exe"),
        ('{"platform": "linux", "cmdline": "pidgin"}', r"\$\.cmdline"),
        ('{"platform": "linux", "cmdline": ["pidgin", null]}', r"\$\.cmdline\[1\]"),
        ('{"platform": "linux", "categories": {"a": 1}}', r"\$\.categories"),
        ('{"platform": "linux", "desktop_id": ["pidgin"]}', r"\$\.desktop_id"),
        (b'{"platform": "linux", "name": "\xff"}', "not (JSON|UTF-8)"),
        (b'{"platform": "linux", "unknown": "\xff"}', "not UTF-8"),
        ('{"platform": "linux", "name": "\udcff"}', "not (JSON|UTF-8)"),
        ('{"platform": "linux", "unknown": "\udcff"}', "not UTF-8"),
        ('{"platform": "linux", "name": "%s"}' % ("x" * LINE_LIMIT_BYTES), "at most"),
        ("[" * 10_000, "array|nested|JSON"),
        ('{"platform": "linux", "mood": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested|JSON"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_malformed_line_is_said_by_its_number_and_the_rest_is_answered(
    line: str | bytes, says: str
) -> None:
    good = '{"platform": "linux", "exe": "/usr/bin/pidgin"}'
    before, wrong, after = _answers(good, line, good.encode() + b"\r\n")
    assert before["messenger"] == after["messenger"] == "pidgin"
    assert wrong.keys() == {"error", "line"}
    assert wrong["line"] == 2
    assert wrong["error"].endswith(".")
    assert re.search(says, wrong["error"])


@given(st.lists(st.text() | st.binary() | st.just('{"platform": "web"}'), max_size=5))
def test_there_is_one_answer_for_each_line_that_can_be_written_as_json(lines: list[str | bytes]) -> None:
    answers = _answers(*lines)
    assert len(answers) == len(lines)
    for answer in answers:
        assert answer.keys() == NOTHING.keys() or answer.keys() == {"error", "line"}
        json.dumps(answer).encode()


def test_answers_come_as_lines_come() -> None:
    def lines() -> Any:
        yield '{"platform": "linux"}'
        raise AssertionError("the next line must not be waited for")

    assert next(identify_lines(lines(), MATCHER)) == NOTHING


def test_a_line_that_is_too_long_is_never_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify, "LINE_LIMIT_BYTES", 40)
    stream = io.BytesIO(b'{"platform": "linux"}\n' + b"x" * 1_000 + b'\n{"platform": "web"}\n' + b"y" * 1_000)
    lines = list(bounded_lines(stream))
    assert [len(line) for line in lines] == [22, 42, 20, 42]
    first, second, third, fourth = _answers(*lines)
    assert first == third == NOTHING
    assert "at most 40" in second["error"]
    assert "at most 40" in fourth["error"]


def test_a_line_just_within_the_limit_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    line = b'{"platform": "linux"}'
    monkeypatch.setattr(identify, "LINE_LIMIT_BYTES", len(line))
    assert _answers(*bounded_lines(io.BytesIO(line + b"\r\n" + line))) == [NOTHING, NOTHING]


def test_nothing_of_this_machine_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this machine was looked at")

    for name in ("open", "stat", "scandir", "readlink"):
        monkeypatch.setattr(f"os.{name}", refuse)
    assert _answers('{"platform": "linux", "exe": "/usr/bin/foo", "cmdline": ["foo"]}') == [NOTHING]


@pytest.fixture
def index(tmp_path: Path) -> DesktopIndex:
    (tmp_path / "org.example.FooChat.desktop").write_text(
        "[Desktop Entry]\nType=Application\nExec=foochat\nCategories=Network;InstantMessaging;\n"
    )
    return DesktopIndex([tmp_path], lambda _name: None)


def test_facts_are_completed_by_the_desktop_entry(index: DesktopIndex) -> None:
    facts = ProcessFacts(platform="linux", exe="/usr/bin/foochat")
    assert MATCHER.match(facts) is None
    match = MATCHER.match(complete(facts, index))
    assert match is not None
    assert match.messenger == "unlisted:org.example.foochat"


def test_facts_that_are_known_already_are_kept(index: DesktopIndex) -> None:
    known = ProcessFacts(platform="linux", exe="/usr/bin/foochat", desktop_id="mine")
    assert complete(known, index) is known
    other = ProcessFacts(platform="linux", exe="/usr/bin/other")
    assert complete(other, index) is other
    mac = ProcessFacts(platform="macos", exe="/usr/bin/foochat")
    assert complete(mac, index) is mac
    partly = complete(
        ProcessFacts(platform="linux", exe="/usr/bin/foochat", categories=("Game",), snap="s"), index
    )
    assert (partly.desktop_id, partly.categories, partly.snap) == ("org.example.FooChat", ("Game",), "s")


def test_a_person_is_told_what_it_is_how_sure_that_is_and_why() -> None:
    facts = ProcessFacts(platform="linux", exe="/usr/bin/pidgin", desktop_id="pidgin")
    assert explain(facts, MATCHER.match(facts)).splitlines() == [
        "/usr/bin/pidgin is Pidgin, a listed messenger (id pidgin).",
        "Confidence: 99%.",
        "Evidence:",
        "  - Its desktop entry is pidgin (source: Debian pidgin 2.14.12).",
        "  - The executable is pidgin (source: Debian pidgin 2.14.12).",
    ]


def test_a_person_is_told_that_a_messenger_is_not_listed() -> None:
    facts = ProcessFacts(platform="linux", desktop_id="foochat", categories=("Chat",))
    text = explain(facts, MATCHER.match(facts))
    assert "a messenger that is not listed (unlisted:foochat)" in text
    assert text.splitlines()[1:] == [
        "Confidence: 60%; from 50% on it is a messenger.",
        "Evidence:",
        (
            "  - foochat gives its category as Chat: programs in it are made to chat"
            " (source: Desktop Menu Specification 1.1, appendix A)."
        ),
    ]


def test_what_speaks_against_it_is_told_with_the_threshold() -> None:
    line = '{"platform": "linux", "desktop_id": "mail", "categories": ["Chat", "Email"]}'
    [answer] = _answers(line)
    assert (answer["messenger"], answer["confidence"], answer["evidence"]) == (None, 0.0, [])
    weighed = answer["weighed"]
    assert (weighed["confidence"], weighed["threshold"]) == (0.0, 0.5)
    assert [evidence["value"] for evidence in weighed["for"]] == ["Chat"]
    assert [evidence["value"] for evidence in weighed["against"]] == ["Email"]
    facts = ProcessFacts(
        platform="linux", exe="/usr/bin/mail", desktop_id="mail", categories=("Chat", "Email")
    )
    text = explain(facts, MATCHER.match(facts)).splitlines()
    assert text[0].startswith(
        "/usr/bin/mail is not a messenger: it is not in the list of known messengers, and"
    )
    assert text[1] == "Confidence: 0%; from 50% on it is a messenger."
    assert [line for line in text if line.startswith("Evidence")] == [
        "Evidence for it:",
        "Evidence against it:",
    ]
    assert "  - mail gives its category as Email: a mail program may show a chat beside the mail" in text[-1]


def test_a_browser_is_none_however_much_its_entry_says() -> None:
    facts = ProcessFacts(platform="linux", exe="/usr/bin/firefox", desktop_id="x", categories=("Chat",))
    text = explain(facts, MATCHER.match(facts))
    assert "its facts say so, but it is a browser" in text


@pytest.mark.parametrize(
    ("facts", "subject"),
    [
        (ProcessFacts(platform="linux", exe="/usr/bin/vim"), "/usr/bin/vim"),
        (ProcessFacts(platform="linux", name="kthreadd", cmdline=()), "kthreadd"),
        (ProcessFacts(platform="web", origin="https://example.org"), "https://example.org"),
        (ProcessFacts(platform="linux"), "This"),
    ],
)
def test_a_person_is_told_that_it_is_no_messenger(facts: ProcessFacts, subject: str) -> None:
    assert explain(facts, None).startswith(f"{subject} is not a messenger")
