"""The frozen programs: memory (proportional set size), and how long a start takes, beside the same from the checkout."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Line, at_most, spread
from bench.processes import pss_megabytes
from tests.deb.frozen_stage import DIST, FrozenStage
from tests.e2e.stage import Stage, policy_text, wait_for

STARTS, SAMPLES, STEADY_SECONDS, TRAY_SECONDS = 5, 5, 20, 5
AGENT_BUDGET_MB = 50


def lines() -> list[Line]:
    """Measure; where nothing was frozen, say how to."""
    if not (DIST / "decorum").exists() or not (DIST / "decorum-agent").exists():
        return [
            Line(
                what="frozen programs",
                budget="",
                measured="not measured: there is no dist/, so `make build` first",
                met="",
            )
        ]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "checkout").mkdir()
        (place / "frozen").mkdir()
        compared = statistics.median(_agent(Stage(place / "checkout")))
        frozen = FrozenStage(place / "frozen", DIST / "decorum-agent" / "decorum")
        agent = _agent(frozen)
    tray, bare = _trays()
    starts = [_version(str(DIST / "decorum-agent" / "decorum")) for _ in range(STARTS)]
    plain = statistics.median(_version(sys.executable, "-m", "agent.cli") for _ in range(STARTS))
    return [
        Line(
            what="agent memory (PSS), steady, frozen",
            budget=f"<= {AGENT_BUDGET_MB} MB",
            measured=spread(agent, "MB", 1),
            compared=f"from the checkout {compared:.1f} MB",
            met=at_most(statistics.median(agent), AGENT_BUDGET_MB),
        ),
        Line(
            what="tray memory (PSS), window never opened, frozen",
            budget="none",
            measured=spread(tray, "MB", 1),
            compared=f"from the checkout {bare:.1f} MB",
            met="",
        ),
        Line(
            what="`decorum --version`, frozen",
            budget="none",
            measured=spread(starts, "ms"),
            compared=f"from the checkout {plain:.0f} ms",
            met="",
        ),
    ]


def _agent(stage: Stage) -> list[float]:
    """Return the memory of an enrolled agent in steady work."""
    try:
        stage.server("migrate")
        stage.publish(policy_text())
        stage.start_server()
        stage.enrol()
        stage.start_agent()
        wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy", 60)
        time.sleep(STEADY_SECONDS)
        samples = []
        for _ in range(SAMPLES):
            samples.append(pss_megabytes(stage.pid_of("agent")))
            time.sleep(1)
        return samples
    finally:
        stage.end_all()


def _trays() -> tuple[list[float], float]:
    """Return the memory of the frozen tray, and of the checkout's."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            stage.start_screen()
            stage.start("panel", "trayer", "--edge", "bottom", "--align", "left", "--widthtype", "request")
            time.sleep(1)
            frozen = [_tray(stage, str(DIST / "decorum" / "decorum-tray")) for _ in range(3)]
            return frozen, _tray(stage, sys.executable, "-m", "ui.app")
        finally:
            stage.end_all()


def _tray(stage: Stage, *command: str) -> float:
    tray = stage.start("tray", *command, "--socket", str(stage.socket))
    time.sleep(TRAY_SECONDS)
    megabytes = pss_megabytes(tray.pid)
    stage.end("tray")
    return megabytes


def _version(*command: str) -> float:
    """Return the milliseconds until a program has said its version."""
    began = time.monotonic()
    subprocess.run([*command, "--version"], check=True, stdout=subprocess.DEVNULL)
    return (time.monotonic() - began) * 1000
