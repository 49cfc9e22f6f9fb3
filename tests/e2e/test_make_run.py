"""`make run`: it comes up, it can be used, and however it ends, nothing of it goes on."""

import os
import pty
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.xdist_group("make-run")]

RUN = (sys.executable, "-m", "dev.run")
GONE_SECONDS = 15.0


class Demo:
    """A running `make run`, without make: that belongs to whoever has the checkout open."""

    def __init__(
        self, checkout: Path, folder: Path, command: Sequence[str] = RUN, stdin: int = subprocess.DEVNULL
    ) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            command,
            cwd=checkout,
            env=os.environ | {"DECORUM_RUN_FOLDER": str(folder)},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.told = ""

    def read_until(self, words: str) -> str:
        """Read what it tells until some words come; return all that it told so far."""
        assert self.process.stdout is not None
        while words not in self.told:
            line = self.process.stdout.readline()
            assert line, f"it ended before it said {words!r}:\n{self.told}"
            self.told += line
        return self.told

    def until_ready(self) -> str:
        """Read up to the prompt."""
        return self.read_until("Ctrl-C stops everything")

    def press_ctrl_c(self) -> None:
        """Do what a terminal does: interrupt the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Wait for its end; return the exit code and all that it told."""
        assert self.process.stdout is not None
        self.told += self.process.stdout.read()
        return self.process.wait(timeout=30), self.told

    def living(self) -> dict[int, str]:
        """Return every process that belongs to this demo, whoever its parent is by now."""
        found = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                environment = process.environ()
                places = (environment.get("DECORUM_RUN_FOLDER"), environment.get("DECORUM_SERVER_STATE", ""))
                if str(self.folder) in places or places[1].startswith(f"{self.folder}/"):
                    found[process.pid] = " ".join(process.cmdline())
        return found

    def left_after(self, seconds: float) -> dict[int, str]:
        """Return what still runs after some seconds at most."""
        deadline = time.monotonic() + seconds
        while (living := self.living()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return living


@contextmanager
def started(
    checkout: Path, folder: Path, command: Sequence[str] = RUN, stdin: int = subprocess.DEVNULL
) -> Iterator[Demo]:
    demo = Demo(checkout, folder, command, stdin)
    try:
        yield demo
    finally:
        with suppress(ProcessLookupError):
            demo.process.kill()
        demo.process.wait()
        assert demo.process.stdout is not None
        demo.process.stdout.close()
        assert demo.left_after(GONE_SECONDS) == {}


@pytest.fixture(scope="module")
def folder(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a first start was made, tried and ended with Ctrl-C."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    with started(checkout, folder) as demo:
        try_out(demo, checkout)
        assert len(demo.living()) >= 4  # itself, the leash, the server, the agent
        demo.press_ctrl_c()
        code, told = demo.end()
        assert code == 0, told
        assert "Everything is stopped" in told
        assert "was killed" not in told
        assert demo.living() == {}
    return folder


def try_out(demo: Demo, checkout: Path) -> None:
    told = demo.until_ready()
    assert f"State is kept in {demo.folder}" in told
    assert "No display: running without the tray" in told
    console = found(r"Console +(\S+)", told)
    link = found(r"Sign in +(\S+)", told)
    assert link.startswith(console)
    with urlopen(link, timeout=10) as answer:
        assert answer.status == 200
    status = shlex.split(found(r"Try +(.+)", told))
    answered = subprocess.run(
        [*status, "--json"], cwd=checkout, capture_output=True, text=True, timeout=30, check=False
    )
    assert answered.returncode in {0, 10, 20}, answered.stderr
    assert '"enrolled": true' in answered.stdout or '"enrolled":true' in answered.stdout


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, text
    return match[1]


def test_a_second_start_finds_everything_where_it_was(folder: Path, checkout: Path) -> None:
    with started(checkout, folder) as demo:
        told = demo.until_ready()
        assert "first start" not in told
        print(found(r"(Ready after .*)", told))
        again = subprocess.run(
            RUN,
            cwd=checkout,
            env=os.environ | {"DECORUM_RUN_FOLDER": str(folder)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert again.returncode == 1
        assert f"running already (process {demo.process.pid})" in again.stdout
        assert clean(checkout, folder).returncode == 1
        assert folder.exists()
        demo.process.send_signal(signal.SIGHUP)
        assert demo.end()[0] == 0


def test_nothing_outlives_a_demo_that_is_killed(folder: Path, checkout: Path) -> None:
    with started(checkout, folder) as demo:
        demo.until_ready()
        demo.process.kill()
        demo.process.wait()
        assert demo.left_after(GONE_SECONDS) == {}


def test_it_ends_with_whoever_started_it(folder: Path, checkout: Path) -> None:
    """As when make is killed, which cannot pass that on."""
    with started(checkout, folder, ["sh", "-c", '"$@" & wait', "sh", *RUN]) as demo:
        demo.until_ready()
        demo.process.kill()
        assert "Everything is stopped" in demo.end()[1]


def test_it_ends_with_its_terminal(folder: Path, checkout: Path) -> None:
    """As when a window is closed or a connection breaks while make is the terminal's first process."""
    terminal, inside = pty.openpty()
    with started(checkout, folder, stdin=inside) as demo:
        os.close(inside)
        demo.until_ready()
        os.close(terminal)
        assert demo.end()[0] == 0


@pytest.mark.parametrize("program", ["server", "agent"])
def test_one_that_dies_takes_the_others_along_and_is_named(
    folder: Path, checkout: Path, program: str
) -> None:
    with started(checkout, folder) as demo:
        demo.until_ready()
        words = {"server": "decorum-server run", "agent": "/decorum run"}[program]
        victim = min(pid for pid, command in demo.living().items() if words in command)
        os.kill(victim, signal.SIGKILL)
        code, told = demo.end()
        assert code == 1
        assert f"The {program} ended (-9)" in told
        assert str(folder / f"logs/{program}.log") in told
        assert demo.living() == {}


def test_a_port_taken_by_somebody_else_is_said(folder: Path, checkout: Path) -> None:
    with started(checkout, folder) as demo:
        port = found(r"Console +http://127\.0\.0\.1:(\d+)", demo.until_ready())
        demo.press_ctrl_c()
        demo.end()
    code = f"import http.server; http.server.test(port={port}, bind='127.0.0.1')"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as other:
        try:
            assert other.stdout is not None
            assert "Serving" in other.stdout.readline()
            with started(checkout, folder) as demo:
                code_after, told = demo.end()
        finally:
            other.kill()
    assert code_after == 1
    assert f"Port {port}" in told
    assert f"(process {other.pid})" in told


def test_a_first_start_that_is_interrupted_leaves_nothing_in_the_way(checkout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with started(checkout, folder) as demo:
        demo.read_until("first start")
        database = folder / "server/server.sqlite3"
        while not database.exists():
            time.sleep(0.01)
        demo.press_ctrl_c()
        assert demo.end()[0] == 0
    with started(checkout, folder) as demo:
        assert "first start" in demo.until_ready()
        demo.process.terminate()
        assert demo.end()[0] == 0
    assert clean(checkout, folder).returncode == 0
    assert not folder.exists()


def test_a_folder_of_somebody_elses_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert clean(checkout, tmp_path).returncode == 1
    with started(checkout, tmp_path) as demo:
        assert demo.end()[0] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def clean(checkout: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*RUN, "--clean"],
        cwd=checkout,
        env=os.environ | {"DECORUM_RUN_FOLDER": str(folder)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_it_offers_simulated_devices_that_go_on_another_day(checkout: Path, tmp_path: Path) -> None:
    """The console is filled with the last two weeks, said so, and the same devices come back at the next start."""
    command = (*RUN, "--demo", "4")
    for _ in range(2):
        with started(checkout, tmp_path / "run", command) as demo:
            told = demo.until_ready()
            assert "4 simulated ones" in told
            demo.press_ctrl_c()
            code, told = demo.end()
            assert (code, "was killed" in told) == (0, False), told
    file = tmp_path / "run" / "server" / "server.sqlite3"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        (devices,) = database.execute("SELECT count(*) FROM fleet_device").fetchone()
        (days,) = database.execute("SELECT count(DISTINCT day) FROM fleet_sighting").fetchone()
    assert devices == 5
    assert days >= 5
