import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from agent.sensing.linux_events import LinuxEvents
from agent.sensing.macos_events import LET_IN_EVERY_SECONDS, NOTE_EXIT, MacosEvents
from agent.sensing.process_events import NoEventsError
from agent.sensing.windows_events import WindowsEvents
from tests.fakes.connector import Connector, exec_of, exit_of
from tests.fakes.hand_loop import HandLoop
from tests.fakes.macos import FakeQueue, FakeWorkspace
from tests.fakes.process_events import FakeEvents
from tests.suites.process_events import Listener, ProcessEventsSuite, Rig


class LinuxRig:
    """The real thing at a socket that the tests speak into as the kernel does, through the kernel's own filter."""

    def __init__(self) -> None:
        self.loop, self.connectors = HandLoop(), list[Connector]()
        self.events = LinuxEvents(self._connect)

    def _connect(self) -> socket.socket:
        self.connectors.append(Connector())
        return self.connectors[-1]

    def start(self, pid: int) -> None:
        self.connectors[-1].tell(exec_of(pid))

    def end(self, pid: int) -> None:
        self.connectors[-1].tell(exit_of(pid))

    def lose(self) -> None:
        self.connectors[-1].lose()

    def close(self) -> None:
        for connector in self.connectors:
            connector.close_both()


class FakeRig:
    """Events in memory."""

    def __init__(self) -> None:
        self.loop, self.machine = HandLoop(), FakeEvents()
        self.events = self.machine

    def start(self, pid: int) -> None:
        self.machine.tell(pid, "started")

    def end(self, pid: int) -> None:
        self.machine.tell(pid, "ended")

    def lose(self) -> None:
        self.machine.lose()


class TestLinuxEvents(ProcessEventsSuite):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        rig = LinuxRig()
        yield rig
        rig.close()
        rig.loop.close()


class MacosRig:
    """The real thing, told of applications by a made-up session and of ends by a made-up kernel, too."""

    def __init__(self) -> None:
        self.loop, self.queue, self.workspace = HandLoop(), FakeQueue(), FakeWorkspace()
        self.events = MacosEvents(self.queue, self.workspace)

    def start(self, pid: int) -> None:
        self.workspace.tell(pid, "started")
        self.loop.advance(LET_IN_EVERY_SECONDS)

    def end(self, pid: int) -> None:
        self.queue.do(pid, NOTE_EXIT)
        self.workspace.tell(pid, "ended")
        self.loop.advance(LET_IN_EVERY_SECONDS)

    def lose(self) -> None:
        self.workspace.tell(None, "started")
        self.loop.advance(LET_IN_EVERY_SECONDS)

    def close(self) -> None:
        async def close() -> None:
            self.events.close()

        self.loop.run_until_complete(close())
        self.loop.close()


class TestMacosEvents(ProcessEventsSuite):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        rig = MacosRig()
        yield rig
        rig.close()


class TestFakeEvents(ProcessEventsSuite):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        rig = FakeRig()
        yield rig
        rig.loop.close()


def test_the_rigs_messages_are_as_long_as_the_kernels() -> None:
    assert len(exec_of(7)) == len(exit_of(7)) == struct.unpack_from("=I", exec_of(7))[0] == 76


class HandTrace:
    """Windows' tracing, which tells in a thread of its own."""

    def __init__(self) -> None:
        self.refusal: OSError | None = None
        self.record: Callable[[int, bytes], None] | None = None
        self.lose: Callable[[], None] = lambda: None

    def start(self, record: Callable[[int, bytes], None], lose: Callable[[], None]) -> None:
        if self.refusal is not None:
            raise self.refusal
        assert self.record is None, "it is ended before it is begun again"
        self.record, self.lose = record, lose

    def stop(self) -> None:
        self.record = None

    def tell(self, number: int, pid: int) -> None:
        assert self.record is not None
        in_a_thread(self.record, number, struct.pack("<IQ", pid, 0))


def in_a_thread(call: Callable[..., None], *arguments: object) -> None:
    thread = threading.Thread(target=call, args=arguments)
    thread.start()
    thread.join()


class WindowsRig:
    """The real thing, told by a made-up tracing."""

    def __init__(self) -> None:
        self.loop, self.trace = HandLoop(), HandTrace()
        self.events = WindowsEvents(self.trace)

    def start(self, pid: int) -> None:
        self.trace.tell(1, pid)

    def end(self, pid: int) -> None:
        self.trace.tell(2, pid)

    def lose(self) -> None:
        in_a_thread(self.trace.lose)


class TestWindowsEvents(ProcessEventsSuite):
    @pytest.fixture
    def rig(self) -> Iterator[Rig]:
        rig = WindowsRig()
        yield rig
        rig.loop.close()


@pytest.mark.parametrize(("number", "why"), [(5, "only to administrators"), (1450, "no resources")])
def test_why_windows_does_not_tell_is_said(number: int, why: str) -> None:
    rig = WindowsRig()
    rig.trace.refusal = OSError(0, "no resources")
    rig.trace.refusal.winerror = number  # type: ignore[attr-defined]  # there is one on Windows alone

    async def listen() -> None:
        rig.events.open(lambda: None)

    with pytest.raises(NoEventsError, match=why):
        rig.loop.run_until_complete(listen())
    rig.loop.close()


def test_what_windows_still_tells_after_the_end_is_passed_over() -> None:
    rig = WindowsRig()
    listener = Listener(rig)
    record = rig.trace.record
    assert record is not None
    listener.in_loop("close")
    in_a_thread(record, 1, struct.pack("<I", 7))
    assert listener.settle() == 0
    rig.loop.close()
    in_a_thread(record, 1, struct.pack("<I", 8))
