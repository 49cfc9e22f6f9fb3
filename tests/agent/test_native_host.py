"""The native host: whose extension may speak, what it may say, and what becomes of it when either end is gone."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from agent.browsers import native_manifests
from agent.errors import AgentError
from agent.native_host import Agent, CallerError, NativeHost, check_caller, messages
from contract.errors import MalformedError
from contract.local import Nothing, WebPages
from contract.web import FIREFOX_ID, HOST_NAME, PICTURE_LIMIT_BYTES
from contract.wire import encode

OURS, OTHER = "a" * 32, "b" * 32
OPEN = {"profile": "00" * 8, "pages": [{"messenger": "whatsapp", "focused": True}]}
CLOSED = {"profile": "00" * 8, "pages": []}


def framed(*bodies: object) -> bytes:
    encoded = [body if isinstance(body, bytes) else encode(body) for body in bodies]
    return b"".join(len(body).to_bytes(4, sys.byteorder) + body for body in encoded)


class Listener:
    """An agent that hears, or is absent or deaf for as many times as a test says."""

    def __init__(self, failures: Sequence[str] = ()) -> None:
        self.failures = list(failures)
        self.heard: list[WebPages] = []
        self.connections = 0
        self.hung_up = 0

    def connect(self) -> Agent:
        if self.failures[:1] == ["absent"]:
            self.failures.pop(0)
            raise AgentError("Nobody listens.", "Start it.")
        self.connections += 1
        return self

    def ask(self, method: str, params: object, kind: type[Nothing]) -> Nothing:
        assert method == "web.pages"
        assert isinstance(params, WebPages)
        if self.failures[:1] == ["deaf"]:
            self.failures.pop(0)
            raise AgentError("It broke.", "Try again.")
        self.heard.append(params)
        return kind()

    def close(self) -> None:
        self.hung_up += 1


class Pipe(io.RawIOBase):
    """A browser's pipe that gives what it has, and ends once the agent has heard enough."""

    def __init__(self, content: bytes, agent: Listener, until_heard: int) -> None:
        self._begin, self._agent, self._until_heard = io.BytesIO(content), agent, until_heard

    def read(self, size: int = -1) -> bytes:
        content = self._begin.read(size)
        while not content and len(self._agent.heard) < self._until_heard:
            os.sched_yield()
        return content


def run(agent: Listener, content: bytes, until_heard: int = 1) -> None:
    pipe = cast("BinaryIO", Pipe(content, agent, until_heard))
    NativeHost(pipe, agent.connect, 42, repeat_seconds=0.001, retry_seconds=0.001).run()


def test_what_the_extension_tells_reaches_the_agent_with_the_browsers_pid() -> None:
    agent = Listener()
    run(agent, framed(OPEN))
    assert agent.heard[0].browser_pid == 42
    assert agent.heard[0].picture.pages[0].messenger == "whatsapp"
    assert (agent.connections, agent.hung_up) == (1, 1)


def test_the_last_picture_is_repeated_for_an_agent_that_was_started_anew() -> None:
    agent = Listener()
    run(agent, framed(OPEN), until_heard=3)
    assert len({encode(told) for told in agent.heard}) == 1


@pytest.mark.parametrize("failures", [["absent", "absent"], ["deaf"], ["deaf", "absent"]])
def test_an_agent_that_does_not_hear_is_told_again(failures: list[str]) -> None:
    agent = Listener(failures)
    run(agent, framed(OPEN))
    assert agent.failures == []
    assert agent.heard[0].picture.pages[0].messenger == "whatsapp"


def test_nothing_open_is_told_once_and_not_repeated() -> None:
    agent = Listener()
    run(agent, framed(OPEN, CLOSED))
    assert agent.heard[-1].picture.pages == ()
    assert [told.picture.pages for told in agent.heard].count(()) == 1


@pytest.mark.parametrize(
    "sent",
    [
        framed({**OPEN, "url": "https://example.com"}),
        framed({"profile": "00" * 8, "pages": [{"messenger": "whatsapp", "focused": True, "title": "x"}]}),
        framed({"profile": "ada@example.com", "pages": []}),
        framed({"profile": "00" * 8, "pages": [{"messenger": "https://example.com/", "focused": True}]}),
        framed({"profile": "00" * 8, "pages": [{"messenger": "a", "focused": False}] * 201}),
        framed(b"not json"),
        framed(b"[" * 5000),
        framed(b""),
        (PICTURE_LIMIT_BYTES + 1).to_bytes(4, sys.byteorder) + b"{}",
        (2**32 - 1).to_bytes(4, sys.byteorder),
        framed(OPEN)[:-1],
        b"\0\0",
    ],
)
def test_anything_else_ends_the_host_and_tells_the_agent_nothing(sent: bytes) -> None:
    agent = Listener()
    with pytest.raises(MalformedError):
        run(agent, sent, until_heard=0)
    assert agent.heard == []


def test_a_stream_that_ends_between_messages_has_ended_well() -> None:
    assert list(messages(io.BytesIO(b""))) == []


@pytest.mark.parametrize(
    "words",
    [
        [f"chrome-extension://{OURS}/"],
        [f"chrome-extension://{OURS}/", "--parent-window=0"],
        ["/usr/lib/mozilla/native-messaging-hosts/decorum.web.json", FIREFOX_ID],
    ],
)
def test_the_companys_extension_may_speak(words: list[str]) -> None:
    check_caller(words, OURS)


@pytest.mark.parametrize(
    ("words", "extension"),
    [
        ([], OURS),
        ([f"chrome-extension://{OTHER}/"], OURS),
        ([f"chrome-extension://{OURS}/"], None),
        ([f"chrome-extension://{OURS}.example/"], OURS),
        (["chrome-extension://None/"], None),
        (["manifest.json", "other@example.com"], OURS),
        (["manifest.json", FIREFOX_ID, "more"], OURS),
        ([FIREFOX_ID], OURS),
    ],
)
def test_nobody_else_may(words: list[str], extension: str | None) -> None:
    with pytest.raises(CallerError):
        check_caller(words, extension)


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ([f"chrome-extension://{OTHER}/"], framed(OPEN)),
        ([f"chrome-extension://{OURS}/"], framed({**OPEN, "title": "x\ny"})),
        ([f"chrome-extension://{OURS}/", "--parent-window=7"], framed(b"\xff")),
    ],
)
def test_the_program_ends_with_one_line_and_answers_nothing(
    tmp_path: Path, words: list[str], sent: bytes
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'web_extension = "{OURS}"\n')
    place = ["--settings", str(settings), "--socket", str(tmp_path / "nobody.sock")]
    command = [sys.executable, "-m", "agent.cli", "native-host", *place, "--", *words]
    done = subprocess.run(command, input=sent, capture_output=True, timeout=60, check=False)
    assert done.returncode != 0
    assert done.stdout == b""
    assert done.stderr.startswith(b"decorum: ")
    assert done.stderr.count(b"\n") == 1


def test_each_browser_is_told_in_its_own_place() -> None:
    def files(system: str, scope: str) -> dict[str, str]:
        placed = native_manifests(system, scope, "/opt/decorum/host", OURS, "/home/ada")  # type: ignore[arg-type]
        return {one.browser: one.file for one in placed}

    assert files("linux", "system") == {
        "Chrome": "/etc/opt/chrome/native-messaging-hosts/decorum.web.json",
        "Chromium": "/etc/chromium/native-messaging-hosts/decorum.web.json",
        "Edge": "/etc/opt/edge/native-messaging-hosts/decorum.web.json",
        "Firefox": "/usr/lib/mozilla/native-messaging-hosts/decorum.web.json",
    }
    assert files("linux", "user") == {
        "Chrome": "/home/ada/.config/google-chrome/NativeMessagingHosts/decorum.web.json",
        "Chromium": "/home/ada/.config/chromium/NativeMessagingHosts/decorum.web.json",
        "Edge": "/home/ada/.config/microsoft-edge/NativeMessagingHosts/decorum.web.json",
        "Firefox": "/home/ada/.mozilla/native-messaging-hosts/decorum.web.json",
    }
    assert files("macos", "system") == {
        "Chrome": "/Library/Google/Chrome/NativeMessagingHosts/decorum.web.json",
        "Chromium": "/Library/Application Support/Chromium/NativeMessagingHosts/decorum.web.json",
        "Edge": "/Library/Microsoft/Edge/NativeMessagingHosts/decorum.web.json",
        "Firefox": "/Library/Application Support/Mozilla/NativeMessagingHosts/decorum.web.json",
    }
    assert files("macos", "user")["Edge"] == (
        "/home/ada/Library/Application Support/Microsoft Edge/NativeMessagingHosts/decorum.web.json"
    )


def test_on_windows_the_registry_names_a_file_beside_the_program() -> None:
    program = r"C:\Program Files\Decorum\decorum-native-host.exe"
    placed = {one.browser: one for one in native_manifests("windows", "system", program, OURS, "")}
    assert placed["Edge"].file == r"C:\Program Files\Decorum\decorum.web.chromium.json"
    assert placed["Firefox"].file == r"C:\Program Files\Decorum\decorum.web.firefox.json"
    assert placed["Chrome"].registry_key == (
        r"HKEY_LOCAL_MACHINE\SOFTWARE\Google\Chrome\NativeMessagingHosts\decorum.web"
    )
    (own, *_) = native_manifests("windows", "user", program, OURS, "")
    assert own.registry_key is not None
    assert own.registry_key.startswith("HKEY_CURRENT_USER\\")


def test_a_manifest_allows_one_extension_and_without_a_setting_none_in_chromium() -> None:
    by_name = {
        one.browser: json.loads(one.content)
        for one in native_manifests("linux", "system", "/host", OURS, "/home/ada")
    }
    assert by_name["Chromium"]["allowed_origins"] == [f"chrome-extension://{OURS}/"]
    assert by_name["Firefox"]["allowed_extensions"] == [FIREFOX_ID]
    assert {(one["name"], one["path"], one["type"]) for one in by_name.values()} == {
        (HOST_NAME, "/host", "stdio")
    }
    without = native_manifests("linux", "system", "/host", None, "/home/ada")
    assert [one.browser for one in without] == ["Firefox"]


def test_the_command_writes_and_takes_back(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'web_extension = "{OURS}"\n')

    def browsers(*more: str) -> str:
        command = [sys.executable, "-m", "agent.cli", "browsers", "--scope", "user"]
        done = subprocess.run(
            [*command, "--settings", str(settings), "--program", "/opt/host", *more],
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    file = tmp_path / ".config/chromium/NativeMessagingHosts/decorum.web.json"
    assert str(file) in browsers()
    assert json.loads(file.read_text())["path"] == "/opt/host"
    others = file.with_name("other.json")
    others.write_text("{}")
    settings.write_text("")
    assert "Chromium browsers: nothing" in browsers()
    assert not file.exists(), "the setting names no extension any more"
    settings.write_text(f'web_extension = "{OURS}"\n')
    browsers()
    settings.write_text("")
    browsers("--remove")
    assert sorted(one.name for one in tmp_path.rglob("*.json")) == ["other.json"]
    assert not (tmp_path / ".mozilla").exists(), "what was made for it is gone with it"
