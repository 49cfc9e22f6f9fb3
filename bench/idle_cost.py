"""What the agent costs while nothing starts, and while five processes start each second; among 500 processes.

Against it, in the same run: a loop that reads name, executable and command line of every process with psutil each second, as a
simple monitor does. CPU time is what the kernel counted for the process, as a share of one core.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.e2e.stage import Stage, policy_text, staged

PROCESSES = 500
SECONDS = 40
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


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text())
        stage.environment["DECORUM_SERVER_CHECK_IN_SECONDS"] = "300"
        stage.start_server()
        stage.settings.write_text(stage.settings.read_text().replace("poll_milliseconds = 500\n", ""))
        stage.enrol()
        stage.start_agent()
        crowd = stage.start("crowd", sys.executable, "-c", CROWD, str(PROCESSES - len(psutil.pids())))
        time.sleep(12)  # every young process has been looked at for the last time
        print(f"{len(psutil.pids())} processes")
        agent, naive = _measure(stage, starts_a_second=0)
        print(
            f"nothing starts:        agent {agent:.3%} of a core, naive loop {naive:.2%} (ratio {agent / naive:.3f})"
        )
        agent, naive = _measure(stage, starts_a_second=5)
        print(
            f"five starts a second:  agent {agent:.3%} of a core, naive loop {naive:.2%} (ratio {agent / naive:.3f})"
        )
        assert crowd.poll() is None


def _measure(stage: Stage, starts_a_second: int) -> tuple[float, float]:
    """Return the shares of a core that the agent and the naive loop used."""
    agent = psutil.Process(stage.pid_of("agent"))
    naive_process = stage.start("naive", sys.executable, "-c", NAIVE)
    naive = psutil.Process(naive_process.pid)
    time.sleep(2)
    before = (_seconds(agent), _seconds(naive))
    began = time.monotonic()
    while (now := time.monotonic()) - began < SECONDS:
        for _ in range(starts_a_second):
            subprocess.run(["/bin/sleep", "0.01"], check=True)
        time.sleep(max(0.0, 1 - (time.monotonic() - now)))
    elapsed = time.monotonic() - began
    shares = ((_seconds(agent) - before[0]) / elapsed, (_seconds(naive) - before[1]) / elapsed)
    stage.end("naive")
    return shares


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
