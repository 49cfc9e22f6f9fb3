"""Programs of the demo: a group and a log each, asked before they are killed, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dev.demo import leash
from dev.demo.errors import DemoError
from dev.demo.programs import Programs

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
WITH_CHILD = "sleep 600 & echo $!; wait"


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leash, "ASK_AGAIN_SECONDS", 0.05)


def with_programs(logs: Path, attempt: Callable[[Programs], Awaitable[None]]) -> list[str]:
    """Do something with programs; return the names of those that had to be killed in the end."""

    async def whole() -> list[str]:
        lock = os.open(logs / "lock", os.O_CREAT | os.O_RDWR)
        programs = Programs(logs, {"PATH": os.environ["PATH"], "GREETING": "hello"}, lock)
        try:
            await attempt(programs)
        finally:
            refused = await programs.stop()
            os.close(lock)
        return refused

    return asyncio.run(whole())


def first_line(log: Path) -> str:
    """Wait for the first line that a program writes."""
    while not (text := log.read_text()).endswith("\n"):
        time.sleep(0.01)
    return text.splitlines()[0]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")


def test_a_program_gets_the_environment_and_a_log(tmp_path: Path) -> None:
    async def attempt(programs: Programs) -> None:
        assert (
            await programs.finish("greet", ["sh", "-c", "echo $GREETING; echo again >&2"]) == "hello\nagain\n"
        )
        assert not (tmp_path / "greet.log").exists()  # it might hold a secret

    assert with_programs(tmp_path, attempt) == []


def test_a_step_that_fails_tells_its_command_and_last_words(tmp_path: Path) -> None:
    async def attempt(programs: Programs) -> None:
        with pytest.raises(DemoError, match=r"(?s)`sh -c echo broken; exit 3` failed \(3\):\n +broken"):
            await programs.finish("step", ["/bin/sh", "-c", "echo broken; exit 3"])

    with_programs(tmp_path, attempt)


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    children = []

    async def attempt(programs: Programs) -> None:
        program = await programs.start("parent", ["sh", "-c", WITH_CHILD])
        children.append(int(first_line(program.log)))
        assert is_alive(children[0])
        os.kill(program.group, signal.SIGKILL)
        assert await programs.ended.get() == (program, -9)
        assert not is_alive(children[0])

    assert with_programs(tmp_path, attempt) == []


def test_who_does_not_stop_is_killed_and_named(tmp_path: Path) -> None:
    groups = []

    async def attempt(programs: Programs) -> None:
        for name, script in (("meek", "echo ready; sleep 600"), ("stubborn", STUBBORN)):
            program = await programs.start(name, ["sh", "-c", script])
            first_line(program.log)
            groups.append(program.group)

    assert with_programs(tmp_path, attempt) == ["stubborn"]
    assert [group for group in groups if is_alive(group)] == []


def test_the_leash_ends_what_was_told_and_not_what_had_ended(tmp_path: Path) -> None:
    scripts = ("sleep 600", STUBBORN, "sleep 600")
    sleepers = [
        subprocess.Popen(["sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE)
        for script in scripts
    ]
    stubborn = sleepers[1].stdout
    assert stubborn is not None
    assert stubborn.readline() == b"ready\n"
    told = "".join(f"{sleeper.pid}\n" for sleeper in sleepers) + f"-{sleepers[2].pid}\n"
    code = f"import runpy, sys; m = runpy.run_path({leash.__file__!r}); m['end'].__globals__['PATIENCE_SECONDS'] = 0.3; m['main']()"
    subprocess.run([sys.executable, "-c", code], input=told, text=True, check=True, timeout=30)
    assert sleepers[0].wait(timeout=10) == -signal.SIGTERM
    assert sleepers[1].wait(timeout=10) == -signal.SIGKILL
    assert sleepers[2].poll() is None
    os.killpg(sleepers[2].pid, signal.SIGKILL)
    for sleeper in sleepers:
        sleeper.communicate()


def test_stopping_is_bounded(tmp_path: Path) -> None:
    async def attempt(programs: Programs) -> None:
        for number in range(3):
            first_line((await programs.start(f"stubborn-{number}", ["sh", "-c", STUBBORN])).log)

    began = time.monotonic()
    assert with_programs(tmp_path, attempt) == ["stubborn-2", "stubborn-1", "stubborn-0"]
    assert time.monotonic() - began < 30  # a hang, not a figure, is what this would catch
