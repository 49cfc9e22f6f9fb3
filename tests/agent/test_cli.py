"""The command line without an agent: exit codes, their list in --help, JSON errors, and input that cannot be used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from agent.cli import main
from agent.commands import exits
from agent.commands.status import lines
from contract.judge import SEVERITY
from contract.local import UnretainedRow
from tests.agent.test_snapshot import VIEW, _build, _sighting
from tests.fakes.device import POLICY_TEXT, policy


def test_every_exit_code_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    for code in (0, 2, 10, 20, 30, 31, 70):
        assert f"\n  {code:3}  {exits.MEANINGS[code]}" in told


def test_every_state_has_its_exit_code() -> None:
    codes = {state: exits.for_state(state) for state in SEVERITY}
    assert codes == {
        "compliant": 0,
        "exempt": 0,
        "pending": 10,
        "unknowable": 10,
        "attention": 10,
        "violation": 20,
    }


def test_without_an_agent_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json", "--socket", str(tmp_path / "none")]) == exits.NOT_RUNNING
    told = capsys.readouterr()
    assert "decorum run" in json.loads(told.out)["error"]["remedy"]
    assert "not running" in told.err


def test_somebody_elses_socket_is_not_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import socket

    place = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        monkeypatch.setattr("agent.localapi.client.trusted_owner", lambda *_: False)
        assert main(["status", "--socket", str(place)]) == exits.FAULT
    assert "who is not the agent" in capsys.readouterr().err


def test_a_policy_file_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY_TEXT)
    assert main(["policy", "check", str(file)]) == 0
    assert "Telegram may be used personally, never for work." in capsys.readouterr().out
    file.write_text(POLICY_TEXT.replace('"approved"', '"allowed"'))
    assert main(["policy", "check", str(file)]) == exits.USAGE
    assert "$.channels[0].stance" in capsys.readouterr().err
    assert main(["policy", "check", str(tmp_path / "none.toml")]) == exits.USAGE
    file.write_bytes(b"\xff\xfe")
    assert main(["policy", "check", str(file), "--json"]) == exits.USAGE


def test_settings_say_where_each_comes_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("check_in_seconds = 1\n")
    assert main(["settings", "--settings", str(file)]) == 0
    told = capsys.readouterr().out
    assert "check_in_seconds = 5  (file)" in told
    assert "1 was asked for; 5 to 86400 is taken." in told
    file.write_text("ceilling = {}\n")
    assert main(["settings", "--settings", str(file)]) == exits.USAGE


def test_enrolling_needs_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--state", str(tmp_path), "--scope", "user"]
    assert main(["enrol", "--secret", "acme.x", *places]) == exits.USAGE
    assert "--server" in capsys.readouterr().err
    assert main(["enrol", "--secret", "acme.x", "--server", "ftp://x", *places]) == exits.USAGE


def test_enrolling_at_a_server_that_does_not_answer_leaves_the_device_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('key_store = "file"\n')
    arguments = ["enrol", "--secret", "acme.x", "--server", "http://127.0.0.1:9", "--state", str(tmp_path)]
    assert main([*arguments, "--settings", str(settings)]) == exits.NOT_ENROLLED
    assert "did not answer" in capsys.readouterr().err


def test_a_vanished_process_is_no_crash(capsys: pytest.CaptureFixture[str]) -> None:
    for pid in ("4000000", "-1", "99999999999999999999"):
        assert main(["identify", f"--pid={pid}"]) == exits.USAGE
        assert "There is no such process" in capsys.readouterr().err


@pytest.fixture
def a_menu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "applications"
    folder.mkdir()
    entry = (
        "[Desktop Entry]\nType=Application\nName=Foo Mail\nExec=foo-mail\nCategories=Network;Email;Chat;\n"
    )
    (folder / "org.example.Foo.desktop").write_text(entry)
    (folder / "foo.desktop").write_text(entry.replace("Foo Mail", "Chatter").replace("Email;", ""))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["Foo Mail", "foo mail", "org.example.foo", "org.example.Foo.desktop"])
def test_an_application_is_identified_by_what_people_call_it(
    a_menu: None, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["identify", "--application", name]) == exits.COMPLIANT
    told = capsys.readouterr().out
    assert told.splitlines()[1] == "Confidence: 0%; from 50% on it is a messenger."
    assert "Evidence for it:\n  - org.example.Foo gives its category as Network" in told
    assert "Evidence against it:\n  - org.example.Foo gives its category as Email" in told
    assert main(["identify", "--application", name, "--json"]) == exits.COMPLIANT
    [one] = json.loads(capsys.readouterr().out)["applications"]
    assert (one["match"], one["weighed"]["threshold"]) == (None, 0.5)


def test_all_applications_of_a_name_are_identified_and_none_is_said(
    a_menu: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["identify", "--application", "foo-mail"]) == exits.COMPLIANT
    told = capsys.readouterr().out.split("\n\n")
    assert [text.splitlines()[0].partition(",")[0] for text in told] == [
        "foo-mail is Foo",
        "foo-mail is not a messenger: it is not in the list of known messengers",
    ]
    assert main(["identify", "--application", "nobody"]) == exits.USAGE
    assert "There is no such application" in capsys.readouterr().err


def test_jsonl_answers_in_order_and_goes_on_after_a_bad_line() -> None:
    given = b'{"platform":"linux","exe":"/usr/bin/pidgin"}\nnot json\n{"platform":"linux","name":"bash"}\n'
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", "identify", "--jsonl"],
        input=given,
        capture_output=True,
        env={**os.environ},
        timeout=30,
        check=True,
    )
    first, second, third = (json.loads(line) for line in done.stdout.splitlines())
    assert first["messenger"] == "pidgin"
    assert second["line"] == 2
    assert third["messenger"] is None


def test_the_status_of_people_says_what_to_do() -> None:
    snapshot = _build(msgspec.structs.replace(VIEW, sightings=(_sighting("telegram"),)))
    told = "\n".join(lines(snapshot))
    assert told.startswith("Something is not in line with the policy.")
    assert "Continue in Microsoft Teams." in told
    assert "Telegram (work): not in line, reported: name and time" in told


def test_the_status_of_people_says_which_files_nothing_retains() -> None:
    row = UnretainedRow(messenger="telegram", name="Telegram", files=1, total_bytes=9)
    told = "\n".join(lines(_build(msgspec.structs.replace(VIEW, unretained=(row,)))))
    assert "One file for work, saved from Telegram, retained nowhere." in told
    assert f"Ask {policy().contacts.questions} how such files are to be kept." in told
    view = msgspec.structs.replace(VIEW, unretained=(row,), can_hand_over=True)
    assert "Run `decorum hand-over`" in "\n".join(lines(_build(view)))
