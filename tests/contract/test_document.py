"""The document says what the rules say: one source, two readers."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import wire
from contract.document import render
from contract.local import LINE_LIMIT_BYTES, PolicyPage
from contract.policy import BYTES_AT_MOST, Policy, Stance, parse
from tests.contract.strategies import policies

NAMES = {"leapxpert": "LeapXpert", "telegram": "Telegram", "microsoft-teams": "Microsoft Teams"}
TEXT = """
id = "messaging"
company = "Acme"
model = "orchestrate"
version = 1
language = "de"
title.de = "Nachrichten"
use_instead = ["leapxpert", "microsoft-teams"]
defaults.work = { stance = "banned", text.de = "Auch neue." }
defaults.personal = { stance = "restricted" }
reminders.conduct = { de = "Seid nett.", en = "Be kind." }
contacts = { questions = "IT", concerns = "HR", approvals = "Compliance" }
retention = { records_days = 365, personal_data_days = 14 }
capture = [{ messenger = "leapxpert", connector = "FMOP" }]
extends = [
  { kind = "email", name = "E-mail policy", link = "https://example.com/mail" },
  { kind = "other", name = "Works agreement" },
]
channels = [
  { id = "lx", messenger = "leapxpert", profile = "work", stance = "approved" },
  { id = "teams", messenger = "microsoft-teams", profile = "work", stance = "approved", text.de = "Für Kollegen." },
  { id = "tg", messenger = "telegram", profile = "personal", stance = "personal_only" },
]
clauses = [{ id = "divulge", heading.de = "Auskunft", text.de = "Auf Verlangen.", link = "mailto:hr@example.com" }]
[office_hours]
time_zone = "Europe/Berlin"
holidays = [2026-12-25, 2026-12-26]
work = [
  { days = ["mon", "tue"], start = "09:00", end = "17:00" },
  { days = ["fri"], start = "22:00", end = "06:00" },
  { days = ["sat"], start = "06:00", end = "06:00" },
]
breaks = [{ days = ["mon"], start = "12:00", end = "12:30" }]
"""


def name_of(messenger: str) -> str:
    return NAMES.get(messenger, messenger.removeprefix("unlisted:"))


def document(policy: Policy, language: str = "de") -> dict[str, tuple[str, ...]]:
    return {section.heading: section.paragraphs for section in render(policy, language, name_of)}


def test_the_whole_document_reads_like_this() -> None:
    assert document(parse(TEXT)) == {
        "Where this holds": (
            "This policy holds for messaging on equipment of Acme and on personal equipment used for work.",
            "It extends to messaging: E-mail policy (https://example.com/mail).",
            "It extends to messaging: Works agreement.",
        ),
        "How work is told from personal use": (
            "Messengers on equipment of Acme count as work, and none on personal equipment.",
        ),
        "Messengers for work": (
            "LeapXpert may be used.",
            "Microsoft Teams may be used. Für Kollegen.",
            "Every other messenger, known or not yet known, may not be used. Auch neue.",
            "Use LeapXpert and Microsoft Teams instead.",
            "Messages in LeapXpert are retained by FMOP.",
        ),
        "Personal messengers": (
            "Telegram may be used personally, never for work.",
            "Every other messenger, known or not yet known, may be used in breaks and outside office hours only.",
        ),
        "Office hours": (
            "Office hours: Monday and Tuesday, 09:00 to 17:00.",
            "Office hours: Friday, 22:00 to 06:00 of the next day.",
            "Office hours: Saturday, 06:00 to 06:00 of the next day.",
            "Break: Monday, 12:00 to 12:30.",
            "Free: 2026-12-25 and 2026-12-26.",
            "Times are in Europe/Berlin.",
        ),
        "Conduct": ("Seid nett.",),
        "Auskunft": ("Auf Verlangen.", "mailto:hr@example.com"),
        "How long things are kept": (
            "Business records are kept for at least 365 days.",
            "Acme keeps what Decorum reports about a person for 14 days at most.",
        ),
        "Whom to ask": (
            "Questions: IT.",
            "Concerns about conduct: HR.",
            "Exemptions and approvals: Compliance.",
        ),
    }


def test_a_text_stands_in_the_language_asked_for_and_else_in_the_policys_own() -> None:
    assert document(parse(TEXT), "en")["Conduct"] == ("Be kind.",)
    assert document(parse(TEXT), "fr")["Conduct"] == ("Seid nett.",)


def test_a_policy_without_its_own_language_is_still_read_out() -> None:
    french = msgspec.structs.replace(parse(TEXT), language="fr")
    assert document(french, "it")["Auskunft"][0] == "Auf Verlangen."


def test_a_section_without_anything_to_say_is_left_out() -> None:
    policy = parse(TEXT)
    free = msgspec.structs.replace(
        policy, office_hours=msgspec.structs.replace(policy.office_hours, work=(), breaks=(), holidays=())
    )
    assert "Office hours" not in document(free)
    assert "Whom to ask" in document(free)


@pytest.mark.parametrize(
    ("company", "personal", "words"),
    [
        (True, True, "on equipment of Acme and on personal equipment used for work."),
        (True, False, "on equipment of Acme."),
        (False, True, "on personal equipment used for work."),
    ],
)
def test_the_scope_is_said_as_it_is(company: object, personal: object, words: str) -> None:
    policy = parse(
        TEXT
        + f"[scope]\ncompany_equipment = {str(company).lower()}\npersonal_equipment_used_for_work = {str(personal).lower()}\n"
    )
    assert document(policy)["Where this holds"][0].endswith(words)


WORDS: dict[Stance, str] = {
    "approved": "may be used",
    "personal_only": "never for work",
    "restricted": "in breaks and outside office hours only",
    "banned": "may not be used",
}


@settings(max_examples=80)
@given(policies(), st.sampled_from(["en", "de", "fr", "xx"]))
def test_every_rule_is_read_out_with_its_stance_and_its_words(policy: Policy, language: str) -> None:
    read = document(policy, language)
    sides = {"work": read["Messengers for work"], "personal": read["Personal messengers"]}
    for rule in policy.channels:
        own = "" if rule.text is None else policy.text(rule.text, language)
        assert any(
            line.startswith(f"{name_of(rule.messenger)} ")
            and WORDS[rule.stance] in line
            and line.endswith(own)
            for line in sides[rule.profile]
        )
    for side, default in (("work", policy.defaults.work), ("personal", policy.defaults.personal)):
        last = [line for line in sides[side] if line.startswith("Every other messenger")]
        assert len(last) == 1
        assert WORDS[default.stance] in last[0]
    for clause in policy.clauses:
        assert policy.text(clause.text, language) in read[policy.text(clause.heading, language)]


@settings(max_examples=30)
@given(policies())
def test_no_section_is_empty_and_every_paragraph_says_something(policy: Policy) -> None:
    for section in render(policy, "en", name_of):
        assert section.heading.strip()
        assert section.paragraphs
        assert all(paragraph.strip() for paragraph in section.paragraphs)


def test_the_longest_document_fits_into_a_line() -> None:
    policy = parse(TEXT)
    prose = "💬" * 2000
    clause = policy.clauses[0]
    clauses = tuple(
        msgspec.structs.replace(clause, id=f"c{number}", text={"de": prose}) for number in range(60)
    )
    rules = tuple(
        msgspec.structs.replace(policy.channels[2], id=f"r{number}", messenger=f"m{number}")
        for number in range(350)
    )
    largest = msgspec.structs.replace(policy, clauses=clauses, channels=rules, use_instead=())
    assert BYTES_AT_MOST * 0.95 < len(wire.encode(largest)) < BYTES_AT_MOST
    page = PolicyPage(
        title="x", version=1, serial=1, expires=None, sections=render(largest, "de", lambda _: "N" * 200)
    )
    assert len(wire.encode(page)) < LINE_LIMIT_BYTES
