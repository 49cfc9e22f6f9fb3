"""Memory (proportional set size) of the agent in steady work, and of the tray; and how long a click on the tray takes."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Line, at_most, spread
from bench.processes import pss_megabytes
from tests.e2e.stage import Stage, policy_text, staged, wait_for

TRAYS, STEADY_SECONDS, TRAY_SECONDS = 3, 20, 5
IMPORTED = "psutil, watchdog, keyring, msgspec, urllib3, cryptography, sqlite3, asyncio"
WINDOW = ("search", "--onlyvisible", "--name", "^Decorum")
BARE_TRAY = """
import sys, time
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QStyle
app = QApplication(sys.argv)
icon = QSystemTrayIcon(app.style().standardIcon(QStyle.StandardPixmap.SP_ComputerIcon))
icon.show()
app.exec()
"""


def lines() -> list[Line]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        stage.server("migrate")
        stage.publish(policy_text())
        stage.start_server()
        stage.enrol()
        stage.start_agent()
        wait_for(lambda: stage.status()["policy_serial"] == 1, "the policy")
        stage.start_screen()
        stage.start("panel", "trayer", "--edge", "bottom", "--align", "left", "--widthtype", "request")
        time.sleep(1)
        command = [sys.executable, "-m", "ui.app", "--socket", str(stage.socket)]
        never = [_tray(stage, *command) for _ in range(TRAYS)]
        opened = [_tray(stage, *command, "--show", "status") for _ in range(TRAYS)]
        bare = _tray(stage, sys.executable, "-c", BARE_TRAY)
        clicks = [_click(stage, *command) for _ in range(TRAYS)]
        time.sleep(STEADY_SECONDS)
        agent = []
        for _ in range(5):
            agent.append(pss_megabytes(stage.pid_of("agent")))
            time.sleep(1)
    imports = _importing()
    return [
        Line(
            what="agent memory (PSS), steady, in a venv",
            budget="<= 44 MB",
            stretch="34 MB",
            measured=spread(agent, "MB", 1),
            compared=f"importing its libraries {imports:.0f} MB",
            met=at_most(statistics.median(agent), 44, 34),
        ),
        Line(
            what="tray memory (PSS), window never opened",
            budget="<= 75 MB",
            stretch="60 MB",
            measured=spread(never, "MB", 1),
            compared=f"bare PySide6 tray {bare:.0f} MB",
            met=at_most(statistics.median(never), 75, 60),
        ),
        Line(
            what="tray memory (PSS), window opened",
            budget="<= 110 MB",
            stretch="85 MB",
            measured=spread(opened, "MB", 1),
            compared=f"bare PySide6 tray {bare:.0f} MB",
            met=at_most(statistics.median(opened), 110, 85),
        ),
        Line(
            what="tray click -> window, the first time",
            budget="<= 300 ms",
            stretch="100 ms",
            measured=spread(clicks, "ms"),
            compared="seen by asking the screen, again and again",
            met=at_most(statistics.median(clicks), 300, 100),
        ),
    ]


def _tray(stage: Stage, *command: str) -> float:
    tray = stage.start("tray", *command)
    time.sleep(TRAY_SECONDS)
    megabytes = pss_megabytes(tray.pid)
    stage.end("tray")
    return megabytes


def _click(stage: Stage, *command: str) -> float:
    """Return the milliseconds from a click on a fresh tray's icon until the screen shows its window."""
    stage.start("tray", *command)
    time.sleep(TRAY_SECONDS)
    panel = _screen(stage, "search", "--class", "trayer").stdout.split()[-1]
    words = dict(
        line.split("=", 1)
        for line in _screen(stage, "getwindowgeometry", "--shell", panel).stdout.splitlines()
    )
    x, y = int(words["X"]) + int(words["WIDTH"]) // 2, int(words["Y"]) + int(words["HEIGHT"]) // 2
    _screen(stage, "mousemove", str(x), str(y))
    time.sleep(0.3)
    began = time.monotonic()
    _screen(stage, "click", "1")
    while _screen(stage, *WINDOW).returncode != 0:
        if time.monotonic() - began > 20:
            raise TimeoutError("No window came.")
    milliseconds = (time.monotonic() - began) * 1000
    stage.end("tray")
    return milliseconds


def _screen(stage: Stage, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["xdotool", *words], env=stage.environment, capture_output=True, text=True, check=False, timeout=20
    )


def _importing() -> float:
    code = f"import {IMPORTED}; import bench.processes as p; print(p.pss_megabytes('self'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)
