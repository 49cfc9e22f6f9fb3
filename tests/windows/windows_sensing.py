"""Processes, users and places as Windows itself tells them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from agent.sensing import version_info
from agent.sensing.appx_manifest import FILE_LIMIT_BYTES
from agent.sensing.process_source import GoneError, ProcessKey
from agent.sensing.processes import ProcessWatch
from agent.sensing.this_system import process_source
from agent.this_user import is_administrator, own_uid
from agent.windows import folders, own_words, tokens
from contract.places import THIS_SYSTEM, places_on
from contract.users import number_of_sid

assert sys.platform == "win32"

CHECKOUT = Path(__file__).parents[2]
WAITING = "import sys; print(flush=True); sys.stdin.readline()"


@pytest.fixture
def started() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_process_that_starts_is_noticed_with_path_command_line_and_user(
    started: subprocess.Popen[bytes],
) -> None:
    source = process_source()
    changes = ProcessWatch(source).look(0.0, 0.0)
    reading = next(one for one in changes.appeared if one.key.pid == started.pid)
    assert Path(reading.facts.exe or "").samefile(sys.executable)
    assert reading.facts.name == Path(sys.executable).name
    assert reading.facts.cmdline == (sys.executable, "-c", WAITING)
    assert (reading.facts.platform, reading.facts.package_family) == ("windows", None)
    assert source.uid(started.pid) == own_uid()


def test_a_process_that_ended_is_gone(started: subprocess.Popen[bytes]) -> None:
    source = process_source()
    key = source.key(started.pid)
    with pytest.raises(GoneError):
        source.read(ProcessKey(key.pid, key.started - 1))
    started.kill()
    started.wait()
    pid = started.pid
    started._handle.Close()  # type: ignore[attr-defined]  # a pid stays taken while a handle is open
    if not source.is_there(pid):
        with pytest.raises(GoneError):
            source.key(pid)


def test_an_executable_says_what_it_is_and_a_file_without_a_word_is_an_error(tmp_path: Path) -> None:
    assert "Python" in version_info.parse(own_words.version_of(sys.executable))
    silent = tmp_path / "silent.exe"
    silent.write_bytes(b"MZ")
    for file in (silent, tmp_path / "none.exe"):
        with pytest.raises(OSError, match=r"."):
            own_words.version_of(str(file))


def test_a_manifest_is_read_to_its_bound(tmp_path: Path) -> None:
    manifest = tmp_path / "AppxManifest.xml"
    with pytest.raises(FileNotFoundError):
        own_words.manifest_at(str(manifest))
    manifest.write_bytes(b"<Package/>")
    assert own_words.manifest_at(str(manifest)) == b"<Package/>"
    manifest.write_bytes(b" " * (FILE_LIMIT_BYTES + 1))
    with pytest.raises(OSError, match=r"AppxManifest"):
        own_words.manifest_at(str(manifest))


def test_the_own_user_has_a_number_made_of_the_sid() -> None:
    assert own_uid() == number_of_sid(tokens.own_sid())
    assert isinstance(is_administrator(), bool)


def test_the_shared_folder_is_where_the_places_say() -> None:
    folder = platformdirs.site_data_path("Decorum", appauthor=False)
    assert THIS_SYSTEM == "windows"
    assert Path(places_on("windows", folders.program_data()).state) == folder / "State"


def test_identify_answers_for_facts_and_for_a_process(started: subprocess.Popen[bytes]) -> None:
    facts = {"platform": "windows", "exe": r"C:\Users\ada\AppData\Local\slack\slack.exe"}
    command = [sys.executable, "-m", "agent.cli", "identify"]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "utf-8"}
    told = subprocess.run(
        [*command, "--jsonl"],
        input=json.dumps(facts).encode() + b"\n",
        capture_output=True,
        cwd=CHECKOUT,
        env=environ,
        check=True,
    )
    assert b'"slack"' in told.stdout
    told = subprocess.run(
        [*command, "--pid", str(started.pid), "--json"],
        capture_output=True,
        cwd=CHECKOUT,
        env=environ,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    answer = json.loads(told.stdout)
    assert Path(answer["facts"]["exe"]).samefile(sys.executable)
    assert answer["match"] is None
