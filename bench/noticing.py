"""What it costs to notice starts, and how soon a verdict is there: by events, by looking, and by a simple monitor; in one run.

Two agents and the monitor run side by side, so that they share whatever else the machine does: one agent is told by the kernel, the
other is made to look again and again. The monitor reads name, executable and command line of every process with psutil each second.
"""

import contextlib
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.figures import Line, Met, at_most, spread
from bench.idle_cost import CROWD
from bench.processes import processor_seconds
from tests.e2e.stage import Stage, policy_text, staged, wait_for

SIZES, RATES = (100, 1000, 3000), (5, 50)
WINDOWS, WINDOW_SECONDS, STARTS = 3, 6, 10
LOOKING = """
import sys
import agent.sensing.this_system as this_system
from agent.sensing.noticing import Offer
offered = this_system.events_offered
this_system.events_offered = lambda: Offer(None, offered().child, "This agent is made to look.")
from agent.cli import main
sys.exit(main())
"""
MONITOR = """
import psutil, time
while True:
    for process in psutil.process_iter(["name", "exe", "cmdline"]):
        if process.info["name"] == "finch":
            print(process.pid, time.monotonic(), flush=True)
    time.sleep(1)
"""
COUNTER = """
import asyncio
from agent.sensing.linux_events import LinuxEvents
async def count():
    events, total = LinuxEvents(), 0
    events.open(lambda: None)
    events.follow(frozenset())
    while True:
        await asyncio.sleep(0.1)
        while happened := events.take().happened:
            total += len(happened)
        print(total, flush=True)
asyncio.run(count())
"""
STARTER = """
import subprocess, sys, time
pause = 1 / int(sys.argv[1])
due = time.monotonic()
while True:
    subprocess.run(["/bin/sleep", "0.005"], check=True)
    due += pause
    time.sleep(max(0.0, due - time.monotonic()))
"""


def lines() -> list[Line]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as told:
        told.server("migrate")
        told.publish(policy_text("finch", "banned"))
        told.environment["DECORUM_SERVER_CHECK_IN_SECONDS"] = "300"
        told.start_server()
        with _looking(told) as looking:
            for stage in (told, looking):
                stage.settings.write_text(stage.settings.read_text().replace("poll_milliseconds = 500\n", ""))
                stage.enrol()
            told.start_agent()
            looking.start(
                "agent",
                sys.executable,
                "-c",
                LOOKING,
                "run",
                *looking.places(),
                "--socket",
                str(looking.socket),
            )
            told.start("monitor", sys.executable, "-c", MONITOR)
            told.start("counter", sys.executable, "-c", COUNTER)
            wait_for(lambda: told.log("counter").endswith("\n"), "the counter")
            wait_for(lambda: _by(told) == "events", "events, without which this compares nothing")
            wait_for(lambda: _by(looking) == "polling", "the other agent's first answer")
            return [line for size in SIZES for line in _at(told, looking, size)]


@contextlib.contextmanager
def _looking(told: Stage) -> Iterator[Stage]:
    """Give a second agent's stage, with the first one's server."""
    folder = told.folder / "looking"
    folder.mkdir()
    with staged(folder) as stage:
        stage.url = told.url
        stage.environment = {**told.environment, "DECORUM_SOCKET": str(stage.socket)}
        yield stage


def _by(stage: Stage) -> str | None:
    printed = stage.decorum("status", "--json").stdout
    told = json.loads(printed) if printed.startswith("{") else {}
    return told["noticing"]["by"] if "noticing" in told else None


def _at(told: Stage, looking: Stage, size: int) -> list[Line]:
    crowd = told.start("crowd", sys.executable, "-c", CROWD, str(max(0, size - len(psutil.pids()))))
    wait_for(lambda: len(psutil.Process(crowd.pid).children()) + 50 > size - len(psutil.pids()), "the crowd")
    time.sleep(12)  # every young process has been looked at for the last time
    found = []
    for rate in RATES:
        told.start("starter", sys.executable, "-c", STARTER, str(rate))
        time.sleep(1)
        found += [_cost(told, looking, size, rate), _latency(told, looking, size, rate)]
        told.end("starter")
    told.end("crowd")
    return found


def _cost(told: Stage, looking: Stage, size: int, rate: int) -> Line:
    pids = (told.pid_of("agent"), looking.pid_of("agent"), told.pid_of("monitor"))
    shares: list[list[float]] = [[], [], []]
    counted, counting = _counted(told), time.monotonic()
    for _ in range(WINDOWS):
        before, began = [processor_seconds(pid) for pid in pids], time.monotonic()
        time.sleep(WINDOW_SECONDS)
        elapsed = time.monotonic() - began
        for share, pid, seconds in zip(shares, pids, before, strict=True):
            share.append((processor_seconds(pid) - seconds) / elapsed * 100)
    by_events, by_looking, naive = shares
    everybodys = (_counted(told) - counted) / (time.monotonic() - counting)
    has_budget = rate == 5
    met: Met = at_most(statistics.median(by_events), 0.4, 0.15) if has_budget else ""
    return Line(
        what=f"noticing by events, {size:,} processes, {rate} starts a second",
        budget="<= 0.4 %" if has_budget else "",
        stretch="0.15 %" if has_budget else "",
        measured=spread(by_events, "%", 2),
        compared=f"by looking {statistics.median(by_looking):.2f} %, "
        f"re-reading all with psutil each second {statistics.median(naive):.1f} %; "
        f"{everybodys:.0f} programs executed a second, everybody's",
        met=met,
    )


def _latency(told: Stage, looking: Stage, size: int, rate: int) -> Line:
    program = told.folder / "finch"
    if not program.exists():
        shutil.copy("/bin/sleep", program)
    told_at, looked_at, began_at = _Verdicts(told), _Verdicts(looking), {}
    for number in range(STARTS):
        time.sleep(0.3 + number * 0.037)  # no phase of anybody's rhythm is preferred
        began = time.monotonic()
        process = subprocess.Popen([str(program), "600"])
        began_at[process.pid] = began
        for verdicts in (told_at, looked_at):
            wait_for(lambda found=verdicts, pid=process.pid: pid in found.at, "the verdict")  # type: ignore[misc]
        wait_for(lambda pid=process.pid: pid in _monitored(told), "the monitor")  # type: ignore[misc]
        process.kill()
        process.wait()
        for verdicts in (told_at, looked_at):
            wait_for(lambda found=verdicts: found.are_none, "the end")  # type: ignore[misc]
    for verdicts in (told_at, looked_at):
        verdicts.close()
    monitored = _monitored(told)
    by_events, by_looking, naive = (
        [(at[pid] - began) * 1000 for pid, began in began_at.items()]
        for at in (told_at.at, looked_at.at, monitored)
    )
    return Line(
        what=f"start -> verdict by events, {size:,} processes, {rate} starts a second",
        budget="<= 50 ms",
        stretch="5 ms",
        measured=spread(by_events, "ms", 1),
        compared=f"by looking {statistics.median(by_looking):.0f} ms, "
        f"re-reading all with psutil each second {statistics.median(naive):.0f} ms to be seen at all",
        met=at_most(statistics.median(by_events), 50, 5),
    )


class _Verdicts:
    """When a subscriber was told of each pid's verdict; others may run other messengers on this machine."""

    def __init__(self, stage: Stage) -> None:
        self.at: dict[int, float] = {}
        self.are_none = True
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(stage.socket))
        self._socket.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{}}\n')
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        for line in self._socket.makefile("rb"):
            now = time.monotonic()
            told = json.loads(line)
            if told.get("method") != "snapshot":
                continue
            rows = [row for row in told["params"]["messengers"] if row["messenger"] == "finch"]
            for row in rows:
                if row["verdict"] == "violation":
                    self.at.setdefault(row["pid"], now)
            self.are_none = not rows

    def close(self) -> None:
        """Listen no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


def _counted(told: Stage) -> int:
    """Return how many processes have executed a program so far, whoever started them."""
    lines = [line for line in told.log("counter").splitlines(keepends=True) if line.endswith("\n")]
    return int(lines[-1])


def _monitored(told: Stage) -> dict[int, float]:
    """Return when the monitor first saw each pid."""
    seen: dict[int, float] = {}
    for line in told.log("monitor").splitlines(keepends=True):
        if line.endswith("\n"):
            pid, at = line.split()
            seen.setdefault(int(pid), float(at))
    return seen
