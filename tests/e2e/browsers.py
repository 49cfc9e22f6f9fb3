"""Real browsers for end-to-end tests, driven by what they themselves offer: Chromium by its DevTools' plain HTTP, Firefox by Marionette."""

import contextlib
import json
import signal
import socket
import sys
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from contract.web import FIREFOX_ID, HOST_NAME
from tests.e2e.stage import Stage, free_port, wait_for
from tests.e2e.web_sites import WebSites


class Browser(Protocol):
    """A running browser."""

    name: str

    def open(self, url: str) -> str:
        """Open a page in a tab of its own, in front; return the tab."""

    def show(self, tab: str) -> None:
        """Bring a tab to the front."""

    def close(self, tab: str) -> None:
        """Close a tab."""

    def kill(self) -> None:
        """Kill the browser."""


def native_host(stage: Stage, manifests: Path, allowed: dict[str, list[str]]) -> Path:
    """Let a browser find the real native host; return the file in which all that reaches its standard input is kept, too."""
    record = stage.folder / "native-host.record"
    record.touch()
    program = stage.folder / "native-host"
    host = f"{sys.executable} -m agent.cli native-host --settings {stage.settings} --socket {stage.socket}"
    program.write_text(
        f'#!/bin/bash\ncd "{Path.cwd()}"\nexec {host} -- "$@" 2>>{stage.folder}/native-host.log < <(exec tee -a {record})\n'
    )
    program.chmod(0o755)
    manifests.mkdir(parents=True, exist_ok=True)
    told = {"name": HOST_NAME, "description": "A test", "path": str(program), "type": "stdio", **allowed}
    (manifests / f"{HOST_NAME}.json").write_text(json.dumps(told))
    return record


def recorded(record: Path) -> list[dict[str, Any]]:
    """Return the messages that reached the native host."""
    content, messages = record.read_bytes(), []
    while len(content) >= 4:
        length = int.from_bytes(content[:4], sys.byteorder)
        if len(content) < 4 + length:
            break  # the rest is on its way
        messages.append(json.loads(content[4 : 4 + length]))
        content = content[4 + length :]
    return messages


MANAGED = (
    *("unshare", "--map-root-user", "--mount", "sh", "-ec"),
    # A machine on which nobody has set a policy has no folder for one: then its parent is another one with it.
    (
        'test -d "$0" || { above=${0%/*} kept=$(mktemp -d); cp -a "$above/." "$kept"; mount -t tmpfs none "$above"; '
        'cp -a "$kept/." "$above"; rm -r "$kept"; mkdir "$0"; }; '
        'mount -t tmpfs none "$0"; mkdir "$0/managed"; cp "$1" "$0/managed"; shift; exec "$@"'
    ),
    "/etc/chromium/policies",
)
"""Runs what follows the name of a policy's file under that policy: in a namespace where this machine has it, and no other."""


class Chromium:
    """Debian's Chromium with the extension, in a profile of its own, on a web of its own.

    Args:
        extension: the extension's folder; None where a policy has the browser fetch it.
        managed: a policy for this browser alone, as an administrator gives it to the machine.
    """

    name = "Chromium"

    def __init__(
        self,
        stage: Stage,
        sites: WebSites,
        extension: Path | None,
        extension_id: str,
        managed: Path | None = None,
    ) -> None:
        self._stage, self._port = stage, free_port()
        profile = stage.folder / "chromium"
        origins = {"allowed_origins": [f"chrome-extension://{extension_id}/"]}
        self.record = native_host(stage, profile / "NativeMessagingHosts", origins)
        fetches = ["--disable-background-networking", f"--load-extension={extension}"] if extension else []
        stage.start(
            "browser",
            *([] if managed is None else [*MANAGED, str(managed)]),
            "chromium",
            "--no-sandbox",  # tests may run as root
            "--no-first-run",
            "--password-store=basic",
            "--ignore-certificate-errors",
            f"--user-data-dir={profile}",
            *fetches,
            f"--host-resolver-rules=MAP * 127.0.0.1:{sites.port}, EXCLUDE 127.0.0.1",
            f"--remote-debugging-port={self._port}",
            "about:blank",
        )
        wait_for(self._answers, "Chromium's first answer", 30)

    def open(self, url: str) -> str:
        """Open a page in a tab of its own, in front."""
        tab: str = json.loads(self._ask(f"/json/new?{url}"))["id"]
        return tab

    def show(self, tab: str) -> None:
        """Bring a tab to the front."""
        self._ask(f"/json/activate/{tab}")

    def close(self, tab: str) -> None:
        """Close a tab."""
        self._ask(f"/json/close/{tab}")

    def kill(self) -> None:
        """Kill it."""
        self._stage.end("browser", signal.SIGKILL)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self._ask("/json/version", "GET"))
        return False

    def _ask(self, path: str, method: str = "PUT") -> bytes:
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            content: bytes = answer.read()
            return content


FIREFOX_PREFERENCES = {
    "network.proxy.type": 1,
    "network.proxy.allow_hijacking_localhost": True,
    "network.dns.disabled": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "extensions.update.enabled": False,
    "extensions.background.idle.timeout": 1000,
}
"""The last puts the extension's background to sleep after a second instead of 30."""


class Firefox:
    """Debian's Firefox with the extension, in a profile of its own, on a web of its own; driven by Marionette's JSON over TCP."""

    name = "Firefox"

    def __init__(self, stage: Stage, sites: WebSites, extension: Path) -> None:
        self._stage, self._port, self._number = stage, free_port(), 0
        profile = stage.folder / "firefox"
        profile.mkdir()
        home = Path(stage.environment["HOME"])
        self.record = native_host(
            stage, home / ".mozilla/native-messaging-hosts", {"allowed_extensions": [FIREFOX_ID]}
        )
        preferences = {
            **FIREFOX_PREFERENCES,
            "network.proxy.ssl": "127.0.0.1",
            "network.proxy.ssl_port": sites.port,
            "network.proxy.http": "127.0.0.1",
            "network.proxy.http_port": sites.port,
            "marionette.port": self._port,
        }
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()
        ]
        (profile / "user.js").write_text("".join(lines))
        stage.start("browser", "firefox-esr", "--marionette", "--no-remote", "--profile", str(profile))
        self._connection = wait_for(self._greeted, "Firefox's first answer", 60)
        self._lines = self._connection.makefile("rb")
        self._receive()
        self._ask("WebDriver:NewSession", acceptInsecureCerts=True, pageLoadStrategy="none")
        self._ask("Addon:Install", path=str(extension), temporary=True)

    def open(self, url: str) -> str:
        """Open a page in a tab of its own, in front."""
        tab: str = self._ask("WebDriver:NewWindow", type="tab", focus=True)["handle"]
        self.show(tab)
        self._ask("WebDriver:Navigate", url=url)
        return tab

    def show(self, tab: str) -> None:
        """Bring a tab to the front."""
        self._ask("WebDriver:SwitchToWindow", handle=tab, focus=True)

    def close(self, tab: str) -> None:
        """Close a tab."""
        self.show(tab)
        left: list[str] = self._ask("WebDriver:CloseWindow")
        self.show(left[0])

    def kill(self) -> None:
        """Kill it."""
        self._stage.end("browser", signal.SIGKILL)
        self._lines.close()
        self._connection.close()

    def _greeted(self) -> socket.socket | None:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", self._port), 30)
        return None

    def _ask(self, command: str, **parameters: object) -> Any:
        self._number += 1
        question = json.dumps([0, self._number, command, parameters])
        self._connection.sendall(f"{len(question)}:{question}".encode())
        _, _, error, result = self._receive()
        assert error is None, error
        return result.get("value", result) if isinstance(result, dict) else result

    def _receive(self) -> Any:
        length = b""
        while (character := self._lines.read(1)) != b":":
            assert character, "Firefox hung up"
            length += character
        return json.loads(self._lines.read(int(length)))
