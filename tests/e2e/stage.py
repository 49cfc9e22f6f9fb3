"""Real processes for end-to-end tests: a server, an agent, a screen, messengers; everything in one folder, ended by pid."""

import contextlib
import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
SETTINGS = """
ownership = "company"
notice = "given"
key_store = "file"
check_in_seconds = 5
poll_milliseconds = 500
[ceiling.company]
work = "exact"
personal = "exact"
unknown = "exact"
"""
ALWAYS_OFFICE_HOURS = """
id = "messaging"
company = "Acme"
model = "restrict"
version = {version}
title = {{ en = "Messaging policy" }}
use_instead = ["microsoft-teams"]
defaults.work = {{ stance = "approved" }}
defaults.personal = {{ stance = "approved" }}
contacts = {{ questions = "IT desk", concerns = "HR", approvals = "Compliance" }}
reminders = {{ conduct = {{ en = "Be kind." }}, a_day_at_most = 20, again_after_minutes = 15 }}
office_hours.work = [
  {{ days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], start = "00:00", end = "00:00" }},
]
channels = [
  {{ id = "{messenger}-at-work", messenger = "{messenger}", profile = "work", stance = "{stance}", rung = "remind" }},
]
"""


def policy_text(messenger: str = "pidgin", stance: str = "approved", version: int = 1) -> str:
    """Return a policy that has a rule for one messenger and office hours round the clock."""
    return ALWAYS_OFFICE_HOURS.format(messenger=messenger, stance=stance, version=version)


def wait_for(question: Callable[[], T | None], what: str, seconds: float = 20.0) -> T:
    """Return the first answer that is not None or False, asking again and again.

    Raises:
        AssertionError: none came in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def free_port() -> int:
    """Return a port of the loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stage:
    """Owns the processes that it started and ends them, in the order opposite to their start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket = folder / "agent.sock"
        self.settings = folder / "settings.toml"
        self.settings.write_text(SETTINGS)
        self.environment = {
            **os.environ,
            "DECORUM_SERVER_STATE": str(folder / "server"),
            "DECORUM_SERVER_URL": self.url,
            "DECORUM_SERVER_CHECK_IN_SECONDS": "5",
            "DECORUM_SOCKET": str(self.socket),
        }
        self.within: tuple[str, ...] = ()
        """A command that `decorum` is run by, such as one that gives it another host name."""
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, environment: Mapping[str, str] = {}) -> subprocess.Popen[bytes]:
        """Start a process whose output goes to a log in the folder."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.environment, **environment},
                start_new_session=True,
            )
        self._running[name] = process
        return process

    def pid_of(self, name: str) -> int:
        """Return the pid of a running process."""
        return self._running[name].pid

    def end(self, name: str, number: int = signal.SIGTERM) -> int:
        """End a process of ours with everything it started; return its exit code."""
        process = self._running.pop(name)
        if process.poll() is None:
            process.send_signal(number)
        try:
            code = process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return code

    def end_all(self) -> None:
        """End everything."""
        for name in reversed(tuple(self._running)):
            self.end(name)

    def log(self, name: str) -> str:
        """Return what a process has printed."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def run(self, module: str, *arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program of ours to its end."""
        within = self.within if module == "agent.cli" else ()
        return subprocess.run(
            [*within, sys.executable, "-m", module, *arguments],
            input=feed,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=60,
            check=False,
        )

    def server(self, *arguments: str, feed: str = "") -> str:
        """Run `decorum-server` and return what it printed."""
        done = self.run("server.cli", *arguments, feed=feed)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def start_server(self) -> None:
        """Start the server and wait until it answers."""
        self.start("server", sys.executable, "-m", "server.cli", "run", "--address", f"127.0.0.1:{self.port}")
        wait_for(self._answers, "the server's first answer", 30)

    def begin(self, policy: str) -> None:
        """Start a server that has published a policy, and an agent that is enrolled with it."""
        self.server("migrate")
        self.publish(policy)
        self.start_server()
        self.enrol()
        self.start_agent()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def publish(self, text: str) -> None:
        """Publish a policy."""
        file = self.folder / "policy.toml"
        file.write_text(text)
        self.server("policy", "apply", str(file))

    def enrol(self, url: str | None = None) -> None:
        """Enrol this device."""
        secret = self.server("enrol-secret").split()
        word = next(word for word in secret if "." in word and "/" not in word and len(word) > 20)
        done = self.decorum("enrol", *self.places(), "--server", url or self.url, "--secret", "-", feed=word)
        assert done.returncode == 0, done.stderr

    def places(self) -> tuple[str, ...]:
        """Return the options that say where the agent's state and settings are."""
        return ("--state", str(self.folder / "agent"), "--settings", str(self.settings))

    def decorum(self, *arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
        """Run `decorum`."""
        return self.run("agent.cli", *arguments, feed=feed)

    def start_agent(self, *more: str) -> None:
        """Start the agent and wait until it answers."""
        places = (*self.places(), *more)
        run = (sys.executable, "-m", "agent.cli", "run", *places, "--socket", str(self.socket))
        self.start("agent", *self.within, *run)
        wait_for(lambda: self.decorum("status").returncode != 31, "the agent's first answer")

    def start_screen(self) -> None:
        """Start a screen, with a home folder of its own, for everything that is started from now on."""
        home = self.folder / "home"
        home.mkdir()
        with tempfile.TemporaryFile() as told:
            command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1024x700x24", "-nolisten", "tcp"]
            self._running["screen"] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            number = wait_for(lambda: os.pread(told.fileno(), 16, 0).strip(), "the screen's number")
        self.environment |= {
            "DISPLAY": f":{number.decode()}",
            "HOME": str(home),
            "QT_QPA_PLATFORM": "xcb",
            # No session bus: a messenger would start one, and more with it, that nobody ends.
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home}/no-bus",
            "NO_AT_BRIDGE": "1",
        }

    def status(self) -> dict[str, Any]:
        """Return what `decorum status --json` prints."""
        printed: dict[str, Any] = json.loads(self.decorum("status", "--json").stdout)
        return printed

    def seen(self, messenger: str) -> dict[str, Any] | None:
        """Return the messenger's row in the status; an agent that starts over tells of none."""
        rows = self.status().get("messengers", ())
        return next((row for row in rows if row["messenger"] == messenger), None)

    def ask(self, method: str, **params: object) -> None:
        """Ask the agent one question over its socket."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            line = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            connection.sendall(json.dumps(line).encode() + b"\n")
            assert "error" not in json.loads(connection.makefile().readline())

    def console(self) -> Callable[..., str]:
        """Sign in to the console by a one-time link; return what reads one of its pages."""
        link = next(word for word in self.server("login-link", "admin").split() if word.startswith("http"))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )

        def read(address: str, form: dict[str, str] | None = None) -> str:
            data = urllib.parse.urlencode(form).encode() if form is not None else None
            with opener.open(urllib.parse.urljoin(self.url, address), data, timeout=20) as answer:
                text: str = answer.read().decode()
                return text

        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', read(link))
        assert token is not None, "the link's page has a button to sign in with"
        read(link, {"csrfmiddlewaretoken": token[1]})
        return read


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Give a stage and clear it afterwards."""
    stage = Stage(folder)
    try:
        yield stage
    finally:
        stage.end_all()
