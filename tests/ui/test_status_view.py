"""What the status window says, for every face it can show."""

from datetime import timedelta
from typing import Any, get_args

import msgspec
import pytest

from contract.judge import NextStep, Reason
from contract.local import Problem, Snapshot, UnretainedRow
from tests.ui import examples
from ui.link_state import LinkKind, LinkState
from ui.present.picture import Action, Picture
from ui.present.status import StatusView, view
from ui.present.tray import tray

CONNECTED = ("connected",)
EXPIRED = (
    Reason("policy_expired", "The policy on this device has expired."),
    Reason("approved", "Slack is approved here."),
)


def seen(picture: Picture, snapshot: Snapshot | None = None, **changes: Any) -> StatusView:
    """Return what is shown of the picture with another snapshot or other circumstances."""
    told = {"snapshot": snapshot} if snapshot is not None else {}
    return view(msgspec.structs.replace(picture, **(told | changes)))


def notes(shown: StatusView) -> str:
    return " ".join(note.text for note in shown.notes)


def test_in_line(picture: Picture) -> None:
    shown = view(picture)
    assert (shown.shape, shown.sentence) == ("compliant", "You are in line with the policy")
    assert shown.muted == "Acme · Messaging policy 4 · checked 12:04"
    assert (shown.todos, shown.notes, shown.empty) == ((), (), None)
    assert [(row.name, row.word, row.below) for row in shown.rows] == [
        ("Microsoft Teams", "in line", "work · approved · name and time reported"),
        ("Slack", "in line", "work · approved · name and time reported"),
    ]


def test_not_in_line_names_the_messenger_since_when_by_which_rule_and_what_to_do(picture: Picture) -> None:
    shown = seen(picture, examples.with_violation())
    assert (shown.shape, shown.sentence) == ("violation", "Telegram is not in line with the policy")
    (todo,) = shown.todos
    assert todo.title == "Telegram is for personal use only"
    assert todo.detail == "Open at work since 11:52 · rule: telegram-at-work\nContinue in Microsoft Teams."
    assert shown.rows[0].name == "Telegram"


def test_several_not_in_line_are_counted_by_messenger(picture: Picture) -> None:
    twice = examples.not_in_line(sighting=examples.identity(9))
    shown = seen(picture, examples.snapshot(examples.not_in_line(), twice))
    assert shown.sentence == "Telegram is not in line with the policy"
    shown = seen(picture, examples.snapshot(examples.not_in_line(), examples.not_in_line("WeChat")))
    assert shown.sentence == "2 messengers are not in line with the policy"


def test_a_name_that_is_too_long_for_the_sentence_stands_among_the_things_to_do(picture: Picture) -> None:
    name = "A messenger with a name longer than any title"
    shown = seen(picture, examples.snapshot(examples.not_in_line(name)))
    assert shown.sentence == "1 messenger is not in line with the policy"
    assert name in shown.todos[0].title


def test_attention(picture: Picture) -> None:
    teams = examples.messenger(
        "Microsoft Teams",
        verdict="attention",
        reasons=(Reason("not_captured", "Nothing has confirmed that its messages are retained."),),
        next_step=NextStep("ask_desk", "Ask the desk whether retention works."),
    )
    shown = seen(picture, examples.snapshot(teams))
    assert (shown.shape, shown.sentence) == ("attention", "Microsoft Teams needs your attention")
    assert shown.todos[0].detail.endswith("\nAsk the desk whether retention works.")


def test_pending_is_not_failing(picture: Picture) -> None:
    row = examples.messenger(stance=None, verdict="pending", rule="none")
    shown = seen(
        picture,
        examples.snapshot(row, state="pending", policy_title=None, policy_version=None, policy_serial=0),
    )
    assert (shown.shape, shown.sentence) == ("unknown", "Waiting for the policy")
    assert shown.muted == "Acme · no policy has reached this device yet · checked 12:04"
    assert (shown.rows[0].word, shown.todos) == ("waiting", ())


def test_exempt_is_shown_as_exempt(picture: Picture) -> None:
    row = examples.messenger("Signal", verdict="exempt")
    shown = seen(picture, examples.snapshot(row))
    assert (shown.shape, shown.sentence) == ("exempt", "You are in line with the policy")
    assert notes(shown) == "An exemption holds."


def test_what_is_not_certain_is_said_so(picture: Picture) -> None:
    row = examples.messenger(verdict="unknowable")
    shown = seen(picture, examples.snapshot(row, state="unknowable"))
    assert (shown.shape, shown.rows[0].word) == ("unknown", "not certain")


def test_no_messengers(picture: Picture) -> None:
    shown = seen(picture, examples.snapshot())
    assert (shown.rows, shown.empty) == ((), "None is running.")


def test_not_enrolled_reports_nothing_whatever_the_ceiling_says(picture: Picture) -> None:
    shown = seen(picture, examples.not_enrolled())
    assert (shown.shape, shown.sentence) == ("unknown", "This device is not enrolled")
    assert shown.muted == "Nothing leaves it, and no policy holds here yet."
    assert shown.rows[0].below == "work · not reported"
    assert not shown.can_check_in


def test_server_unreachable_says_since_when_what_waits_and_that_the_policy_holds(picture: Picture) -> None:
    offline = msgspec.structs.replace(
        examples.in_line(),
        server="unreachable",
        last_contact=examples.NOW - timedelta(days=1, hours=3),
        waiting=3,
    )
    shown = seen(picture, offline)
    assert shown.sentence == "You are in line with the policy"
    assert shown.muted == "Acme · Messaging policy 4"
    assert notes(shown) == (
        "The server has not been reached since yesterday 09:04. 3 reports wait here. The policy stays in force."
    )
    one = msgspec.structs.replace(offline, waiting=1, last_contact=None, policy_title=None)
    assert notes(seen(picture, one)) == "The server has not been reached yet. 1 report waits here."


def test_server_refused_is_something_to_do_and_not_said_twice(picture: Picture) -> None:
    problem = Problem("server", "The server refused the report: unknown device.", "Enrol again.")
    shown = seen(picture, msgspec.structs.replace(examples.in_line(), server="refused", problems=(problem,)))
    assert [todo.title for todo in shown.todos] == ["The server refused this device"]
    assert shown.sentence == "You are in line with the policy"


def test_a_problem_of_the_agent_comes_with_its_remedy(picture: Picture) -> None:
    problem = Problem("cannot_write", "The disk is full.", "Make room.")
    shown = seen(picture, msgspec.structs.replace(examples.in_line(), problems=(problem,)))
    assert [(todo.title, todo.detail) for todo in shown.todos] == [("The disk is full.", "Make room.")]


def test_an_expired_policy_is_one_thing_to_do_not_one_for_each_messenger(picture: Picture) -> None:
    rows = [examples.messenger(name, verdict="attention", reasons=EXPIRED) for name in ("Slack", "Zoom")]
    shown = seen(picture, examples.snapshot(*rows, policy_expired=True))
    assert shown.sentence == "The policy on this device has expired"
    assert [todo.title for todo in shown.todos] == ["Connect to the company's network"]
    assert shown.todos[0].primary is not None
    assert shown.todos[0].primary.kind == "check_in"


def test_the_notice_is_something_to_do_until_it_was_shown(picture: Picture) -> None:
    shown = seen(picture, msgspec.structs.replace(examples.in_line(), notice_due=True))
    (todo,) = shown.todos
    assert todo.primary is not None
    assert todo.primary.kind == "read_notice"
    assert "only a sign of life leaves" in todo.detail


@pytest.mark.parametrize("kind", [kind for kind in get_args(LinkKind) if kind not in CONNECTED])
def test_without_the_agent_nothing_old_is_shown_as_if_it_were_true(picture: Picture, kind: LinkKind) -> None:
    shown = seen(picture, link=LinkState(kind, "user 1001 listens there."))
    assert (shown.rows, shown.empty, shown.can_check_in) == ((), None, False)
    assert shown.shape in {"unknown", "attention"}
    assert "Acme" not in shown.muted


@pytest.mark.parametrize(
    ("kind", "sentence", "action"),
    [
        ("absent", "The Decorum agent is not running", "retry"),
        ("untrusted", "Someone else answers in the agent's place", "retry"),
        ("agent_older", "The agent is older than this program", "retry"),
        ("agent_newer", "Decorum was updated meanwhile", "restart"),
        ("malformed", "The agent's answer cannot be read", "retry"),
        ("silent", "The agent does not answer", "retry"),
        ("refused", "The agent turned this program away", "retry"),
    ],
)
def test_each_trouble_with_the_agent_has_its_face_and_its_remedy(
    picture: Picture, kind: LinkKind, sentence: str, action: str
) -> None:
    shown = seen(picture, link=LinkState(kind, "user 1001 listens there."))
    assert shown.sentence == sentence
    (todo,) = shown.todos
    assert todo.detail
    assert todo.primary is not None
    assert todo.primary.kind == action


def test_a_stranger_at_the_socket_is_named_for_the_administrator(picture: Picture) -> None:
    shown = seen(picture, link=LinkState("untrusted", "user 1001 listens at /run/decorum/agent.sock."))
    assert shown.shape == "attention"
    assert "user 1001 listens at /run/decorum/agent.sock." in shown.todos[0].detail


def test_continue_is_offered_only_where_it_can_start_something(picture: Picture) -> None:
    shown = seen(picture, examples.with_violation())
    assert shown.todos[0].primary is not None
    assert shown.todos[0].primary.kind == "read_rule"
    shown = seen(picture, examples.with_violation(), can_start=frozenset({"Microsoft Teams"}))
    assert shown.todos[0].primary is not None
    assert (shown.todos[0].primary.kind, shown.todos[0].primary.label) == (
        "continue_in",
        "&Continue in Microsoft Teams",
    )


def test_an_ampersand_in_a_name_is_no_mnemonic(picture: Picture) -> None:
    row = examples.not_in_line(instead_names=("Talk&Co",))
    shown = seen(picture, examples.snapshot(row), can_start=frozenset({"Talk&Co"}))
    assert shown.todos[0].primary is not None
    assert shown.todos[0].primary.label == "&Continue in Talk&&Co"


def test_later_is_offered_while_a_reminder_is_unanswered(picture: Picture) -> None:
    assert seen(picture, examples.with_violation()).todos[0].secondary is None
    shown = seen(picture, examples.with_violation(), reminders=(examples.reminder(),))
    assert shown.todos[0].secondary is not None
    assert shown.todos[0].secondary.kind == "defer"
    assert shown.todos[0].secondary.about == examples.not_in_line().sighting


def test_the_rule_for_every_other_messenger_is_called_so(picture: Picture) -> None:
    shown = seen(picture, examples.snapshot(examples.not_in_line(rule="default-work")))
    assert "rule: every other messenger" in shown.todos[0].detail


def test_a_restriction_says_until_when_it_is_to_be_closed(picture: Picture) -> None:
    row = examples.not_in_line(
        next_step=NextStep("close_until_free", "Close it until the next break.", ("teams",))
    )
    shown = seen(picture, examples.snapshot(row))
    assert shown.todos[0].detail.endswith("\nClose it until the next break.")


def test_a_long_open_messenger_is_told_from_when_it_was_opened(picture: Picture) -> None:
    row = examples.not_in_line(since=examples.NOW - timedelta(days=3))
    assert "Open at work since Fri 12:04" in seen(picture, examples.snapshot(row)).todos[0].detail


def test_rows_stand_worst_first_and_then_by_name(picture: Picture) -> None:
    rows = [
        examples.messenger("Zoom"),
        examples.messenger("element"),
        examples.messenger("Signal", verdict="exempt"),
        examples.not_in_line("WeChat"),
        examples.messenger("Discord", verdict="attention"),
    ]
    shown = seen(picture, examples.snapshot(*rows))
    assert [row.name for row in shown.rows] == ["WeChat", "Discord", "Signal", "element", "Zoom"]


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("nothing", "not reported"),
        ("kind", "reported without name"),
        ("name", "name and day reported"),
        ("hour", "name and hour reported"),
        ("exact", "name and time reported"),
    ],
)
def test_each_row_says_what_leaves_the_device(picture: Picture, detail: str, words: str) -> None:
    row = examples.messenger("WhatsApp", profile="personal", reported=detail)
    assert seen(picture, examples.snapshot(row)).rows[0].below == f"personal · approved · {words}"


def test_a_captured_channel_says_so(picture: Picture) -> None:
    shown = seen(picture, examples.snapshot(examples.messenger(captured=True)))
    assert shown.rows[0].below == "work · approved · captured · name and time reported"


def test_a_row_can_be_spoken_and_explains_itself(picture: Picture) -> None:
    row = seen(picture, examples.with_violation()).rows[0]
    assert row.spoken == "Telegram, not in line, work · personal use only · name and time reported"
    assert examples.WORK_REASON in row.tooltip
    assert "2026-11-23 11:52:31 UTC" in row.tooltip


def test_checking_in_is_said_and_cannot_be_asked_twice(picture: Picture) -> None:
    assert view(picture).can_check_in
    shown = seen(picture, is_checking_in=True)
    assert shown.muted == "Acme · Messaging policy 4 · checking in…"
    assert not shown.can_check_in


def test_a_window_that_opened_for_want_of_a_panel_says_so(picture: Picture) -> None:
    assert "no tray icons" in notes(seen(picture, opened_without_tray=True))


def test_the_tray_says_the_same_sentence_and_counts_what_is_to_be_done(picture: Picture) -> None:
    shown = tray(seen(picture, examples.with_violation(notice_due=True)))
    assert shown.tooltip == "Decorum: Telegram is not in line with the policy\n2 things to do"
    assert tray(view(picture)).tooltip == "Decorum: You are in line with the policy"


def test_the_badge_shows_only_where_the_shape_does_not_ask_already(picture: Picture) -> None:
    assert not tray(view(picture)).has_badge
    assert tray(seen(picture, msgspec.structs.replace(examples.in_line(), notice_due=True))).has_badge
    assert not tray(seen(picture, examples.with_violation())).has_badge


def test_files_that_nothing_retains_are_something_to_do(picture: Picture) -> None:
    row = UnretainedRow(messenger="telegram", name="Telegram", files=3, total_bytes=4096)
    told = msgspec.structs.replace(examples.in_line(), unretained=(row,), can_hand_over=True)
    (todo,) = seen(picture, told).todos
    assert todo.title == "3 files for work are retained nowhere"
    assert todo.detail == "Saved from Telegram. What you hand over, the company keeps as its record."
    assert todo.primary == Action("hand_over", "&Hand over", "telegram")
    (todo,) = seen(picture, msgspec.structs.replace(told, can_hand_over=False)).todos
    assert todo.primary is None
    assert "Compliance desk, extension 4400" in todo.detail
    nobody = msgspec.structs.replace(told, can_hand_over=False, questions_contact=None)
    assert "your administrator" in seen(picture, nobody).todos[0].detail
