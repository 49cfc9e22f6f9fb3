"""What the agent costs while nothing starts, and while five processes start each second; among 500 processes.

Against it, in the same run: a loop that reads name, executable and command line of every process with psutil each second, as a
simple monitor does. CPU time is what the kernel counted for the process, as a share of one core.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.figures import Line, at_most, spread
from bench.processes import processor_seconds
from tests.e2e.stage import Stage, policy_text, staged

PROCESSES = 500
WINDOWS, WINDOW_SECONDS = 5, 10
CASES = (
    (0, "agent CPU, 500 processes, nothing starting", 0.1, 0.03),
    (5, "agent CPU, 5 starts a second", 0.4, 0.15),
)
NAIVE = """
import psutil, time
while True:
    for process in psutil.process_iter(["name", "exe", "cmdline"]):
        process.info
    time.sleep(1)
"""
CROWD = """
import os, signal, sys
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        signal.pause()
print("ready", flush=True)
signal.pause()
"""


def lines() -> list[Line]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text())
        stage.environment["DECORUM_SERVER_CHECK_IN_SECONDS"] = "300"
        stage.start_server()
        stage.settings.write_text(stage.settings.read_text().replace("poll_milliseconds = 500\n", ""))
        stage.enrol()
        stage.start_agent()
        stage.start("crowd", sys.executable, "-c", CROWD, str(max(0, PROCESSES - len(psutil.pids()))))
        time.sleep(12)  # every young process has been looked at for the last time
        found = []
        for starts, what, budget, stretch in CASES:
            newest = _newest_pid()
            began = time.monotonic()
            agent, naive = _measure(stage, starts)
            started = (_newest_pid() - newest) / (time.monotonic() - began)
            middle = statistics.median(agent)
            found.append(
                Line(
                    what=what,
                    budget=f"<= {budget} %",
                    stretch=f"{stretch} %",
                    measured=spread(agent, "%", 3),
                    compared=f"re-reading all with psutil each second {statistics.median(naive):.2f} %; "
                    f"{started:.1f} processes and threads started a second, everybody's",
                    met=at_most(middle, budget, stretch),
                )
            )
        return found


def _measure(stage: Stage, starts_a_second: int) -> tuple[list[float], list[float]]:
    """Return the per cents of a core that the agent and the naive loop used, window by window."""
    pids = (stage.pid_of("agent"), stage.start("naive", sys.executable, "-c", NAIVE).pid)
    time.sleep(2)
    shares: tuple[list[float], list[float]] = ([], [])
    for _ in range(WINDOWS):
        before = [processor_seconds(pid) for pid in pids]
        began = time.monotonic()
        while (now := time.monotonic()) - began < WINDOW_SECONDS:
            for _ in range(starts_a_second):
                subprocess.run(["/bin/sleep", "0.01"], check=True)
            time.sleep(max(0.0, 1 - (time.monotonic() - now)))
        elapsed = time.monotonic() - began
        for share, pid, seconds in zip(shares, pids, before, strict=True):
            share.append((processor_seconds(pid) - seconds) / elapsed * 100)
    stage.end("naive")
    return shares


def _newest_pid() -> int:
    """Return the newest pid: others on this machine start processes, too, and the agent looks at each."""
    return int(Path("/proc/loadavg").read_text(encoding="ascii").split()[-1])
