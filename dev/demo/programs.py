"""Starts and stops programs, each with a process group and a log of its own. Whatever happens, none is left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.demo import leash
from dev.demo.errors import DemoError

TIMES_ASKED = 8
"""How often a program is asked to stop, once a second, before it is killed."""
LOG_LINES_SHOWN = 15


class Program:
    """A running program; `log` holds what it writes."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def group(self) -> int:
        """The process group that it leads."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for its end; return its exit code, or minus the signal that ended it."""
        return await self._process.wait()

    async def stop(self) -> bool:
        """Ask the program and whatever it started to end; kill what does not. Tell whether it ended when asked."""
        gone = asyncio.create_task(self._until_gone())
        for _ in range(TIMES_ASKED):
            leash.send(self.group, signal.SIGTERM)
            if (await asyncio.wait({gone}, timeout=leash.ASK_AGAIN_SECONDS))[0]:
                return True
        self.kill()
        await gone
        return False

    async def _until_gone(self) -> None:
        await self._process.wait()
        while leash.lives(self.group):  # noqa: ASYNC110 - no event tells of a grandchild's end
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        """End the program and whatever it started, at once."""
        leash.send(self.group, signal.SIGKILL)

    def last_words(self) -> str:
        """Return the end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LOG_LINES_SHOWN:])


class Programs:
    """Owns every program that runs, and the leash that ends them if this process cannot.

    Args:
        logs: the folder of their logs.
        environment: what they are given.
        lock: a descriptor that the leash keeps open until nothing runs any more.
    """

    def __init__(self, logs: Path, environment: Mapping[str, str], lock: int) -> None:
        self._logs = logs
        self._environment = dict(environment)
        reading, self._pipe = os.pipe()
        self._leash = subprocess.Popen(
            [sys.executable, "-I", "-S", leash.__file__],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[lock],
            start_new_session=True,
        )
        os.close(reading)
        self._running: list[Program] = []
        self._watchers: set[asyncio.Task[None]] = set()
        self.ended: asyncio.Queue[tuple[Program, int]] = asyncio.Queue()
        """Programs that ended of themselves, each with its exit code, or minus the signal that ended it."""

    async def start(self, name: str, command: Sequence[str]) -> Program:
        """Start a program that is meant to last."""
        program = await self._begin(name, command)
        self._watchers.add(asyncio.create_task(self._watch(program)))
        return program

    async def finish(self, name: str, command: Sequence[str]) -> str:
        """Run a command to its end; return what it wrote.

        Raises:
            DemoError: it failed.
        """
        program = await self._begin(name, command)
        code = await program.wait()
        self._forget(program)
        if code != 0:
            raise DemoError(f"`{_spelled(command)}` failed ({code}):\n{program.last_words()}")
        written = program.log.read_text(encoding="utf-8", errors="replace")
        program.log.unlink()  # it may hold a secret or a login
        return written

    async def stop(self) -> list[str]:
        """Stop everything, the latest first; return the names of those that had to be killed."""
        for watcher in self._watchers:
            watcher.cancel()
        refused = []
        while self._running:
            program = self._running[-1]
            if not await program.stop():
                refused.append(program.name)
            self._forget(program)
        os.close(self._pipe)
        self._leash.wait()
        return refused

    def kill(self) -> None:
        """End everything at once, without asking."""
        for program in self._running:
            program.kill()

    async def _begin(self, name: str, command: Sequence[str]) -> Program:
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *leash.LEASHED,
                *command,
                stdin=self._pipe,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,
            )
        program = Program(name, process, log)
        self._running.append(program)
        return program

    async def _watch(self, program: Program) -> None:
        code = await program.wait()
        await program.stop()  # what it started may have outlived it
        self._forget(program)
        self.ended.put_nowait((program, code))

    def _forget(self, program: Program) -> None:
        self._running.remove(program)
        os.write(self._pipe, f"-{program.group}\n".encode())


def _spelled(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:]])
