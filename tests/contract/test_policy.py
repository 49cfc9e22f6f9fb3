"""The policy as it is written: what is taken, and that everything else is refused by the path of the wrong field."""

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

import msgspec
import pytest
from hypothesis import given, settings

from contract import wire
from contract.ceiling import Ceiling, ProfileCeiling
from contract.errors import MalformedError
from contract.local import LINE_LIMIT_BYTES
from contract.messages import REPLY_LIMIT_BYTES
from contract.policy import BYTES_AT_MOST, RESERVED_IDS, RUNGS, Policy, parse, parse_published, problems
from tests.contract.strategies import policies

MINIMAL = """
id = "messaging"
company = "Acme"
model = "ban"
version = 1
title.en = "Messaging"
defaults.work.stance = "banned"
defaults.personal.stance = "approved"
office_hours = {}
reminders.conduct.en = "Be kind."
contacts = { questions = "IT", concerns = "HR", approvals = "Compliance" }
"""
MAXIMAL = """
format = 1
id = "messages"
company = "Acme AG"
model = "orchestrate"
version = 7
language = "de"
title = { de = "Nachrichten", en = "Messaging", zh-Hant-TW = "訊息" }
use_instead = ["leapxpert", "microsoft-teams"]
capture_required = true
enforce_unlisted = true
valid_days = 366

[scope]
company_equipment = true
personal_equipment_used_for_work = false

[[extends]]
kind = "email"
name = "E-mail policy"
link = "https://intranet.example.com/e-mail"
[[extends]]
kind = "other"
name = "Works agreement 12"
link = "mailto:council@example.com"

[defaults.work]
stance = "banned"
rung = "close"
text.de = "Gesperrt."
[defaults.personal]
stance = "restricted"
rung = "remind"
text.de = "Nur in Pausen."

[[channels]]
id = "leapxpert"
messenger = "leapxpert"
profile = "work"
stance = "approved"
[[channels]]
id = "teams"
messenger = "microsoft-teams"
profile = "work"
stance = "approved"
rung = "report"
text = { de = "Für Kollegen.", en = "For colleagues." }
[[channels]]
id = "teams-at-home"
messenger = "microsoft-teams"
profile = "personal"
stance = "personal_only"

[[capture]]
messenger = "leapxpert"
connector = "FMOP"
silent_hours_at_most = 744

[office_hours]
time_zone = "Europe/Berlin"
holidays = [2026-12-25, 2026-12-26]
[[office_hours.work]]
days = ["mon", "tue", "wed", "thu", "fri"]
start = "22:00"
end = "06:00"
[[office_hours.breaks]]
days = ["tue"]
start = "02:00"
end = "02:30"

[reminders]
a_day_at_most = 20
again_after_minutes = 10080
conduct = { de = "Seid nett.\\n\\tImmer.", en = "Be kind." }

[ceiling.company]
work = "hour"

[profiles]
company_domains = ["example.com", "münchen.example"]
signals_off = ["edition"]
[[profiles.rules]]
side = "work"
messenger = "telegram"
folder = "~/Work"

[retention]
records_days = 36500
personal_data_days = 180

[[clauses]]
id = "divulge"
heading.de = "Auskunft"
text.de = "Auf Verlangen …"
link = "https://intranet.example.com/hr?id=1#top"

[contacts]
questions = "The IT desk"
concerns = "HR"
approvals = "Compliance"
"""


def refusal(text: str) -> MalformedError:
    with pytest.raises(MalformedError) as refused:
        parse(text)
    return refused.value


def test_the_shortest_policy_reports_only_and_keeps_the_least() -> None:
    policy = parse(MINIMAL)
    assert (policy.format, policy.language, policy.valid_days) == (1, "en", 90)
    assert (policy.defaults.work.rung, policy.defaults.personal.rung) == ("report", "report")
    assert (policy.retention.records_days, policy.retention.personal_data_days) == (180, 30)
    assert policy.ceiling is None
    assert policy.enforce_unlisted is False
    assert policy.capture_required is False
    assert policy.scope.company_equipment
    assert policy.scope.personal_equipment_used_for_work


def test_the_longest_policy_says_everything_that_can_be_said() -> None:
    policy = parse(MAXIMAL)
    assert policy.ceiling == Ceiling(company=ProfileCeiling(work="hour"))
    assert policy.office_hours.holidays[1].isoformat() == "2026-12-26"
    assert policy.text(policy.title, "en") == "Messaging"
    assert policy.text(policy.title, "fr") == "Nachrichten"
    unset = [
        name
        for name in policy.__struct_fields__
        if name != "format" and getattr(policy, name) == getattr(parse(MINIMAL), name)
    ]
    assert unset == [], "the longest policy leaves these as the shortest has them"
    assert wire.decode(Policy, wire.encode(policy), limit_bytes=BYTES_AT_MOST) == policy


CHANGES: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda p: p.update(format=2), "$.format"),
    (lambda p: p.update(format=True), "$.format"),
    (lambda p: p.update(id="Messaging"), "$.id"),
    (lambda p: p.update(id="-a"), "$.id"),
    (lambda p: p.update(id="a" * 65), "$.id"),
    (lambda p: p.update(id="messaging\n"), "$.id"),
    (lambda p: p.update(id=7), "$.id"),
    (lambda p: p.update(company=""), "$.company"),
    (lambda p: p.update(company="  "), "$.company"),
    (lambda p: p.update(company="Acme\nAG"), "$.company"),
    (lambda p: p.update(company="Acme\x1b[31m"), "$.company"),
    (lambda p: p.update(company="A" * 201), "$.company"),
    (lambda p: p.update(model="allow"), "$.model"),
    (lambda p: p.update(version=0), "$.version"),
    (lambda p: p.update(version=1_000_001), "$.version"),
    (lambda p: p.update(version=1.0), "$.version"),
    (lambda p: p.update(version=True), "$.version"),
    (lambda p: p.update(version="1"), "$.version"),
    (lambda p: p.update(language="english"), "$.language"),
    (lambda p: p.update(language="EN"), "$.language"),
    (lambda p: p.update(language="de\n"), "$.language"),
    (lambda p: p.update(title={}), "$.title"),
    (lambda p: p.update(title="Messaging"), "$.title"),
    (lambda p: p.update(title={"de": ""}), "$.title[...]"),
    (lambda p: p.update(title={"de": " \n "}), "$.title[...]"),
    (lambda p: p.update(title={"de": "x" * 8001}), "$.title[...]"),
    (lambda p: p.update(title={"de": "bell\x07"}), "$.title[...]"),
    (lambda p: p.update(title={"German": "x"}), "$.title"),
    (lambda p: p.update(title={"de-de": "x"}), "$.title"),
    (lambda p: p.update(title={f"{a}{b}": "x" for a in "defghij" for b in "elnoru"}), "$.title"),
    (lambda p: p.update(use_instead=["leapxpert"] * 11), "$.use_instead"),
    (lambda p: p.update(use_instead="leapxpert"), "$.use_instead"),
    (lambda p: p.update(use_instead=["leapxpert", ""]), "$.use_instead[1]"),
    (lambda p: p.update(capture_required="yes"), "$.capture_required"),
    (lambda p: p.update(capture_required=1), "$.capture_required"),
    (lambda p: p.update(enforce_unlisted=None), "$.enforce_unlisted"),
    (lambda p: p.update(valid_days=0), "$.valid_days"),
    (lambda p: p.update(valid_days=367), "$.valid_days"),
    (lambda p: p["scope"].update(company_equipment="yes"), "$.scope.company_equipment"),
    (lambda p: p["extends"][1].update(kind="tax"), "$.extends[1].kind"),
    (lambda p: p["extends"][1].update(link="javascript:alert(1)"), "$.extends[1].link"),
    (lambda p: p["extends"][1].update(link="http://example.com"), "$.extends[1].link"),
    (lambda p: p["extends"][1].update(link=" https://example.com"), "$.extends[1].link"),
    (lambda p: p["extends"][1].update(link="https://example.com\n"), "$.extends[1].link"),
    (lambda p: p["extends"][1].update(link='https://e"onclick="x'), "$.extends[1].link"),
    (lambda p: p["extends"][1].update(link="https://e<script>"), "$.extends[1].link"),
    (lambda p: p["extends"][1].update(link="https://"), "$.extends[1].link"),
    (lambda p: p["extends"][1].update(link="https://" + "x" * 493), "$.extends[1].link"),
    (lambda p: p.pop("defaults"), "$"),
    (lambda p: p["defaults"].pop("work"), "$.defaults"),
    (lambda p: p["defaults"]["work"].update(stance="allowed"), "$.defaults.work.stance"),
    (lambda p: p["defaults"]["work"].update(rung="kill"), "$.defaults.work.rung"),
    (lambda p: p["defaults"]["work"].update(text={"de": 1}), "$.defaults.work.text[...]"),
    (lambda p: p["channels"][2].update(profile="unknown"), "$.channels[2].profile"),
    (lambda p: p["channels"][2].update(stance=["banned"]), "$.channels[2].stance"),
    (lambda p: p["channels"][2].update(messenger=""), "$.channels[2].messenger"),
    (lambda p: p["channels"][2].pop("id"), "$.channels[2]"),
    (lambda p: p.update(channels={}), "$.channels"),
    (lambda p: p.update(channels=[p["channels"][0]] * 501), "$.channels"),
    (lambda p: p["capture"][0].update(silent_hours_at_most=0), "$.capture[0].silent_hours_at_most"),
    (lambda p: p["capture"][0].update(silent_hours_at_most=745), "$.capture[0].silent_hours_at_most"),
    (lambda p: p["office_hours"].update(time_zone=""), "$.office_hours.time_zone"),
    (lambda p: p["office_hours"].update(time_zone=None), "$.office_hours.time_zone"),
    (lambda p: p["office_hours"].update(holidays=["25.12."]), "$.office_hours.holidays[0]"),
    (lambda p: p["office_hours"].update(holidays=["2026-12-25"] * 1001), "$.office_hours.holidays"),
    (lambda p: p["office_hours"].update(work=p["office_hours"]["work"] * 51), "$.office_hours.work"),
    (lambda p: p["office_hours"].update(breaks=p["office_hours"]["breaks"] * 51), "$.office_hours.breaks"),
    (lambda p: p["office_hours"]["work"][0].update(days=[]), "$.office_hours.work[0].days"),
    (lambda p: p["office_hours"]["work"][0].update(days=["mon"] * 8), "$.office_hours.work[0].days"),
    (lambda p: p["office_hours"]["work"][0].update(days=["Mon"]), "$.office_hours.work[0].days[0]"),
    (lambda p: p["office_hours"]["work"][0].update(start="9:00"), "$.office_hours.work[0].start"),
    (lambda p: p["office_hours"]["work"][0].update(start="24:00"), "$.office_hours.work[0].start"),
    (lambda p: p["office_hours"]["work"][0].update(end="09:60"), "$.office_hours.work[0].end"),
    (lambda p: p["office_hours"]["work"][0].update(end="09:00\n"), "$.office_hours.work[0].end"),
    (lambda p: p["office_hours"]["work"][0].update(end="٠٩:00"), "$.office_hours.work[0].end"),
    (lambda p: p["reminders"].update(a_day_at_most=21), "$.reminders.a_day_at_most"),
    (lambda p: p["reminders"].update(a_day_at_most=-1), "$.reminders.a_day_at_most"),
    (lambda p: p["reminders"].update(again_after_minutes=14), "$.reminders.again_after_minutes"),
    (lambda p: p["reminders"].update(again_after_minutes=10_081), "$.reminders.again_after_minutes"),
    (lambda p: p["reminders"].pop("conduct"), "$.reminders"),
    (lambda p: p.update(ceiling={"company": {"work": "all"}}), "$.ceiling.company.work"),
    (lambda p: p.update(ceiling={"compani": {}}), "$.ceiling"),
    (lambda p: p.update(ceiling={"company": {"wrok": "name"}}), "$.ceiling.company"),
    (lambda p: p["retention"].update(records_days=179), "$.retention.records_days"),
    (lambda p: p["retention"].update(records_days=36_501), "$.retention.records_days"),
    (lambda p: p["retention"].update(personal_data_days=0), "$.retention.personal_data_days"),
    (lambda p: p["retention"].update(personal_data_days=181), "$.retention.personal_data_days"),
    (lambda p: p["clauses"][0].update(heading={}), "$.clauses[0].heading"),
    (lambda p: p["clauses"][0].update(link="ftp://example.com"), "$.clauses[0].link"),
    (lambda p: p.update(clauses=p["clauses"] * 101), "$.clauses"),
    (lambda p: p["contacts"].pop("approvals"), "$.contacts"),
    (lambda p: p["contacts"].update(questions=""), "$.contacts.questions"),
]


@pytest.mark.parametrize(
    ("change", "path"), CHANGES, ids=[f"{number}:{path}" for number, (_, path) in enumerate(CHANGES)]
)
def test_a_field_of_the_wrong_type_or_size_is_refused_by_its_path(
    change: Callable[[dict[str, Any]], object], path: str
) -> None:
    plain: dict[str, Any] = msgspec.json.decode(wire.encode(parse(MAXIMAL)))
    assert wire.convert(Policy, plain) == parse(MAXIMAL)
    change(plain)
    with pytest.raises(MalformedError) as refused:
        wire.convert(Policy, plain)
    assert refused.value.path == path


def test_each_field_is_also_refused_in_toml() -> None:
    assert refusal(MINIMAL.replace("version = 1", "version = 1.5")).path == "$.version"
    assert (
        refusal(MINIMAL.replace('stance = "banned"', 'stance = "allowed"')).path == "$.defaults.work.stance"
    )
    assert refusal(MINIMAL.replace("title.en", "title.En")).path == "$.title"
    holidays = MINIMAL.replace("office_hours = {}", "office_hours.holidays = [2026-12-25T00:00:00Z]")
    assert refusal(holidays).path == "$.office_hours.holidays[0]"


@pytest.mark.parametrize(
    ("text", "path", "remedy"),
    [
        (MINIMAL.replace("version = 1", "version = 1\nvalid_day = 30"), "$.valid_day", "Did you mean 'valid_days'?"),
        (MINIMAL + '[[channels]]\nid = "a"\nmessenger = "slack"\nprofile = "work"\nstance = "banned"\nrungs = "close"\n',
         "$.channels[0].rungs", "Did you mean 'rung'?"),
        (MINIMAL + 'ceiling.company.wrok = "name"\n', "$.ceiling.company", "Correct this field."),
        (MINIMAL.replace("office_hours = {}", "office_hours.pauses = []"), "$.office_hours.pauses",
         "Remove it; there is time_zone, work, breaks and holidays."),
        (MINIMAL.replace("defaults.work.stance", "defaults.work.wording.en = 'No.'\ndefaults.work.stance"),
         "$.defaults.work.wording", "Remove it; there is stance, rung and text."),
        (MINIMAL.replace("defaults.work.stance", f"defaults.work.{'x' * 400} = 1\ndefaults.work.stance"),
         f"$.defaults.work.{'x' * 60}…", "Remove it; there is stance, rung and text."),
    ],
)  # fmt: skip
def test_what_a_person_wrote_and_nothing_reads_is_refused_by_its_path(
    text: str, path: str, remedy: str
) -> None:
    refused = refusal(text)
    assert (refused.path, refused.remedy) == (path, remedy)


def test_a_misspelt_key_is_told_before_the_contradiction_that_it_caused() -> None:
    text = MINIMAL.replace('stance = "approved"', 'stance = "restricted"')
    text = text.replace(
        "office_hours = {}", 'office_hours.wrok = [{ days = ["mon"], start = "09:00", end = "17:00" }]'
    )
    assert refusal(text).path == "$.office_hours.wrok"


def test_a_policy_published_by_a_later_version_can_still_be_read() -> None:
    text = MINIMAL.replace("version = 1", "version = 1\ninvented_later = { deep = [1, 2] }")
    assert refusal(text).path == "$.invented_later"
    assert parse_published(text) == parse(MINIMAL)


CHANNEL = (
    '\n[[channels]]\nid = "{id}"\nmessenger = "{messenger}"\nprofile = "{profile}"\nstance = "{stance}"\n'
)


def channel(name: str, messenger: str = "slack", profile: str = "work", stance: str = "banned") -> str:
    return CHANNEL.format(id=name, messenger=messenger, profile=profile, stance=stance)


CLAUSE = '\n[[clauses]]\nid = "divulge"\nheading.en = "x"\ntext.en = "x"\n'


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (MINIMAL + channel("a") + channel("a", "zoom"), "$.channels[1].id"),
        (MINIMAL + channel("a") + channel("b"), "$.channels[1]"),
        (MINIMAL + CLAUSE + CLAUSE, "$.clauses[1].id"),
        *[(MINIMAL + channel(name), "$.channels[0].id") for name in sorted(RESERVED_IDS)],
        ('use_instead = ["slack"]' + MINIMAL + channel("a"), "$.channels[0].stance"),
        ('use_instead = ["slack"]' + MINIMAL + channel("a", stance="restricted"), "$.channels[0].stance"),
        ('use_instead = ["slack"]' + MINIMAL + channel("a", stance="personal_only"), "$.channels[0].stance"),
        ('use_instead = ["slack"]' + MINIMAL, "$.use_instead[0]"),
        (
            'use_instead = ["zoom", "slack"]'
            + MINIMAL
            + channel("a", "zoom", stance="approved")
            + channel("b", "slack", "personal", "approved"),
            "$.use_instead[1]",
        ),
        (MINIMAL.replace('work.stance = "banned"', 'work.stance = "restricted"'), "$.office_hours.work"),
        (
            MINIMAL.replace('personal.stance = "approved"', 'personal.stance = "restricted"'),
            "$.office_hours.work",
        ),
        (MINIMAL + channel("a", stance="restricted"), "$.office_hours.work"),
        ('language = "de"' + MINIMAL, "$.title"),
        (MINIMAL.replace("conduct.en", "conduct.de"), "$.reminders.conduct"),
        (MINIMAL + 'defaults.work.text.de = "x"\n', "$.defaults.work.text"),
        (MINIMAL + 'defaults.personal.text.de = "x"\n', "$.defaults.personal.text"),
        (MINIMAL + channel("a") + 'text.de = "x"\n', "$.channels[0].text"),
        (MINIMAL + CLAUSE.replace("heading.en", "heading.de"), "$.clauses[0].heading"),
        (MINIMAL + CLAUSE.replace("text.en", "text.de"), "$.clauses[0].text"),
    ],
)
def test_a_contradiction_is_refused_by_the_path_of_one_side(text: str, path: str) -> None:
    refused = refusal(text)
    assert refused.path == path
    assert refused.remedy.endswith(".")


def test_the_same_messenger_may_have_a_rule_on_each_side() -> None:
    both = parse(MINIMAL + channel("a") + channel("b", profile="personal"))
    assert len(both.channels) == 2


def test_what_is_approved_by_default_may_be_offered() -> None:
    open_at_work = MINIMAL.replace('work.stance = "banned"', 'work.stance = "approved"')
    assert parse('use_instead = ["slack"]' + open_at_work).use_instead == ("slack",)


@pytest.mark.parametrize(
    "zone",
    [
        "",
        " ",
        "Local",
        "../etc/passwd",
        "../../usr/share/zoneinfo/Europe/Berlin",
        "/usr/share/zoneinfo/Europe/Berlin",
        "Europe/../Europe/Berlin",
        "Europe/./Berlin",
        "Europe//Berlin",
        "Europe",
        "Europe/",
        "Europe/Berlin\n",
        "Europe/Berlin\x00",
        "Europe\\Berlin",
        "Europe/Atlantis",
        "europe/berlin",
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "tzdata.zi",
        "Größe/Zone",
        "A" * 65,
        "CET-1CEST,M3.5.0,M10.5.0/3",
    ],
)
def test_a_zone_that_is_no_iana_name_is_refused_by_its_path(zone: str) -> None:
    text = MINIMAL.replace("office_hours = {}", f"office_hours.time_zone = {wire.encode(zone).decode()}")
    assert refusal(text).path == "$.office_hours.time_zone"


def test_local_and_every_iana_zone_are_taken() -> None:
    plain: dict[str, Any] = msgspec.json.decode(wire.encode(parse(MINIMAL)))
    for zone in ["local", *sorted(available_timezones() - {"localtime"})]:
        plain["office_hours"]["time_zone"] = zone
        assert list(problems(wire.convert(Policy, plain))) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n\nid = x", "line 3"),
        ('id = "a"\nid = "b"\n', "line 2"),
        ("a = [1,\n2", "end of document"),
        ("a = 2026-02-30", "line 1"),
        ("{}", "line 1"),
        ("a = '\x00'", "line 1"),
        ('a = "\ud800"', "$"),
    ],
)
def test_what_is_not_toml_is_refused_with_its_line(text: str, line: str) -> None:
    refused = refusal(text)
    assert line in refused.detail + refused.path


@pytest.mark.parametrize(
    "bomb",
    ["a = " + "[" * 50_000, "a = " + "{b=" * 50_000, "a = " + "1" * 5_000, "[" + "a." * 2_000 + "a]\nb = 1"],
    ids=["arrays", "tables", "digits", "keys"],
)
def test_a_bomb_is_refused_and_never_exhausts_the_stack(bomb: str) -> None:
    refusal(bomb)


def test_a_policy_that_no_device_could_take_is_refused_before_it_is_read() -> None:
    assert f"{BYTES_AT_MOST:,} are taken" in refusal("#" * (BYTES_AT_MOST + 1)).detail
    # Shorter in TOML than in the JSON that is published: each of these is one character there, and four bytes here.
    clauses = "".join(
        CLAUSE.replace("divulge", f"c{number}").replace(
            'text.en = "x"', f'text = {{en = "{"💬" * 4000}", de = "{"💬" * 4000}"}}'
        )
        for number in range(20)
    )
    assert len(MINIMAL + clauses) < BYTES_AT_MOST
    assert "Shorten" in refusal(MINIMAL + clauses).remedy


def test_the_largest_policy_fits_into_a_reply_and_its_document_into_a_line() -> None:
    assert BYTES_AT_MOST * 4 / 3 < REPLY_LIMIT_BYTES * 0.9
    assert BYTES_AT_MOST * 1.5 < LINE_LIMIT_BYTES


def test_a_text_is_found_in_the_policys_own_language_and_otherwise_in_any() -> None:
    policy = parse(MINIMAL)
    assert policy.text({"de": "Hallo", "en": "Hello"}, "de") == "Hallo"
    assert policy.text({"de": "Hallo", "en": "Hello"}, "fr") == "Hello"
    # A policy from another publisher may lack it; a person is still told something.
    assert policy.text({"de": "Hallo"}, "fr") == "Hallo"


@settings(max_examples=60)
@given(policies())
def test_every_policy_that_holds_comes_back_as_it_went(policy: Policy) -> None:
    assert list(problems(policy)) == []
    encoded = wire.encode(policy)
    again = wire.decode(Policy, encoded, limit_bytes=BYTES_AT_MOST)
    assert again == policy
    assert wire.encode(again) == encoded


def test_the_rungs_are_in_order_and_report_is_the_mildest() -> None:
    assert RUNGS == ("report", "remind", "ask_to_close", "close")
