"""Lock, private files and the key stores on Windows."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent.credentials.file_store import FileStore
from agent.credentials.keyring_store import SERVICE, KeyringStore
from agent.errors import CredentialError, StateError
from agent.lock import FolderLock
from agent.private_file import who_else_may_read, write_private
from agent.store import Store
from agent.windows import security, tokens
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
    hold = f"from pathlib import Path; from agent.lock import FolderLock; FolderLock(Path({str(tmp_path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", hold],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    FolderLock(tmp_path).release()


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
