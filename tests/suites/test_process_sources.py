import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agent.sensing.linux_source import LinuxSource
from agent.sensing.process_source import GoneError, ProcessSource
from agent.sensing.psutil_source import PsutilSource
from tests.fakes.process_source import FakeProcessSource
from tests.suites.process_sources import ProcessSourceSuite, Rig

PYTHON, SLEEP = os.path.realpath(sys.executable), os.path.realpath("/bin/sleep")
WAITING = (
    "import os, sys; print(flush=True); sys.stdin.readline(); os.execv(sys.argv[1], [sys.argv[1], '1000'])"
)
"""Says that it runs, waits for a line, and becomes the program that it was given."""


def until(holds: Callable[[], bool]) -> None:
    """Wait until the kernel has done it: an exec or an end takes a moment that nothing tells of."""
    for _ in range(20_000):
        if holds():
            return
        os.sched_yield()
    pytest.fail("it did not happen")


class RealRig:
    """Processes of this machine."""

    first_exe, second_exe = PYTHON, SLEEP

    def __init__(self, source: ProcessSource) -> None:
        self.source = source
        self.uid = os.getuid()
        self.folder = str(Path.cwd())
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> int:
        process = subprocess.Popen(
            [PYTHON, "-c", WAITING, SLEEP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "MARK": "made up"},
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        self._started[process.pid] = process
        return process.pid

    def become(self, pid: int) -> None:
        stdin = self._started[pid].stdin
        assert stdin is not None
        stdin.write(b"\n")
        stdin.flush()
        until(lambda: str(Path(f"/proc/{pid}/exe").readlink()) == SLEEP)

    def die(self, pid: int) -> None:
        self._started[pid].kill()
        until(lambda: Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()[0] == b"Z")

    def collect(self, pid: int) -> None:
        self._started[pid].wait()

    def close(self) -> None:
        for process in self._started.values():
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()


class FakeRig:
    """Processes in memory."""

    first_exe, second_exe = "/usr/bin/python3", "/bin/sleep"
    uid, folder = 1000, "/home/x"

    def __init__(self) -> None:
        self.machine = self.source = FakeProcessSource()

    def start(self) -> int:
        return self.machine.start(self.first_exe, variables={"MARK": "made up"}, folder=self.folder)

    def become(self, pid: int) -> None:
        self.machine.become(pid, self.second_exe)

    def die(self, pid: int) -> None:
        self.machine.die(pid)

    def collect(self, pid: int) -> None:
        self.machine.end(pid)


@pytest.fixture(params=[LinuxSource, PsutilSource], ids=["linux", "psutil"])
def real_rig(request: pytest.FixtureRequest) -> Iterator[RealRig]:
    rig = RealRig(request.param())
    yield rig
    rig.close()


class TestRealSources(ProcessSourceSuite):
    @pytest.fixture
    def rig(self, real_rig: RealRig) -> Rig:
        return real_rig

    def test_a_name_that_is_no_utf8_can_be_written_down(self, rig: Rig, tmp_path: Path) -> None:
        odd = os.fsencode(tmp_path) + b"/bad-\xff-name"
        Path(os.fsdecode(odd)).write_bytes(Path(SLEEP).read_bytes())
        Path(os.fsdecode(odd)).chmod(0o700)
        with subprocess.Popen([odd, b"1000"]) as process:
            source = rig.source
            until(lambda: Path(f"/proc/{process.pid}/cmdline").read_bytes() == odd + b"\x001000\x00")
            reading = source.read(source.key(process.pid))
            process.kill()
        assert reading.image.exe == f"{tmp_path}/bad-?-name"
        assert reading.facts.name == "bad-?-name"
        assert reading.facts.cmdline == (f"{tmp_path}/bad-?-name", "1000")


@pytest.fixture
def half_ended() -> Iterator[int]:
    """A process whose first thread has ended while another goes on."""
    code = (
        "import ctypes, sys, threading; threading.Thread(target=sys.stdin.readline).start(); "
        f"ctypes.CDLL(None).syscall({platform_exit_number()}, 0)"
    )
    with subprocess.Popen([PYTHON, "-c", code], stdin=subprocess.PIPE) as process:
        until(lambda: state_of(process.pid) == b"Z")
        yield process.pid
        process.kill()


def platform_exit_number() -> int:
    """Return the number of exit(2), which ends one thread: 60 on x86-64, 93 where numbers are the generic ones."""
    return 60 if os.uname().machine == "x86_64" else 93


def state_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/stat").read_bytes().rsplit(b")", 1)[1].split()[0]


def test_a_process_whose_first_thread_has_ended_goes_on_while_others_do(half_ended: int) -> None:
    source = LinuxSource()
    key = source.key(half_ended)
    assert source.key(half_ended) == key
    with pytest.raises(GoneError):
        source.image(half_ended)  # what it runs is told no more, which is no change of it
    os.kill(half_ended, signal.SIGKILL)
    until(lambda: len(list(Path(f"/proc/{half_ended}/task").iterdir())) == 1)
    with pytest.raises(GoneError):
        source.key(half_ended)


def test_a_program_whose_file_was_replaced_is_known_by_its_path(tmp_path: Path) -> None:
    program = tmp_path / "messenger"
    program.write_bytes(Path(SLEEP).read_bytes())
    program.chmod(0o700)
    with subprocess.Popen([str(program), "1000"]) as process:
        until(lambda: str(Path(f"/proc/{process.pid}/exe").readlink()) == str(program))
        program.unlink()
        image = LinuxSource().image(process.pid)
        process.kill()
    assert image.exe == str(program)


def test_linux_and_psutil_tell_the_same_of_everything_that_runs() -> None:
    linux, other = LinuxSource(), PsutilSource()
    compared = 0
    for pid in psutil.pids():
        try:
            before, told, after = linux.image(pid), other.image(pid), linux.image(pid)
        except GoneError:
            continue
        if before == after:
            compared += 1
            assert told == before
    assert compared > 1


class TestFakeProcessSource(ProcessSourceSuite):
    @pytest.fixture
    def rig(self) -> Rig:
        return FakeRig()
