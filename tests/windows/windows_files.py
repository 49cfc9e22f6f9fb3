"""Lock, folders, private files, the registry and the key stores on Windows."""

import os
import shutil
import stat
import subprocess
import sys
import winreg
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.credentials.file_store import FileStore
from agent.credentials.keyring_store import SERVICE, KeyringStore
from agent.errors import CredentialError, StateError
from agent.folders import folders_of
from agent.lock import FolderLock
from agent.managed.registry import PLACE
from agent.private_file import who_else_may_read, write_private
from agent.settings import load
from agent.store import Store
from agent.windows import folders, security, tokens
from contract import access
from contract.envelope import SigningKey
from tests.suites.credential_stores import CredentialStoreSuite, Open

assert sys.platform == "win32"


class TestFileStoreOnWindows(CredentialStoreSuite):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Open:
        return lambda: FileStore(tmp_path / "state" / "device-key.jwk")


class TestCredentialManager(CredentialStoreSuite):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Open:
        return lambda: KeyringStore(str(tmp_path))

    def test_the_key_stays_on_this_machine(self, tmp_path: Path) -> None:
        from win32ctypes.pywin32 import win32cred  # type: ignore[import-not-found]

        KeyringStore(str(tmp_path)).keep(SigningKey.generate())
        kept = win32cred.CredRead(Type=win32cred.CRED_TYPE_GENERIC, TargetName=SERVICE)
        assert kept["Persist"] == win32cred.CRED_PERSIST_LOCAL_MACHINE


def test_the_second_agent_says_so_and_leaves(tmp_path: Path) -> None:
    first = FolderLock(tmp_path / "state")
    with pytest.raises(StateError, match="Another agent uses"):
        FolderLock(tmp_path / "state")
    first.release()
    FolderLock(tmp_path / "state").release()


def test_the_lock_ends_with_the_program(tmp_path: Path) -> None:
    hold = f"from pathlib import Path; from agent.lock import FolderLock; FolderLock(Path({str(tmp_path / 'state')!r}))"
    done = subprocess.run(
        [sys.executable, "-c", hold],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    FolderLock(tmp_path / "state").release()


def test_a_private_file_is_nobody_elses(tmp_path: Path) -> None:
    file = tmp_path / "state" / "secret"
    write_private(file, "secret")
    assert file.read_text() == "secret"
    assert who_else_may_read(file) is None


def test_a_key_that_everybody_may_read_is_refused_with_its_remedy(tmp_path: Path) -> None:
    file = tmp_path / "state" / "device-key.jwk"
    FileStore(file).keep(SigningKey.generate())
    security.guard_file(str(file), f"D:P(A;;FA;;;{tokens.own_sid()})(A;;FR;;;WD)")
    with pytest.raises(CredentialError, match="may read") as refused:
        FileStore(file).load()
    assert "icacls" in refused.value.remedy


def test_the_folder_is_its_users(tmp_path: Path) -> None:
    FolderLock(tmp_path / "state").release()
    assert access.owner_in(security.of_file(str(tmp_path / "state"))) == tokens.own_sid()


def test_the_database_is_made_and_opened_again(tmp_path: Path) -> None:
    FolderLock(tmp_path / "state").release()
    for _ in range(2):
        store = Store(tmp_path / "state" / "state.sqlite3")
        store.remember("a", "1")
        assert store.fact("a") == "1"
        store.close()


@pytest.fixture
def shared() -> Iterator[Path]:
    """The system's own folder; what a test makes of it is gone afterwards."""
    place = Path(folders.program_data()) / "Decorum"
    shutil.rmtree(place, ignore_errors=True)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def test_the_systems_agent_keeps_its_state_in_the_shared_folder_for_the_administration_alone(
    shared: Path,
) -> None:
    state = folders_of("system").state
    assert state == shared / "State"
    write_private(state / "device-key.jwk", "secret")
    agents = {tokens.own_sid(), *access.ADMINISTRATION}  # Wine has one user, who is all of these
    for place in (shared, state, state / "device-key.jwk"):
        told = security.of_file(str(place))
        assert access.owner_in(told) in agents
        assert access.others_in(told, agents) == ()
    assert who_else_may_read(state / "device-key.jwk") is None


def test_a_state_folder_that_others_may_look_into_is_refused(shared: Path) -> None:
    shared.mkdir()
    security.make_folder(str(shared / "State"), f"D:P(A;OICI;FA;;;{tokens.own_sid()})(A;OICI;FR;;;WD)")
    with pytest.raises(StateError, match="may be looked into by S-1-1-0"):
        FolderLock(shared / "State")


def test_a_folder_that_leads_elsewhere_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.lstat(folders.program_data())
    junction = SimpleNamespace(st_mode=found.st_mode, st_file_attributes=stat.FILE_ATTRIBUTE_REPARSE_POINT)
    monkeypatch.setattr("agent.windows.folders.os.lstat", lambda _: junction)  # Wine 8 makes none
    with pytest.raises(StateError, match="leads elsewhere"):
        FolderLock(shared / "State")


def test_a_users_own_agent_keeps_its_state_in_the_users_folder() -> None:
    own = folders_of("user")
    local = Path(os.environ["LOCALAPPDATA"])
    assert own.state == local / "Decorum" / "State"
    assert own.settings == local / "Decorum" / "settings.toml"


def test_the_environment_does_not_say_where_the_systems_state_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = folders_of("system").state
    monkeypatch.setenv("ProgramData", str(tmp_path))
    monkeypatch.setenv("ALLUSERSPROFILE", str(tmp_path))
    assert folders_of("system").state == before


def test_the_registry_says_what_the_administrator_set() -> None:
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, rf"{PLACE}\ceiling\company") as key:
        winreg.SetValueEx(key, "work", 0, winreg.REG_SZ, "exact")
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, PLACE) as key:
        winreg.SetValueEx(key, "server_url", 0, winreg.REG_SZ, "https://decorum.example.com")
        winreg.SetValueEx(key, "check_in_seconds", 0, winreg.REG_DWORD, 600)
    try:
        settings = load(None)
    finally:
        for name in (r"ceiling\company", "ceiling", ""):
            winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, rf"{PLACE}\{name}".rstrip("\\"))
    assert (settings.server_url, settings.check_in_seconds) == ("https://decorum.example.com", 600)
    assert settings.values["ceiling"].origin == "managed"
    assert settings.ceiling.company.work == "exact"
    assert load(None).server_url is None
