"""What an installer was given: taken as a whole or refused as a whole, and the secret never where others could read it."""

import asyncio
import os
from pathlib import Path

import pytest

from agent import cli
from agent.managed.files import Files
from agent.provisioning import REFUSAL_FILE_NAME, SECRET_VARIABLE, VARIABLES, Given, lay_down, refusal_in
from agent.reporting.secret_file import FILE_NAME
from agent.settings import load
from agent.this_user import acting_as_owner_of
from contract.settings_keys import KEYS
from tests.fakes.running_agent import RunningAgent

SECRET = "acme.kept-to-itself-0123456789"
FINGERPRINT = "a" * 43
GIVEN = {
    "DECORUM_SERVER_URL": "https://decorum.example.com",
    "DECORUM_ROOT_FINGERPRINT": FINGERPRINT,
    "DECORUM_OWNERSHIP": "company",
    SECRET_VARIABLE: SECRET,
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def drop_in(tmp_path: Path) -> Path:
    (tmp_path / "etc/settings.d").mkdir(parents=True)
    return tmp_path / "etc/settings.d/50-install.toml"


def provision(monkeypatch: pytest.MonkeyPatch, drop_in: Path, state: Path, **given: str) -> int:
    for name in (*VARIABLES, SECRET_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return cli.main(["provision", "--state", str(state), "--drop-in", str(drop_in)])


def test_the_agent_gets_what_was_given(
    monkeypatch: pytest.MonkeyPatch, drop_in: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert provision(monkeypatch, drop_in, state, **GIVEN) == 0
    settings = load(None, Files(drop_in.parents[1] / "settings.toml", os.getuid()))
    assert settings.server_url == "https://decorum.example.com"
    assert settings.root_fingerprint == FINGERPRINT
    assert settings.ownership == "company"
    assert {settings.values[name].origin for name in VARIABLES.values()} == {"managed"}
    assert (state / FILE_NAME).read_text() == SECRET
    assert SECRET not in "".join(capsys.readouterr())


def test_the_secret_is_its_owners_alone_and_in_no_other_file(
    monkeypatch: pytest.MonkeyPatch, drop_in: Path, state: Path, tmp_path: Path
) -> None:
    provision(monkeypatch, drop_in, state, **GIVEN)
    assert (state / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert drop_in.stat().st_mode & 0o777 == 0o644
    holding = [file for file in tmp_path.rglob("*") if file.is_file() and SECRET in file.read_text()]
    assert holding == [state / FILE_NAME]


def test_nothing_given_writes_nothing(monkeypatch: pytest.MonkeyPatch, drop_in: Path, state: Path) -> None:
    assert provision(monkeypatch, drop_in, state, DECORUM_SERVER_URL="  ") == 0
    assert not drop_in.exists()
    assert not (state / FILE_NAME).exists()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DECORUM_SERVER_URL", "decorum.example.com"),
        ("DECORUM_SERVER_URL", 'https://a"\nhighest_rung = "close'),
        ("DECORUM_ROOT_FINGERPRINT", "short"),
        ("DECORUM_OWNERSHIP", "compny"),
        (SECRET_VARIABLE, "no-tenant-in-it"),
        (SECRET_VARIABLE, "acme.two words"),
        (SECRET_VARIABLE, "acme." + "x" * 2000),
        (SECRET_VARIABLE, "acme.one\nacme.two"),
    ],
)
def test_one_wrong_value_refuses_all_and_says_which_and_why(
    monkeypatch: pytest.MonkeyPatch,
    drop_in: Path,
    state: Path,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
) -> None:
    drop_in.write_text('ownership = "personal"\n')
    assert provision(monkeypatch, drop_in, state, **GIVEN | {variable: value}) in {2, 30}
    said = capsys.readouterr()
    assert variable in said.err
    assert drop_in.read_text() == 'ownership = "personal"\n'
    assert [file.name for file in state.iterdir()] == [REFUSAL_FILE_NAME]
    refusal = refusal_in(state)
    assert refusal is not None
    assert variable in refusal.detail
    assert refusal.remedy
    if variable == SECRET_VARIABLE:
        assert value not in said.out + said.err + (state / REFUSAL_FILE_NAME).read_text()


def test_doctor_tells_a_refusal_until_it_is_installed_well(
    monkeypatch: pytest.MonkeyPatch, drop_in: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    provision(monkeypatch, drop_in, state, DECORUM_OWNERSHIP="compny")
    doctor = ["doctor", "--state", str(state), "--socket", str(state / "no.sock")]
    capsys.readouterr()
    cli.main(doctor)
    assert "DECORUM_OWNERSHIP" in capsys.readouterr().out
    provision(monkeypatch, drop_in, state, DECORUM_OWNERSHIP="company")
    capsys.readouterr()
    cli.main(doctor)
    assert "installer" not in capsys.readouterr().out


@pytest.mark.expected_warnings("nothing of what the installer was given was taken: DECORUM_OWNERSHIP")
def test_the_log_of_the_agent_tells_a_refusal(
    monkeypatch: pytest.MonkeyPatch, drop_in: Path, state: Path
) -> None:
    provision(monkeypatch, drop_in, state, DECORUM_OWNERSHIP="compny")
    wrong = state / "wrong.toml"
    wrong.write_text("no TOML")
    assert cli.main(["run", "--state", str(state), "--settings", str(wrong)]) == 2


def test_what_is_not_given_again_stays(monkeypatch: pytest.MonkeyPatch, drop_in: Path, state: Path) -> None:
    provision(monkeypatch, drop_in, state, **GIVEN)
    provision(monkeypatch, drop_in, state, DECORUM_OWNERSHIP="personal")
    settings = load(None, Files(drop_in.parents[1] / "settings.toml", os.getuid()))
    assert (settings.ownership, settings.root_fingerprint) == ("personal", FINGERPRINT)


@pytest.mark.parametrize(
    "found", ["this is no TOML", "since = 2026-11-24\n", "[ceiling.company]\nwork = 'exact'\n"]
)
def test_a_file_that_an_installer_did_not_write_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
    drop_in: Path,
    state: Path,
    capsys: pytest.CaptureFixture[str],
    found: str,
) -> None:
    drop_in.write_text(found)
    assert provision(monkeypatch, drop_in, state, **GIVEN) == 2
    assert str(drop_in) in capsys.readouterr().err
    assert drop_in.read_text() == found
    assert not (state / FILE_NAME).exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="cannot be written"):
        lay_down(Given({}, SECRET), tmp_path / "x.toml", tmp_path / "file/state")


def test_every_variable_gives_a_setting_that_there_is() -> None:
    assert set(VARIABLES.values()) <= {key.name for key in KEYS}


def test_a_running_agent_takes_a_secret_that_is_provisioned(
    monkeypatch: pytest.MonkeyPatch, drop_in: Path, tmp_path: Path
) -> None:
    """An enrolled one erases it, so it was found where it looks."""

    async def run(running: RunningAgent) -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(running.agent.run(stop))
        provision(monkeypatch, drop_in, tmp_path / "agent", **{SECRET_VARIABLE: SECRET})
        async with asyncio.timeout(20):
            while (tmp_path / "agent" / FILE_NAME).exists():  # noqa: ASYNC110  # nothing tells when a file goes
                await asyncio.sleep(0.01)
        stop.set()
        assert await task

    with RunningAgent(tmp_path / "agent") as running:
        running._loop.run_until_complete(run(running))


class Rights:
    """Stands in for the system's calls that change who a process acts for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
        self.done: list[tuple[str, object]] = []
        monkeypatch.setattr(os, "geteuid", lambda: uid)
        monkeypatch.setattr(os, "getgroups", lambda: [0, 4])
        for name in ("setgroups", "setegid", "seteuid"):
            monkeypatch.setattr(os, name, lambda value, name=name: self.done.append((name, value)))


def test_root_acts_as_the_owner_of_a_folder_and_is_root_again_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rights = Rights(monkeypatch, 0)
    owner = tmp_path.stat()
    became: list[tuple[str, object]] = []

    def fail() -> None:
        with acting_as_owner_of(tmp_path):
            became.extend(rights.done)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    # The user last: whoever is no longer root may change nothing more.
    assert became == [("setgroups", [owner.st_gid]), ("setegid", owner.st_gid), ("seteuid", owner.st_uid)]
    assert rights.done[3:] == [("seteuid", 0), ("setegid", 0), ("setgroups", [0, 4])]


def test_others_and_folders_that_are_not_there_change_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rights = Rights(monkeypatch, 0)
    with acting_as_owner_of(tmp_path / "absent"):
        pass
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with acting_as_owner_of(tmp_path):
        pass
    assert rights.done == []
