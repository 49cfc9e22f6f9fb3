from datetime import datetime

import pytest

from contract.document import render
from contract.judge import Circumstances, Subject, judge
from contract.policy import Policy, parse
from server.catalogue import catalogue
from server.errors import RequestError
from server.policies.checking import check
from server.policies.templates import NAMES, TITLES, template

MONDAY_TEN = datetime.fromisoformat("2026-03-02T10:00:00+01:00")
MONDAY_LUNCH = datetime.fromisoformat("2026-03-02T12:45:00+01:00")


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> Policy:
    return parse(template(request.param, "Acme"))


@pytest.mark.parametrize("name", NAMES)
def test_each_model_works_as_it_is(name: str) -> None:
    checked = check(template(name, None), catalogue())
    assert checked.policy.model == name
    assert checked.remarks == ()
    assert name in TITLES


@pytest.mark.parametrize("company", ["Acme", 'Quote " and \\ and é'])
def test_a_company_is_filled_in_whatever_it_is_called(company: str) -> None:
    assert parse(template("ban", company)).company == company


def test_another_model_is_refused_by_name() -> None:
    with pytest.raises(RequestError, match="ban, restrict, records, orchestrate"):
        template("../settings", None)


def test_every_text_is_there_in_english_and_german(model: Policy) -> None:
    texts = [model.title, model.reminders.conduct]
    texts += [text for clause in model.clauses for text in (clause.heading, clause.text)]
    texts += [rule.text for rule in model.channels if rule.text]
    for text in texts:
        assert {"en", "de"} <= set(text)
        assert text["en"] != text["de"] or text["en"] == ""


def test_every_clause_that_a_policy_must_have_is_there(model: Policy) -> None:
    assert {
        "conduct",
        "raising-a-concern",
        "data-to-be-divulged",
        "monitoring",
        "disciplinary-action",
        "ownership",
        "retention",
        "confidential-information",
        "clients",
    } <= {clause.id for clause in model.clauses}
    assert next(clause for clause in model.clauses if clause.id == "conduct").link
    assert {"email", "privacy", "social_media"} <= {one.kind for one in model.extends}
    assert model.retention.records_days >= 180
    assert model.office_hours.work
    assert model.office_hours.breaks


def test_the_document_reads_in_both_languages(model: Policy) -> None:
    for language in ("en", "de"):
        sections = render(model, language, catalogue().name_of)
        assert len(sections) > 12
        assert all(paragraph.strip() for section in sections for paragraph in section.paragraphs)


def _verdict(model: str, messenger: str, at: datetime = MONDAY_TEN) -> tuple[str, str]:
    subject = Subject(messenger=messenger, name=messenger, listed=True, profile="work")
    now = Circumstances(at=at, ownership="company", highest_rung="remind")
    verdict = judge(subject, parse(template(model, "Acme")), now)
    return verdict.state, verdict.rung


@pytest.mark.parametrize(
    ("model_name", "messenger", "expected"),
    [
        ("restrict", "telegram", ("violation", "remind")),
        ("restrict", "pidgin", ("violation", "remind")),
        ("restrict", "whatsapp", ("violation", "remind")),
        ("restrict", "microsoft-teams", ("compliant", "report")),
        ("ban", "unlisted:org.example.chat", ("violation", "remind")),
        ("ban", "microsoft-teams", ("attention", "report")),  # nothing has confirmed yet that it is retained
        ("orchestrate", "wechat", ("violation", "remind")),
        ("records", "signal", ("violation", "remind")),
    ],
)
def test_models_judge_as_they_say(model_name: str, messenger: str, expected: tuple[str, str]) -> None:
    assert _verdict(model_name, messenger) == expected


def test_restricted_is_free_in_breaks() -> None:
    assert _verdict("restrict", "telegram", MONDAY_LUNCH)[0] == "compliant"


def test_a_misspelt_messenger_is_remarked_on() -> None:
    checked = check(
        template("restrict", None).replace('messenger = "telegram"', 'messenger = "telegrm"'), catalogue()
    )
    assert ["'telegrm'" in remark for remark in checked.remarks] == [True]


def test_a_rule_for_an_unofficial_client_is_remarked_on() -> None:
    checked = check(
        template("restrict", None).replace('messenger = "telegram"', 'messenger = "unigram"'), catalogue()
    )
    assert ["an unofficial client of telegram" in remark for remark in checked.remarks] == [True]
