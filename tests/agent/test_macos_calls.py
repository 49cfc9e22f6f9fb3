"""The thin calls of macOS, with its libraries made up: what is asked of them, and that they are loaded late."""

import ctypes
import importlib
import select
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from agent.sensing.macos_events import NOTE_EXEC, NOTE_EXIT, NOTE_FORK, MacosEvents
from agent.sensing.own_child import HeldChild
from agent.sensing.process_events import NoEventsError
from agent.sensing.psutil_source import PsutilSource
from tests.fakes.cocoa import Application, Cocoa, Dictionary

OBSERVER = "agent.macos.observer"
ADD, DELETE, CLEAR, ONESHOT, PROC = 0x1, 0x2, 0x20, 0x10, -5
"""sys/event.h."""


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let this be macOS, as far as a module asks, and forget what was loaded in the belief."""
    monkeypatch.setattr(sys, "platform", "darwin")
    yield monkeypatch
    for name in [one for one in sys.modules if one.startswith("agent.macos.")]:
        del sys.modules[name]
        delattr(sys.modules["agent.macos"], name.rpartition(".")[2])


def loaded(name: str) -> Any:
    return importlib.import_module(f"agent.macos.{name}")


class Heard:
    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []
        self.lost = 0

    def record(self, pid: int, event: str) -> None:
        self.told.append((pid, event))

    def lose(self) -> None:
        self.lost += 1


class Session:
    """A session with a screen, and an agent in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cocoa, self.heard = Cocoa(), Heard()
        for name, module in self.cocoa.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        self.workspace = loaded("workspace").SessionWorkspace(lambda: True)

    def start(self) -> int:
        count: int = self.workspace.start(self.heard.record, self.heard.lose)
        return count


@pytest.fixture
def session(mac: pytest.MonkeyPatch) -> Session:
    return Session(mac)


def test_how_many_applications_run_is_told_after_appkit_was_let_in(session: Session) -> None:
    session.cocoa.change(new=(Application(3),))
    assert session.start() == 3


def test_starts_and_ends_are_told_once_appkit_is_let_in(session: Session) -> None:
    session.start()
    session.cocoa.post("launched", Dictionary({"application": Application(7)}))
    session.cocoa.post("terminated", Dictionary({"application": Application(8)}))
    session.cocoa.post("hidden", Dictionary({"application": Application(9)}))
    assert session.heard.told == []
    session.workspace.let_in()
    assert (session.heard.told, session.heard.lost) == ([(7, "started"), (8, "ended")], 0)


def test_applications_without_a_place_in_the_dock_are_told_by_the_list(session: Session) -> None:
    session.start()
    menu_bar = Application(7)
    session.cocoa.change(new=(menu_bar,))
    session.cocoa.change(old=(menu_bar,))
    session.cocoa.change(new=(Application(8), Application(9)), old=(Application(9),))
    session.workspace.let_in()
    assert session.heard.told == [(7, "started"), (7, "ended"), (8, "started")]


@pytest.mark.parametrize("about", [None, Dictionary({}), Dictionary({"application": Application(-1)})])
def test_who_is_not_named_is_a_loss(session: Session, about: Dictionary | None) -> None:
    session.start()
    session.cocoa.post("launched", about)
    session.cocoa.post("terminated", about)
    session.workspace.let_in()
    assert (session.heard.told, session.heard.lost) == ([], 2)


def test_letting_in_is_bounded_and_stops_where_nothing_waits(session: Session) -> None:
    session.start()
    session.cocoa.passes = 0
    session.workspace.let_in()
    assert session.cocoa.passes == 1
    for pid in range(100, 200):
        session.cocoa.change(new=(Application(pid),))
    session.workspace.let_in()
    assert len(session.heard.told) == loaded("workspace").PASSES_AT_MOST
    session.workspace.let_in()
    assert len(session.heard.told) == 100


def test_stopped_it_observes_nothing_and_can_begin_again(session: Session) -> None:
    session.start()
    session.workspace.stop()
    session.workspace.stop()
    assert (session.cocoa.observers, session.cocoa.list_observers) == ([], [])
    session.cocoa.passes = 0
    session.workspace.let_in()
    assert session.cocoa.passes == 0
    session.start()
    session.cocoa.change(new=(Application(7),))
    session.workspace.let_in()
    assert session.heard.told == [(7, "started")]


def test_without_a_screen_nothing_of_appkit_is_loaded_and_it_is_said_why(mac: pytest.MonkeyPatch) -> None:
    for name, module in Cocoa().modules().items():
        mac.setitem(sys.modules, name, module)
    workspace = loaded("workspace").SessionWorkspace(lambda: False)
    with pytest.raises(NoEventsError, match="only in a person's session") as raised:
        workspace.start(Heard().record, Heard().lose)
    assert (raised.value.remedy, "poll_milliseconds" in raised.value.why) == (None, True)
    workspace.let_in()
    workspace.stop()
    assert OBSERVER not in sys.modules


def test_with_a_screen_and_without_pyobjc_it_is_said_with_its_remedy(mac: pytest.MonkeyPatch) -> None:
    mac.setitem(sys.modules, "objc", None)
    with pytest.raises(NoEventsError, match="PyObjC cannot be loaded") as raised:
        loaded("workspace").SessionWorkspace(lambda: True).start(Heard().record, Heard().lose)
    assert raised.value.remedy


class Kernel:
    """What Python calls kqueue, with what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, int, float]] = []
        self.refusal: OSError | None = None
        self.closed = 0

    def fileno(self) -> int:
        return 42

    def control(self, changes: Any, at_most: int, timeout: float) -> list[Any]:
        self.asked.append((changes, at_most, timeout))
        if self.refusal is not None:
            raise self.refusal
        return [SimpleNamespace(ident=7, fflags=NOTE_EXIT)][:at_most]

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def kernel(mac: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    names = {
        "EV_ADD": ADD,
        "EV_DELETE": DELETE,
        "EV_CLEAR": CLEAR,
        "EV_ONESHOT": ONESHOT,
        "FILTER_PROC": PROC,
    }
    for name, value in names.items():
        mac.setattr(select, f"KQ_{name}", value, raising=False)
    mac.setattr(select, "kqueue", lambda: kernel, raising=False)
    mac.setattr(select, "kevent", lambda *values: values, raising=False)
    return kernel


def test_the_kernels_queue_is_asked_of_processes_and_never_waits(kernel: Kernel) -> None:
    queue = loaded("kernel_queue").KernelQueue()
    assert queue.read(5) == []
    assert queue.open() == 42
    queue.watch(7, NOTE_EXEC | NOTE_EXIT)
    queue.watch(1, NOTE_FORK, once=True)
    queue.forget(7)
    assert queue.read(5) == [(7, NOTE_EXIT)]
    assert kernel.asked == [
        ([(7, PROC, ADD | CLEAR, NOTE_EXEC | NOTE_EXIT)], 0, 0),
        ([(1, PROC, ADD | CLEAR | ONESHOT, NOTE_FORK)], 0, 0),
        ([(7, PROC, DELETE, 0)], 0, 0),
        (None, 5, 0),
    ]
    queue.close()
    queue.close()
    assert kernel.closed == 1


def test_forgetting_one_that_ended_is_no_error_and_watching_it_is(kernel: Kernel) -> None:
    queue = loaded("kernel_queue").KernelQueue()
    queue.open()
    for error in (FileNotFoundError(2, "no such event"), ProcessLookupError(3, "no such process")):
        kernel.refusal = error
        queue.forget(7)
        with pytest.raises(type(error)):
            queue.watch(7, NOTE_EXIT)
    kernel.refusal = PermissionError(1, "no")
    with pytest.raises(PermissionError):
        queue.forget(7)


@pytest.mark.parametrize(
    ("status", "attributes", "has_screen"),
    [(0, 0x1010, True), (0, 0x0010, True), (0, 0x0001, False), (0, 0x1020, False), (-60501, 0x0010, False)],
)
def test_a_session_with_a_screen_is_told_from_others(
    mac: pytest.MonkeyPatch, status: int, attributes: int, *, has_screen: bool
) -> None:
    def ask(session: int, number: Any, bits: Any) -> int:
        assert session == 0xFFFFFFFF
        number._obj.value, bits._obj.value = 100, attributes
        return status

    libraries: dict[str, object] = {}

    def library(path: str) -> Any:
        return libraries.setdefault(path, SimpleNamespace(SessionGetInfo=ask))

    mac.setattr(ctypes, "CDLL", library)
    answer: Callable[[], bool] = loaded("session").has_screen
    assert answer() is has_screen
    assert [path.rpartition("/")[2] for path in libraries] == ["Security"]


def test_on_macos_both_ways_are_offered_with_a_child_that_the_kernel_watches(
    kernel: Kernel, mac: pytest.MonkeyPatch
) -> None:
    mac.delitem(sys.modules, "agent.sensing.this_system", raising=False)
    chosen: Any = importlib.import_module("agent.sensing.this_system")
    offer = chosen.events_offered()
    del sys.modules["agent.sensing.this_system"]
    assert isinstance(chosen.process_source(), PsutilSource)
    assert isinstance(offer.events, MacosEvents)
    assert isinstance(offer.child, HeldChild)
    assert offer.child._watch == offer.events.watch
    assert OBSERVER not in sys.modules
    assert kernel.asked == []
