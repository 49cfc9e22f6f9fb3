"""`python -m bench.where`: where the agent's time and memory go. What it printed last is told in docs/performance.md."""

import os
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path

from agent.clock import SystemClock
from agent.selflimit import Meter
from agent.sensing.processes import ProcessWatch
from agent.sensing.this_system import process_source
from bench.processes import processor_seconds, pss_by_mapping, pss_megabytes
from tests.e2e.stage import policy_text, staged, wait_for

ROUNDS = 2000
IMPORTS_SHOWN = 14
PARTS = (
    "pass",
    "import msgspec",
    "import asyncio",
    "import psutil",
    "import sqlite3",
    "import joserfc.jws, joserfc.jwk",
    "import urllib3, truststore",
    "import contract.judge, contract.matching",
    "import agent.runtime",
    "import agent.runtime, agent.reporting.transport; from agent.catalogue import load; c = load()",
)


def main() -> None:
    """Measure and print."""
    _looks()
    _imports()
    _running()


def _looks() -> None:
    """Print what the questions of a look cost, in this process."""
    source, clock = process_source(), SystemClock()
    watch = ProcessWatch(source)
    seconds = time.monotonic()
    began = time.perf_counter()
    watch.look(seconds, time.time())
    print(
        f"the first look, at {len(list(source.pids()))} processes: {(time.perf_counter() - began) * 1e3:.1f} ms"
    )
    for later in (1, 3, 10, 11):
        watch.look(seconds + later, time.time())
    quiet = seconds + 12
    own = os.getpid()
    questions: tuple[tuple[str, Callable[[], object]], ...] = (
        ("a look at which nothing is new", lambda: watch.look(quiet, time.time())),
        ("a look that lists all pids (every 10 s, or when something started)", lambda: _listing(watch)),
        ("the newest pid (/proc/loadavg)", source.newest),
        ("all pids", lambda: list(source.pids())),
        ("identity of one process (/proc/PID/stat)", lambda: source.key(own)),
        ("all about one new process", lambda: source.read(source.key(own))),
        ("measuring oneself", Meter(clock)),
    )
    for what, question in questions:
        microseconds = timeit.timeit(question, number=ROUNDS) / ROUNDS * 1e6
        print(f"  {microseconds:7.1f} us  {what}")


def _listing(watch: ProcessWatch) -> None:
    _listing_at.append(_listing_at.pop() + 100.0)
    watch.look(_listing_at[0], time.time())


_listing_at = [time.monotonic() + 1000.0]


def _imports() -> None:
    """Print what loading costs: memory of a fresh interpreter that has loaded a part, and the slowest modules."""
    print("a fresh interpreter that has loaded (private MB, ms of processor):")
    for part in PARTS:
        code = f"{part}\nimport bench.processes as p, time; print(p.private_megabytes('self'), time.process_time())"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        megabytes, seconds = map(float, done.stdout.split())
        print(f"  {megabytes:5.1f} MB {seconds * 1000:5.0f} ms  {part}")
    timed = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import agent.runtime, agent.reporting.transport"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split("|") for line in timed.stderr.splitlines() if line.count("|") == 2][1:]
    rows.sort(key=lambda row: -int(row[1]))
    print("the agent's slowest imports (ms with all they import):")
    for _, microseconds, name in rows[:IMPORTS_SHOWN]:
        print(f"  {int(microseconds) / 1000:6.1f}  {name.strip()}")


def _running() -> None:
    """Print memory by mapping of a real agent in steady work, and what an idle minute of it costs."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text())
        stage.environment["DECORUM_SERVER_CHECK_IN_SECONDS"] = "300"
        stage.start_server()
        stage.settings.write_text(stage.settings.read_text().replace("poll_milliseconds = 500\n", ""))
        stage.enrol()
        stage.start_agent()
        wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy")
        time.sleep(15)
        pid = stage.pid_of("agent")
        before = processor_seconds(pid)
        time.sleep(30)
        print(
            f"the agent, idle: {(processor_seconds(pid) - before) / 30 * 1000:.2f} ms of processor a second"
        )
        print(f"the agent's memory: {pss_megabytes(pid):.1f} MB (PSS)")
        for name, megabytes in list(pss_by_mapping(pid).items())[:12]:
            print(f"  {megabytes:5.1f} MB  {name}")


if __name__ == "__main__":
    main()
