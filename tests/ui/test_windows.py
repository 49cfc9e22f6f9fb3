"""The windows: what stands in them, what the keyboard does, what a screen reader hears, what the agent is asked."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QTabWidget, QToolButton, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from contract.local import ErrorBody, HelloReply, LedgerRow, NoticeShown
from contract.version import LOCAL_VERSION
from tests.fakes.local_agent import LocalAgent
from tests.ui import examples
from ui.agent_link.link import AgentLink
from ui.commands import Commands
from ui.known import Known
from ui.ledger_view import LINES_AT_ONCE
from ui.look import Look
from ui.page_view import PageView
from ui.present.page import Block, Page, find, marked
from ui.present.picture import Picture
from ui.present.status import view
from ui.starter import Starter
from ui.status_window import StatusWindow
from ui.widgets import StateIcon
from ui.windows import Windows


class Stage:
    """The windows, the agent that they ask, and a way to press their buttons."""

    def __init__(self, agent: LocalAgent, link: AgentLink, look: Look, owner: QObject, data: Path) -> None:
        self.agent, self.link, self.look = agent, link, look
        starter = Starter({"XDG_DATA_HOME": str(data), "XDG_DATA_DIRS": str(data)}, data)
        self.known = Known(link, starter, lambda: examples.NOW, owner)
        commands = Commands(("/nonexistent/decorum",), None, owner)
        self.windows = Windows(look, self.known, link, starter, commands, lambda: examples.NOW, owner)
        self.known.changed.connect(lambda: self.windows.show_view(view(self.known.picture())))
        self.known.notice_due.connect(self.windows.show_notice)

    def open(self) -> list[QWidget]:
        """Return the windows that are open."""
        windows = self.windows
        built = (windows._status, windows._policy, windows._sees, windows._notice, windows._help)
        return [window for window in built if window is not None and window.isVisible()]

    def window(self, title: str) -> QWidget:
        """Return an open window by its title."""
        return next(window for window in self.open() if window.windowTitle() == title)


def shown_buttons(window: QWidget) -> list[str]:
    """Return what a screen reader calls the buttons that can be seen."""
    return [one.accessibleName() for one in window.findChildren(QPushButton) if one.isVisible()]


def press(window: QWidget, label: str) -> None:
    """Click the button that a screen reader calls so."""
    for button in window.findChildren(QPushButton):
        if button.accessibleName() == label and button.isVisible():
            button.click()
            return
    raise AssertionError(label)


def texts(window: QWidget) -> list[str]:
    return [label.text() for label in window.findChildren(QLabel) if label.isVisible() and label.text()]


def page(window: QWidget) -> str:
    return window.findChildren(PageView)[0].toPlainText()


@pytest.fixture
def stage(
    agent: LocalAgent, link: AgentLink, look: Look, owner: QObject, tmp_path: Path, qtbot: QtBot
) -> Iterator[Stage]:
    agent.answers |= {"policy": examples.policy(), "disclosure": examples.disclosure()}
    made = Stage(agent, link, look, owner, tmp_path)
    with qtbot.waitSignal(link.snapshot_came):
        link.start()
    yield made
    for window in made.open():
        window.close()


@pytest.fixture
def status(look: Look, picture: Picture, qtbot: QtBot) -> StatusWindow:
    """The status window alone, with one thing to do."""
    made = StatusWindow(look)
    qtbot.addWidget(made)
    told = {"snapshot": examples.with_violation(), "reminders": (examples.reminder(),)}
    made.show_view(view(msgspec.structs.replace(picture, **told)))
    made.show()
    made.activateWindow()
    return made


def tell(stage: Stage, qtbot: QtBot, **changes: object) -> None:
    with qtbot.waitSignal(stage.link.snapshot_came):
        stage.agent.tell(msgspec.structs.replace(examples.in_line(), **changes))


def test_the_status_window_follows_the_agent(stage: Stage, qtbot: QtBot) -> None:
    stage.windows.show_status()
    window = stage.window("Decorum")
    assert texts(window)[:2] == [
        "You are in line with the policy",
        "Acme · Messaging policy 4 · checked 12:04",
    ]
    assert "To do" not in texts(window)
    with qtbot.waitSignal(stage.link.snapshot_came):
        stage.agent.tell(examples.with_violation())
    assert texts(window)[0] == "Telegram is not in line with the policy"
    qtbot.waitUntil(lambda: "To do" in texts(window))
    stage.agent.stop()
    qtbot.waitUntil(lambda: texts(window)[0] == "The Decorum agent is not running")
    assert "Slack" not in texts(window)


def test_only_the_first_thing_to_do_has_the_primary_action(
    status: StatusWindow, picture: Picture, qapp: QApplication
) -> None:
    two = examples.snapshot(examples.not_in_line(), examples.not_in_line("WeChat"))
    status.show_view(view(msgspec.structs.replace(picture, snapshot=two)))
    qapp.processEvents()
    roles = [button.property("role") for button in status.findChildren(QPushButton) if button.isVisible()]
    assert roles.count("primary") == 1
    assert roles.count("plain") == 1


def test_the_first_thing_that_has_an_action_has_the_primary_one(
    status: StatusWindow, picture: Picture, qapp: QApplication
) -> None:
    told = msgspec.structs.replace(examples.not_enrolled(), notice_due=True)
    status.show_view(view(msgspec.structs.replace(picture, snapshot=told)))
    qapp.processEvents()
    buttons = [button for button in status.findChildren(QPushButton) if button.isVisible()]
    primary = [button.accessibleName() for button in buttons if button.property("role") == "primary"]
    assert primary == ["Read it now"]


def test_tab_goes_from_top_to_bottom(status: StatusWindow, qapp: QApplication) -> None:
    assert qapp.focusWidget() in {None, status}
    names = []
    for _ in range(6):
        QTest.keyClick(status, Qt.Key.Key_Tab)
        focused = status.focusWidget()
        assert focused is not None
        names.append(focused.accessibleName())
    assert names == [
        "Check in now (F5)",
        "Read the rule",
        "Remind me later",
        "What Decorum sees",
        "Policy",
        "Help",
    ]


def test_the_keyboard_keeps_its_place_when_the_things_to_do_change(
    status: StatusWindow, picture: Picture, qapp: QApplication
) -> None:
    for _ in range(2):
        QTest.keyClick(status, Qt.Key.Key_Tab)
    told = {"snapshot": examples.with_violation(notice_due=True), "reminders": (examples.reminder(),)}
    status.show_view(view(msgspec.structs.replace(picture, **told)))
    qapp.processEvents()
    focused = status.focusWidget()
    assert focused is not None
    assert (focused.accessibleName(), focused.isVisible()) == ("Read the rule", True)


def test_escape_closes_and_f5_checks_in(status: StatusWindow, qtbot: QtBot) -> None:
    with qtbot.waitSignal(status.check_in_wanted):
        QTest.keyClick(status, Qt.Key.Key_F5)
    QTest.keyClick(status, Qt.Key.Key_Escape)
    assert not status.isVisible()


def test_f5_does_nothing_where_nobody_could_answer(
    status: StatusWindow, picture: Picture, qtbot: QtBot
) -> None:
    status.show_view(view(msgspec.structs.replace(picture, snapshot=examples.not_enrolled())))
    with qtbot.assertNotEmitted(status.check_in_wanted):
        QTest.keyClick(status, Qt.Key.Key_F5)
    assert not status.findChildren(QToolButton)[0].isEnabled()


def test_every_state_and_every_button_can_be_heard(status: StatusWindow) -> None:
    icons = [icon.accessibleName() for icon in status.findChildren(StateIcon)]
    assert icons[0] == "Telegram is not in line with the policy"
    assert {"not in line", "in line"} <= set(icons)
    assert all(button.accessibleName() for button in status.findChildren(QPushButton))


def test_a_states_shape_is_seen_in_its_colour_and_no_label_is_given_a_picture(
    status: StatusWindow, look: Look
) -> None:
    """A label never frees a picture that it was given (see `ui.widgets`)."""
    icons = [icon for icon in status.findChildren(StateIcon) if icon.isVisible()]
    assert len(icons) >= 4
    assert all(label.pixmap().isNull() for label in status.findChildren(QLabel))
    for icon in icons:
        shown = icon.grab().toImage()
        colours = {shown.pixelColor(x, y).name() for x in range(shown.width()) for y in range(shown.height())}
        assert getattr(look.colours, icon._shape) in colours
    icons[0].show_shape("exempt", "exempt")
    shown = icons[0].grab().toImage()
    colours = {shown.pixelColor(x, y).name() for x in range(shown.width()) for y in range(shown.height())}
    assert look.colours.exempt in colours
    assert look.colours.violation not in colours


def test_checking_in_asks_the_agent_and_ends_with_its_news(stage: Stage, qtbot: QtBot) -> None:
    stage.windows.show_status()
    window = stage.window("Decorum")
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert texts(window)[1].endswith("checking in…")
    qtbot.waitUntil(lambda: "check_in" in stage.agent.methods())
    tell(stage, qtbot, server="reachable")
    assert texts(window)[1].endswith("checked 12:04")


def test_a_check_in_that_the_agent_refuses_is_not_waited_for(stage: Stage, qtbot: QtBot) -> None:
    stage.agent.errors["check_in"] = ErrorBody(code=-32603, message="Not now.")
    stage.known.check_in()
    assert stage.known.picture().is_checking_in
    qtbot.waitUntil(lambda: not stage.known.picture().is_checking_in)


def test_try_again_looks_for_the_agent(stage: Stage, qtbot: QtBot) -> None:
    stage.windows.show_status()
    stage.agent.stop()
    qtbot.waitUntil(lambda: stage.link.state.kind == "absent")
    stage.agent.start()
    press(stage.window("Decorum"), "Try again")
    qtbot.waitUntil(lambda: stage.link.state.kind == "connected", timeout=1000)


def test_an_updated_decorum_can_be_started_again(stage: Stage, picture: Picture, qtbot: QtBot) -> None:
    stage.agent.answers["hello"] = HelloReply("9.9.9", LOCAL_VERSION + 1)
    stage.windows.show_status()
    stage.agent.drop()
    qtbot.waitUntil(lambda: stage.link.state.kind == "agent_newer")
    window = stage.window("Decorum")
    qtbot.waitUntil(lambda: "Start again" in shown_buttons(window))
    with qtbot.waitSignal(stage.windows.restart_wanted):
        press(window, "Start again")


def test_the_rule_opens_the_policy_at_its_own_words(stage: Stage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(stage.link.snapshot_came):
        stage.agent.tell(examples.with_violation())
    stage.windows.show_status()
    press(stage.window("Decorum"), "Read the rule")
    window = stage.window("Policy")
    qtbot.waitUntil(lambda: "Messengers for work" in page(window))
    assert window.findChildren(PageView)[0].textCursor().block().text().startswith("Telegram may be used")


def test_the_policy_says_why_it_cannot_be_shown_and_comes_when_the_agent_does(
    stage: Stage, qtbot: QtBot
) -> None:
    stage.agent.stop()
    qtbot.waitUntil(lambda: stage.link.state.kind == "absent")
    stage.windows.show_policy()
    window = stage.window("Policy")
    qtbot.waitUntil(lambda: "cannot be shown now" in page(window))
    stage.agent.start()
    qtbot.waitUntil(lambda: "Messengers for work" in page(window))


def test_what_is_collected_is_told_for_this_device(stage: Stage, qtbot: QtBot) -> None:
    stage.windows.show_sees()
    window = stage.window("What Decorum sees")
    qtbot.waitUntil(lambda: "This device belongs to Acme." in page(window))
    assert "At work: which messenger was opened and closed, and when." in page(window)
    assert "On the personal side: nothing." in page(window)
    assert "30 days as the longest" in page(window)


def test_without_the_agent_the_page_still_tells_what_is_never_collected(stage: Stage, qtbot: QtBot) -> None:
    stage.agent.stop()
    qtbot.waitUntil(lambda: stage.link.state.kind == "absent")
    stage.windows.show_sees()
    qtbot.waitUntil(lambda: "What is never collected" in page(stage.window("What Decorum sees")))


def test_what_was_sent_opens_to_the_literal_text(stage: Stage, qtbot: QtBot) -> None:
    rows = tuple(examples.ledger_row(number) for number in range(LINES_AT_ONCE + 20, 0, -1))
    stage.agent.ledger = (msgspec.structs.replace(rows[0], acknowledged=None, attempts=2), *rows[1:])
    stage.windows.show_sees()
    window = stage.window("What Decorum sees")
    tree = window.findChildren(QTreeWidget)[0]
    qtbot.waitUntil(lambda: tree.topLevelItemCount() == LINES_AT_ONCE)
    first = tree.topLevelItem(0)
    assert first is not None
    assert [first.text(column) for column in (1, 2)] == ["11:51", "tried 2 times"]
    assert first.data(0, Qt.ItemDataRole.AccessibleTextRole).startswith("11:51, Telegram was started")
    first.setExpanded(True)
    child = first.child(0)
    assert child is not None
    literal = tree.itemWidget(child, 0)
    assert isinstance(literal, QLabel)
    assert literal.text().replace("\u200b", "") == rows[0].literal
    first.setExpanded(False)
    assert tree.itemWidget(child, 0) is None


def test_older_lines_come_when_asked_for_and_then_there_are_no_more(stage: Stage, qtbot: QtBot) -> None:
    stage.agent.ledger = tuple(examples.ledger_row(number) for number in range(LINES_AT_ONCE + 20, 0, -1))
    stage.windows.show_sees()
    window = stage.window("What Decorum sees")
    tree = window.findChildren(QTreeWidget)[0]
    older = next(
        one for one in window.findChildren(QPushButton) if one.accessibleName() == "Show older lines"
    )
    qtbot.waitUntil(lambda: tree.topLevelItemCount() == LINES_AT_ONCE)
    assert not older.isHidden()
    older.click()
    qtbot.waitUntil(lambda: tree.topLevelItemCount() == LINES_AT_ONCE + 20)
    assert older.isHidden()


def test_reports_are_found_behind_any_number_of_signs_of_life(stage: Stage, qtbot: QtBot) -> None:
    def row(number: int) -> LedgerRow:
        one = examples.ledger_row(number)
        return one if number % 150 == 0 else msgspec.structs.replace(one, type="heartbeat")

    stage.agent.ledger = tuple(row(number) for number in range(LINES_AT_ONCE * 4, 0, -1))
    stage.windows.show_sees()
    window = stage.window("What Decorum sees")
    tree = window.findChildren(QTreeWidget)[0]
    older = next(
        one for one in window.findChildren(QPushButton) if one.accessibleName() == "Show older lines"
    )
    qtbot.waitUntil(lambda: tree.topLevelItemCount() == 5 and stage.agent.methods().count("ledger") == 5)
    qtbot.waitUntil(older.isHidden)
    items = [item for item in map(tree.topLevelItem, range(5)) if item is not None]
    said = [item.text(0) for item in items]
    assert said[0] == "This device said 100 times that it is there."
    assert [said[1], said[3]] == [examples.ledger_row(1).sentence] * 2
    assert sum(item.childCount() for item in items[::2]) == LINES_AT_ONCE * 4 - 2
    items[0].setExpanded(True)
    inside = items[0].child(7)
    assert inside is not None
    inside.setExpanded(True)
    literal = inside.child(0)
    assert literal is not None
    assert isinstance(tree.itemWidget(literal, 0), QLabel)


def test_a_long_line_is_not_cut_off(stage: Stage, qtbot: QtBot) -> None:
    long = "A messenger with a long name " * 8
    stage.agent.ledger = (
        msgspec.structs.replace(examples.ledger_row(2), sentence=long),
        examples.ledger_row(1),
    )
    stage.windows.show_sees()
    window = stage.window("What Decorum sees")
    window.findChildren(QTabWidget)[0].setCurrentIndex(1)
    tree = window.findChildren(QTreeWidget)[0]
    qtbot.waitUntil(lambda: tree.topLevelItemCount() == 2)
    heights = [
        tree.visualItemRect(item).height() for item in map(tree.topLevelItem, range(2)) if item is not None
    ]
    assert heights[0] >= 3 * tree.fontMetrics().height()


def test_the_notice_opens_by_itself_once_and_is_confirmed_to_the_agent(stage: Stage, qtbot: QtBot) -> None:
    tell(stage, qtbot, notice_due=True)
    window = stage.window("Before anything is collected")
    qtbot.waitUntil(lambda: "only a sign of life leaves" in page(window))
    assert "notice.shown" not in stage.agent.methods()
    press(window, "I have read this")
    qtbot.waitUntil(lambda: not window.isVisible())
    assert ("notice.shown", NoticeShown("en")) in stage.agent.asked
    tell(stage, qtbot, notice_due=True, waiting=1)
    assert stage.open() == []


def test_a_notice_that_the_agent_does_not_take_stays_open_and_says_why(stage: Stage, qtbot: QtBot) -> None:
    stage.agent.errors["notice.shown"] = ErrorBody(
        code=-32603, message="The disk is full.", remedy="Make room."
    )
    tell(stage, qtbot, notice_due=True)
    window = stage.window("Before anything is collected")
    qtbot.waitUntil(lambda: "sign of life" in page(window))
    press(window, "I have read this")
    qtbot.waitUntil(lambda: "The agent did not take it: The disk is full. Make room." in texts(window))
    assert window.isVisible()


def test_a_notice_that_does_not_say_what_holds_here_cannot_be_confirmed(stage: Stage, qtbot: QtBot) -> None:
    stage.agent.errors["disclosure"] = ErrorBody(code=-32603, message="Not now.")
    stage.windows.show_notice()
    window = stage.window("Before anything is collected")
    qtbot.waitUntil(lambda: "cannot be asked" in page(window))
    button = window.findChildren(QPushButton)[0]
    assert not button.isEnabled()


def test_help_names_whom_to_ask_and_the_versions(stage: Stage, qtbot: QtBot) -> None:
    stage.windows.show_help()
    told = texts(stage.window("Help"))
    assert "About the policy: Compliance desk, extension 4400" in told
    assert any("Decorum 0.1.0, agent 0.1.0" in text for text in told)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("status", "Decorum"),
        ("policy", "Policy"),
        ("sees", "What Decorum sees"),
        ("reminder", "Decorum"),
        ("anything else", "Decorum"),
    ],
)
def test_a_window_is_shown_by_its_name(stage: Stage, name: str, title: str) -> None:
    stage.windows.show_page(name)
    assert [window.windowTitle() for window in stage.open()] == [title]


def test_nothing_is_built_before_it_is_wanted(stage: Stage) -> None:
    assert stage.open() == []
    assert stage.windows._status is None


def test_markup_in_a_text_is_shown_not_obeyed(look: Look, qtbot: QtBot) -> None:
    made = PageView(look)
    qtbot.addWidget(made)
    made.show_page(Page((Block("text", '<b>bold</b> <img src="file:///etc/passwd">'),)))
    assert made.toPlainText() == '<b>bold</b> <img src="file:///etc/passwd">'


def test_only_mail_and_https_addresses_become_links(look: Look, qtbot: QtBot) -> None:
    made = PageView(look)
    qtbot.addWidget(made)
    text = (
        "See (https://intranet.example/a?b=c), mailto:desk@example.org, file:///etc and http://plain.example."
    )
    made.show_page(Page((Block("text", text),)))
    assert links(made.document()) == ["https://intranet.example/a?b=c", "mailto:desk@example.org"]


def links(document: QTextDocument) -> list[str]:
    """Return where the links of a document lead, in reading order."""
    found: list[str] = []
    cursor = QTextCursor(document)
    while cursor.movePosition(QTextCursor.MoveOperation.NextCharacter):
        address = cursor.charFormat().anchorHref()
        if address and address not in found:
            found.append(address)
    return found


def test_the_first_needle_that_is_found_at_all_is_marked() -> None:
    blocks = (
        Block("heading", "Slack"),
        Block("text", "Slack may be used."),
        Block("text", "Others may not."),
    )
    assert find(blocks, ("Telegram", "others")) == 2
    assert find(blocks, ("Telegram",)) is None
    assert [block.is_marked for block in marked(Page(blocks), 2).blocks] == [False, False, True]
    assert marked(Page(blocks), None) == Page(blocks)
