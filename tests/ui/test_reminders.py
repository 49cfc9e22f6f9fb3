"""Reminders: one at a time, seen before it counts as shown, answered once, and told to the agent whatever happens between."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from contract.local import ErrorBody, Reminder, ReminderAnswer, WorkChoice
from tests.fakes.local_agent import LocalAgent
from tests.ui import examples
from ui.agent_link.link import AgentLink
from ui.commands import Commands
from ui.known import Known
from ui.look import Look
from ui.present.reminder import reminder_view, still_open
from ui.reminder_queue import REMEMBERED, ReminderQueue
from ui.reminder_window import ReminderWindow
from ui.starter import Starter
from ui.windows import Windows


class Stage:
    """The tray's parts that reminders pass through, against a real socket."""

    def __init__(self, agent: LocalAgent, link: AgentLink, look: Look, owner: QObject, data: Path) -> None:
        self.agent, self.link = agent, link
        starter = Starter({"XDG_DATA_HOME": str(data), "XDG_DATA_DIRS": str(data)}, data)
        self.known = Known(link, starter, lambda: examples.NOW, owner)
        commands = Commands(("/nonexistent/decorum",), None, owner)
        self.windows = Windows(look, self.known, link, starter, commands, lambda: examples.NOW, owner)
        self.known.reminded.connect(self.windows.show_reminders)

    @property
    def window(self) -> ReminderWindow:
        assert self.windows._reminder is not None
        return self.windows._reminder

    def answers(self) -> list[tuple[str, str]]:
        """Return what the agent was told: the reminder's number and the outcome."""
        told = [params for _, params in self.agent.asked if isinstance(params, ReminderAnswer)]
        return [(answer.reminder.lstrip("0"), answer.outcome) for answer in told]

    def press(self, label: str) -> None:
        for button in self.window.findChildren(QPushButton):
            if button.accessibleName() == label:
                button.click()
                return
        raise AssertionError(label)

    def texts(self) -> list[str]:
        return [label.text() for label in self.window.findChildren(QLabel) if label.isVisible()]


@pytest.fixture
def stage(
    agent: LocalAgent, link: AgentLink, look: Look, owner: QObject, tmp_path: Path, qtbot: QtBot
) -> Iterator[Stage]:
    agent.answers["subscribe"] = examples.with_violation()
    made = Stage(agent, link, look, owner, tmp_path)
    with qtbot.waitSignal(link.snapshot_came):
        link.start()
    yield made
    if made.windows._reminder is not None:
        made.windows._reminder.deleteLater()


def remind(stage: Stage, qtbot: QtBot, *reminders: Reminder) -> None:
    for reminder in reminders:
        with qtbot.waitSignal(stage.link.reminder_came):
            stage.agent.tell(reminder)


def test_a_reminder_shows_what_to_do_and_why_and_counts_as_shown_once_seen(
    stage: Stage, qtbot: QtBot
) -> None:
    remind(stage, qtbot, examples.reminder())
    qtbot.waitUntil(lambda: stage.answers() == [("1", "shown")])
    assert stage.texts()[:4] == [
        "",
        "Please continue in Microsoft Teams",
        "Telegram is for personal use only.",
        examples.reminder().conduct,
    ]


def test_understood_is_acknowledged_once_and_the_window_goes(stage: Stage, qtbot: QtBot) -> None:
    remind(stage, qtbot, examples.reminder())
    qtbot.waitUntil(lambda: stage.answers() == [("1", "shown")])
    stage.press("Understood")
    qtbot.waitUntil(lambda: stage.answers() == [("1", "shown"), ("1", "acknowledged")])
    assert not stage.window.isVisible()


def test_later_is_deferred(stage: Stage, qtbot: QtBot) -> None:
    remind(stage, qtbot, examples.reminder())
    stage.press("Remind me later")
    qtbot.waitUntil(lambda: stage.answers()[-1:] == [("1", "deferred")])
    assert not stage.window.isVisible()


def test_closing_is_no_answer_and_the_reminder_stays_among_the_things_to_do(
    stage: Stage, qtbot: QtBot
) -> None:
    remind(stage, qtbot, examples.reminder())
    qtbot.waitUntil(lambda: bool(stage.answers()))
    stage.window.close()
    assert stage.answers() == [("1", "shown")]
    assert stage.known.picture().reminders == (examples.reminder(),)
    stage.known.defer_sighting(examples.reminder().sighting)
    qtbot.waitUntil(lambda: stage.answers()[-1] == ("1", "deferred"))


def test_several_wait_their_turn_in_one_window(stage: Stage, qtbot: QtBot) -> None:
    others = [examples.reminder(number, title=f"Please close {number}") for number in (2, 3)]
    remind(stage, qtbot, examples.reminder(), *others)
    assert "2 more reminders after this one" in stage.texts()
    qtbot.waitUntil(lambda: stage.answers() == [("1", "shown")])
    stage.press("Understood")
    assert "Please close 2" in stage.texts()
    assert "1 more reminder after this one" in stage.texts()
    qtbot.waitUntil(lambda: ("2", "shown") in stage.answers())
    assert ("3", "shown") not in stage.answers()
    stage.window.close()
    qtbot.waitUntil(lambda: "Please close 3" in stage.texts())
    qtbot.waitUntil(lambda: ("3", "shown") in stage.answers())


def test_the_same_reminder_again_is_not_shown_again(stage: Stage, qtbot: QtBot) -> None:
    remind(stage, qtbot, examples.reminder())
    stage.press("Understood")
    remind(stage, qtbot, examples.reminder())
    assert not stage.window.isVisible()


def test_a_reminder_goes_away_when_its_messenger_was_closed(stage: Stage, qtbot: QtBot) -> None:
    remind(stage, qtbot, examples.reminder())
    assert stage.window.isVisible()
    later = msgspec.structs.replace(examples.in_line(), at=examples.NOW + timedelta(seconds=5))
    with qtbot.waitSignal(stage.link.snapshot_came):
        stage.agent.tell(later)
    assert not stage.window.isVisible()


def test_it_asks_not_to_be_given_the_keyboard(stage: Stage, qtbot: QtBot) -> None:
    """Whether it is heeded is seen under a window manager (dev/screenshots_tray.py); the platform without a screen never does."""
    remind(stage, qtbot, examples.reminder())
    assert stage.window.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert stage.window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint


def test_why_leads_to_the_rule(stage: Stage, qtbot: QtBot) -> None:
    remind(stage, qtbot, examples.reminder())
    because = f"Because of the rule “telegram-at-work”.\n{examples.reminder().rule_text}"
    assert because not in stage.texts()
    small = stage.window.height()
    stage.press("Why do I see this?")
    assert because in stage.texts()
    assert stage.window.height() > small
    with qtbot.waitSignal(stage.window.policy_wanted):
        stage.press("Read it in the policy")


def test_why_stays_open_while_others_come(stage: Stage, qtbot: QtBot) -> None:
    remind(stage, qtbot, examples.reminder())
    stage.press("Why do I see this?")
    height = stage.window.height()
    remind(stage, qtbot, examples.reminder(2, title="Please close 2"))
    assert "1 more reminder after this one" in stage.texts()
    assert any(text.startswith("Because of the rule") for text in stage.texts())
    assert stage.window.height() >= height
    stage.press("Understood")
    assert "Please close 2" in stage.texts()
    assert not any(text.startswith("Because of the rule") for text in stage.texts())


def test_what_stands_there_already_is_not_laid_out_again(
    stage: Stage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    remind(stage, qtbot, examples.reminder())
    qtbot.waitUntil(lambda: stage.answers() == [("1", "shown")])
    placed: list[None] = []
    monkeypatch.setattr(stage.window, "_place", lambda: placed.append(None))
    stage.windows.show_reminders()
    assert placed == []


def test_nothing_is_reminded_of_before_the_employee_knows_what_is_collected(
    stage: Stage, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(stage.link.snapshot_came):
        stage.agent.tell(examples.with_violation(notice_due=True))
    remind(stage, qtbot, examples.reminder())
    assert stage.windows._reminder is None
    assert stage.answers() == []
    with qtbot.waitSignal(stage.link.snapshot_came):
        stage.agent.tell(examples.with_violation())
    qtbot.waitUntil(lambda: stage.answers() == [("1", "shown")])
    assert "Please continue in Microsoft Teams" in stage.texts()


def test_escape_closes(stage: Stage, qtbot: QtBot) -> None:
    remind(stage, qtbot, examples.reminder())
    stage.window.activateWindow()
    qtbot.waitUntil(stage.window.isActiveWindow)
    QTest.keyClick(stage.window, Qt.Key.Key_Escape)
    assert not stage.window.isVisible()


def test_an_answer_given_while_the_agent_is_away_reaches_it_later(stage: Stage, qtbot: QtBot) -> None:
    remind(stage, qtbot, examples.reminder())
    qtbot.waitUntil(lambda: bool(stage.answers()))
    stage.agent.stop()
    qtbot.waitUntil(lambda: stage.link.state.kind == "absent")
    stage.press("Understood")
    stage.agent.start()
    qtbot.waitUntil(lambda: stage.answers()[-1:] == [("1", "acknowledged")])
    qtbot.waitUntil(lambda: stage.known._receipts.unconfirmed == ())


def test_an_answer_that_the_agent_will_never_take_is_let_go(stage: Stage, qtbot: QtBot) -> None:
    stage.agent.errors["reminder.answer"] = ErrorBody(code=-32603, message="It is not yours.")
    remind(stage, qtbot, examples.reminder())
    qtbot.waitUntil(lambda: bool(stage.answers()))
    qtbot.waitUntil(lambda: stage.known._receipts.unconfirmed == ())


def test_continue_starts_the_messenger_and_acknowledges(stage: Stage, qtbot: QtBot, tmp_path: Path) -> None:
    started = tmp_path / "started"
    (tmp_path / "applications").mkdir()
    (tmp_path / "applications/teams.desktop").write_text(
        f"[Desktop Entry]\nType=Application\nName=Microsoft Teams\nExec=touch {started} %U\n"
    )
    remind(stage, qtbot, examples.reminder())
    stage.press("Continue in Microsoft Teams")
    qtbot.waitUntil(lambda: stage.answers()[-1:] == [("1", "acknowledged")])
    qtbot.waitUntil(started.exists)


def test_what_can_be_opened_for_work_is_opened_so_and_acknowledges(
    stage: Stage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[WorkChoice] = []
    monkeypatch.setattr(Commands, "open_for_work", lambda _, choice: opened.append(choice))
    choice = WorkChoice("microsoft-teams", "Microsoft Teams")
    shown = msgspec.structs.replace(examples.with_violation(), for_work=(choice,))
    stage.agent.tell(shown)
    qtbot.waitUntil(lambda: stage.known.for_work == (choice,))
    remind(stage, qtbot, examples.reminder())
    stage.press("Continue in Microsoft Teams")
    assert opened == [choice]
    qtbot.waitUntil(lambda: stage.answers()[-1:] == [("1", "acknowledged")])


def test_a_messenger_that_does_not_start_is_not_taken_for_an_answer(
    stage: Stage, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "applications").mkdir()
    entry = tmp_path / "applications/teams.desktop"
    entry.write_text("[Desktop Entry]\nType=Application\nName=Microsoft Teams\nExec=/nowhere/teams\n")
    remind(stage, qtbot, examples.reminder())
    qtbot.waitUntil(lambda: bool(stage.answers()))
    entry.unlink()
    stage.press("Continue in Microsoft Teams")
    assert stage.answers() == [("1", "shown")]
    assert stage.window.isVisible()
    stage.press("Understood")


def test_the_rule_for_all_others_is_explained_without_its_id() -> None:
    view = reminder_view(examples.reminder(rule="default-work", rule_text=None), 0, frozenset())
    assert view.why == "Because of the rule for every messenger that the policy does not name."


def test_a_reminder_newer_than_the_snapshot_is_not_over() -> None:
    young = examples.reminder(at=examples.NOW + timedelta(seconds=1))
    old = examples.reminder(2)
    assert still_open((young, old), examples.in_line()) == (young,)
    assert still_open((young, old), examples.with_violation()) == (young, old)


def test_what_was_known_long_ago_is_forgotten() -> None:
    queue = ReminderQueue()
    for number in range(REMEMBERED + 1):
        assert queue.add(examples.reminder(number))
    assert not queue.add(examples.reminder(REMEMBERED))
    assert queue.add(examples.reminder(0))
